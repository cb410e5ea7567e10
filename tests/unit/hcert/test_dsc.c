/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <string.h>

#include "hcert/dsc.h"
#include "pki.h"

static EVP_PKEY *key;

static int setup(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	return key != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

static struct pki_der certificate(const struct pki_extension *extensions,
				  size_t count)
{
	return pki_certificate(key, "210102030405Z", "20511231235959Z",
			       extensions, count);
}

static void test_letters(void **state)
{
	(void)state;
	assert_int_equal(dcc_kind_letter(DCC_VACCINATION), 'v');
	assert_int_equal(dcc_kind_letter(DCC_TEST), 't');
	assert_int_equal(dcc_kind_letter(DCC_RECOVERY), 'r');
	assert_int_equal(dcc_kind_letter(DCC_KINDS), '?');
}

static void test_plain(void **state)
{
	const struct pki_der der = certificate(NULL, 0);
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct dsc dsc;

	(void)state;
	assert_int_equal(dsc_read(pki_span(&der), &dsc), SG_OK);
	SHA256(der.p, der.n, hash);
	assert_memory_equal(dsc.kid, hash, COSE_KID_BYTES);
	assert_true(dsc.not_before == 1609556645);
	assert_true(dsc.not_after == 2587679999);
	assert_int_equal(dsc.kinds, DCC_ALL_KINDS);
	assert_true(dsc.digital_signature);
	assert_int_equal(dsc.alg, COSE_ES256);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *usage;
		unsigned kinds;
	} cases[] = {
		{"1.3.6.1.4.1.1847.2021.1.1", DCC_KIND_BIT(DCC_TEST)},
		{"1.3.6.1.4.1.1847.2021.1.2", DCC_KIND_BIT(DCC_VACCINATION)},
		{"1.3.6.1.4.1.1847.2021.1.3", DCC_KIND_BIT(DCC_RECOVERY)},
		{"1.3.6.1.4.1.0.1847.2021.1.1", DCC_KIND_BIT(DCC_TEST)},
		{"1.3.6.1.4.1.0.1847.2021.1.2", DCC_KIND_BIT(DCC_VACCINATION)},
		{"1.3.6.1.4.1.0.1847.2021.1.3", DCC_KIND_BIT(DCC_RECOVERY)},
		{"clientAuth,1.3.6.1.4.1.1847.2021.1.1,"
		 "1.3.6.1.4.1.0.1847.2021.1.3",
		 DCC_KIND_BIT(DCC_TEST) | DCC_KIND_BIT(DCC_RECOVERY)},
		{"clientAuth", DCC_ALL_KINDS},
		{"1.3.6.1.4.1.1847.2021.1.4", DCC_ALL_KINDS},
		{"1.3.6.1.4.1.1847.2021.1", DCC_ALL_KINDS},
		{"1.3.6.1.4.1.1847.2021.1.1.1", DCC_ALL_KINDS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pki_extension usage = {NID_ext_key_usage,
						    cases[i].usage};
		const struct pki_der der = certificate(&usage, 1);
		struct dsc dsc;

		assert_int_equal(dsc_read(pki_span(&der), &dsc), SG_OK);
		if (dsc.kinds != cases[i].kinds)
			fail_msg("%s: %u", cases[i].usage, dsc.kinds);
	}
}

static void test_key_usage(void **state)
{
	static const struct {
		const char *usage;
		bool want;
	} cases[] = {{"digitalSignature", true},
		     {"critical,digitalSignature,keyCertSign", true},
		     {"keyCertSign", false},
		     {"critical,decipherOnly", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pki_extension usage = {NID_key_usage,
						    cases[i].usage};
		const struct pki_der der = certificate(&usage, 1);
		struct dsc dsc;

		assert_int_equal(dsc_read(pki_span(&der), &dsc), SG_OK);
		assert_true(dsc.digital_signature == cases[i].want);
	}
}

/* An extension that comes twice says nothing that can be relied upon. */
static void test_twice(void **state)
{
	static const struct pki_extension usages[] = {
		{NID_ext_key_usage, "1.3.6.1.4.1.1847.2021.1.1"},
		{NID_ext_key_usage, "1.3.6.1.4.1.1847.2021.1.2"},
		{NID_key_usage, "digitalSignature"},
		{NID_key_usage, "keyCertSign"}};
	struct pki_der der = certificate(usages, 2);
	struct dsc dsc;

	(void)state;
	assert_int_equal(dsc_read(pki_span(&der), &dsc), SG_MALFORMED);
	der = certificate(usages + 2, 2);
	assert_int_equal(dsc_read(pki_span(&der), &dsc), SG_MALFORMED);
}

static void test_algorithms(void **state)
{
	static const struct {
		const char *type;
		enum cose_alg want;
	} cases[] = {{"ED25519", COSE_EDDSA}, {"RSA", COSE_PS256}};
	EVP_PKEY *p384 = EVP_EC_gen("P-384");
	struct pki_der der = pki_certificate(p384, "210101000000Z",
					     "220101000000Z", NULL, 0);
	struct dsc dsc;

	(void)state;
	assert_int_equal(dsc_read(pki_span(&der), &dsc), SG_OK);
	assert_int_equal(dsc.alg, COSE_NONE);
	EVP_PKEY_free(p384);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, cases[i].type,
						    (size_t)2048);

		assert_non_null(other);
		der = pki_certificate(other, "210101000000Z", "220101000000Z",
				      NULL, 0);
		assert_int_equal(dsc_read(pki_span(&der), &dsc), SG_OK);
		assert_int_equal(dsc.alg, cases[i].want);
		EVP_PKEY_free(other);
	}
}

static void test_malformed(void **state)
{
	struct pki_der der = certificate(NULL, 0);
	struct dsc dsc = {.kinds = 99};

	(void)state;
	for (size_t n = 0; n < der.n; n++)
		assert_int_equal(dsc_read(span_of(der.p, n), &dsc),
				 SG_MALFORMED);
	der.n++;
	assert_int_equal(dsc_read(pki_span(&der), &dsc), SG_MALFORMED);
	assert_int_equal(dsc.kinds, 99);
	assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_key_usage),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
