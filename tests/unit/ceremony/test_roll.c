/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/roll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/sha.h>

#include "officers.h"

static struct roll r;
static struct officer out;

static enum sg_err make(EVP_PKEY *pkey)
{
	const struct pki_der spki = pki_spki(pkey);

	return officer_make(SPAN_LIT("x"), pki_span(&spki), &out);
}

static void test_make(void **state)
{
	static const enum cose_alg algs[] = {COSE_ES256, COSE_EDDSA, COSE_ES384,
					     COSE_PS256};
	uint8_t hash[SHA256_DIGEST_LENGTH];

	(void)state;
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		const struct officer *o = &officers[i].o;

		assert_int_equal(o->alg, algs[i]);
		(void)SHA256(o->spki, o->spki_n, hash);
		assert_memory_equal(o->kid, hash, sizeof(o->kid));
	}
	assert_string_equal(officers[0].o.name, "alice");
}

static void test_names(void **state)
{
	static const char *const good[] = {"a", "A-z_0.9", "..."};
	static const char *const bad[] = {"",	      "a b", "a/b",
					  "\xc3\xa9", "a\n", "a@b"};
	const struct pki_der spki = pki_spki(officers[0].pkey);
	char text[ROLL_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(roll_is_name(span_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(roll_is_name(span_str(bad[i])));
		assert_int_equal(
			officer_make(span_str(bad[i]), pki_span(&spki), &out),
			SG_MALFORMED);
	}
	memset(text, 'x', sizeof(text));
	assert_true(roll_is_name(span_of(text, sizeof(text) - 1)));
	assert_false(roll_is_name(span_of(text, sizeof(text))));
	assert_false(roll_is_name(span_of("a\0b", 3)));
}

/* Keys that are no officer's. */
static void test_keys(void **state)
{
	static const char *const types[] = {"ED448", "X25519"};
	uint8_t big[ROLL_SPKI_MAX + 1] = {0};
	struct pki_der spki = pki_spki(officers[0].pkey);
	EVP_PKEY *pkey = EVP_EC_gen("P-521");

	(void)state;
	assert_int_equal(make(pkey), SG_BAD_KEY);
	EVP_PKEY_free(pkey);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, types[i]);
		assert_int_equal(make(pkey), SG_BAD_KEY);
		EVP_PKEY_free(pkey);
	}
	/* The neutral element: who tries a few times has a signature by it. */
	spki = pki_spki(officers[1].pkey);
	memset(spki.p + spki.n - 32, 0, 32);
	spki.p[spki.n - 32] = 1;
	assert_int_equal(officer_make(SPAN_LIT("x"), pki_span(&spki), &out),
			 SG_BAD_KEY);
	spki = pki_spki(officers[0].pkey);
	pkey = EVP_RSA_gen(1024);
	assert_int_equal(make(pkey), SG_BAD_KEY);
	EVP_PKEY_free(pkey);
	assert_int_equal(officer_make(SPAN_LIT("x"), span_of(NULL, 0), &out),
			 SG_MALFORMED);
	assert_int_equal(
		officer_make(SPAN_LIT("x"), span_of(big, sizeof(big)), &out),
		SG_TOO_BIG);
	assert_int_equal(
		officer_make(SPAN_LIT("x"), span_of(spki.p, spki.n - 1), &out),
		SG_MALFORMED);
	spki.p[spki.n++] = 0;
	assert_int_equal(officer_make(SPAN_LIT("x"), pki_span(&spki), &out),
			 SG_MALFORMED);
}

static void spell(EVP_PKEY *pkey, const char *format)
{
	pki_must(EVP_PKEY_set_utf8_string_param(
			 pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
			 format) == 1);
}

/* The same key in other words is refused: it would be another officer. */
static void test_spellings(void **state)
{
	static const char *const formats[] = {"compressed", "hybrid"};
	static const size_t curves[] = {0, 2};
	EVP_PKEY *pkey;

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		pkey = officers[curves[c]].pkey;
		for (size_t i = 0; i < 2; i++) {
			spell(pkey, formats[i]);
			assert_int_equal(make(pkey), SG_MALFORMED);
		}
		spell(pkey, "uncompressed");
		assert_int_equal(make(pkey), SG_OK);
		pki_must(EVP_PKEY_set_utf8_string_param(
				 pkey, OSSL_PKEY_PARAM_EC_ENCODING,
				 "explicit") == 1);
		assert_int_not_equal(make(pkey), SG_OK);
		pki_must(EVP_PKEY_set_utf8_string_param(
				 pkey, OSSL_PKEY_PARAM_EC_ENCODING,
				 "named_curve") == 1);
		assert_int_equal(make(pkey), SG_OK);
	}
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA-PSS", (size_t)2048);
	if (pkey != NULL)
		assert_int_equal(make(pkey), SG_BAD_KEY);
	EVP_PKEY_free(pkey);
}

static void test_fault(void **state)
{
	(void)state;
	officers_roll(3, 2, &r);
	assert_null(roll_fault(&r));
	r.threshold = 0;
	assert_non_null(roll_fault(&r));
	r.threshold = 4;
	assert_non_null(roll_fault(&r));
	r.threshold = 3;
	assert_null(roll_fault(&r));
	r.proposer_may_approve = false;
	assert_non_null(roll_fault(&r));
	r.threshold = 2;
	assert_null(roll_fault(&r));
	r.stale_s = 0;
	assert_non_null(roll_fault(&r));
	r.stale_s = 1;
	r.officer[2] = r.officer[0];
	assert_string_equal(roll_fault(&r), "two officers have the same name");
	r.officer[2].name[0] = 'z';
	assert_string_equal(roll_fault(&r), "two officers have the same key");
	r.n = 0;
	assert_non_null(roll_fault(&r));
	r.n = ROLL_OFFICERS_MAX + 1;
	assert_non_null(roll_fault(&r));
}

static void test_find(void **state)
{
	(void)state;
	officers_roll(3, 2, &r);
	assert_ptr_equal(roll_find(&r, officers[2].o.kid), &r.officer[2]);
	assert_null(roll_find(&r, officers[4].o.kid));
	assert_ptr_equal(roll_named(&r, SPAN_LIT("bob")), &r.officer[1]);
	assert_null(roll_named(&r, SPAN_LIT("bo")));
	assert_null(roll_named(&r, span_of(NULL, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),  cmocka_unit_test(test_names),
		cmocka_unit_test(test_keys),  cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_fault), cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, officers_setup, officers_teardown);
}
