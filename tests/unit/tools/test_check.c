/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "../hcert/pki.h"
#include "base/fileio.h"
#include "hcert/hc1.h"
#include "tools/common/check.h"

enum { IAT = 1700000000, EXP = 1700001000 };

/* A signer: a key, its certificate, and the set that holds it. */
struct signer {
	EVP_PKEY *key;
	struct pki_der certificate;
	struct dsc dsc;
};

/* What to put together; the tests change one thing at a time. */
struct recipe {
	const struct signer *signer;
	const uint8_t *kid; /* NULL: the signer's own */
	enum cose_alg alg;
	struct cwt_claims claims;
	uint32_t nbf; /* 0: none */
	bool spoil;   /* the signature */
};

static struct signer vaccines; /* its certificate is for vaccinations only */
static struct signer all;      /* for all, but without digitalSignature */
static struct checker *checker;
static struct deflate *deflate;
static struct keyset set;
static char text[HC1_TEXT_MAX];
static size_t text_n;

/* {"v": [{}]} and {"t": [{}]} */
static const struct span V = {(const uint8_t *)"\xa1\x61v\x81\xa0", 5};
static const struct span T = {(const uint8_t *)"\xa1\x61t\x81\xa0", 5};

static void make_signer(struct signer *s, const struct pki_extension *e,
			size_t n)
{
	s->key = EVP_EC_gen("P-256");
	assert_non_null(s->key);
	s->certificate = pki_certificate(s->key, "20230101000000Z",
					 "20240101000000Z", e, n);
	assert_int_equal(dsc_read(pki_span(&s->certificate), &s->dsc), SG_OK);
}

static int setup(void **state)
{
	static const struct pki_extension only_v[] = {
		{NID_key_usage, "critical,digitalSignature"},
		{NID_ext_key_usage, "1.3.6.1.4.1.1847.2021.1.2"},
	};
	static const struct pki_extension no_signature[] = {
		{NID_key_usage, "critical,keyCertSign"},
	};

	(void)state;
	make_signer(&vaccines, only_v, 2);
	make_signer(&all, no_signature, 1);
	assert_int_equal(checker_create(&checker), SG_OK);
	assert_int_equal(deflate_create(&deflate), SG_OK);
	assert_int_equal(keyset_add(&set, pki_span(&all.certificate), "all"),
			 SG_OK);
	assert_int_equal(
		keyset_add(&set, pki_span(&vaccines.certificate), "vaccines"),
		SG_OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(vaccines.key);
	EVP_PKEY_free(all.key);
	keyset_clear(&set);
	checker_free(checker);
	deflate_free(deflate);
	return 0;
}

static struct recipe good(void)
{
	return (struct recipe){
		.signer = &vaccines,
		.alg = COSE_ES256,
		.claims = {.iss = SPAN_LIT("VN"),
			   .has_iat = true,
			   .has_exp = true,
			   .iat = IAT,
			   .exp = EXP,
			   .dcc = V},
	};
}

static void wrap(struct span cose)
{
	assert_int_equal(hc1_encode(deflate, cose, text, sizeof(text), &text_n),
			 SG_OK);
}

/* R as an HC1 text in TEXT. */
static void cook(const struct recipe *r)
{
	const uint8_t *kid = r->kid != NULL ? r->kid : r->signer->dsc.kid;
	uint8_t prot[COSE_PROTECTED_MAX];
	uint8_t payload[256];
	uint8_t tbs[512];
	uint8_t der[PKI_DER_MAX];
	uint8_t rs[64];
	uint8_t cose[1024];
	size_t nprot;
	size_t npayload;
	size_t n;

	assert_int_equal(
		cose_protected(r->alg, kid, prot, sizeof(prot), &nprot), SG_OK);
	assert_int_equal(
		cwt_encode(&r->claims, payload, sizeof(payload), &npayload),
		SG_OK);
	if (r->nbf != 0) { /* one more pair, which we never write */
		payload[0]++;
		payload[npayload++] = CWT_NBF;
		payload[npayload++] = 0x1a;
		for (int shift = 24; shift >= 0; shift -= 8)
			payload[npayload++] = (uint8_t)(r->nbf >> shift);
	}
	assert_int_equal(cose_sig_structure(span_of(prot, nprot),
					    span_of(NULL, 0),
					    span_of(payload, npayload), tbs,
					    sizeof(tbs), &n),
			 SG_OK);
	n = pki_sign(r->signer->key, span_of(tbs, n), 0, 0, der);
	pki_raw_ecdsa(der, n, rs);
	rs[63] ^= r->spoil ? 1 : 0;
	assert_int_equal(cose_sign1_encode(span_of(prot, nprot),
					   span_of(payload, npayload),
					   span_of(rs, sizeof(rs)), cose,
					   sizeof(cose), &n),
			 SG_OK);
	wrap(span_of(cose, n));
}

/* The steps that fail, as a set; its first one is what is named. */
static unsigned failures(int64_t at)
{
	struct check c;
	const bool ok =
		checker_run(checker, span_of(text, text_n), &set, at, &c);

	assert_int_equal(ok, c.failures == 0);
	assert_int_equal(ok, c.failed == CHECK_STEPS);
	if (!ok) {
		assert_int_equal(c.failures & (CHECK_BIT(c.failed) - 1), 0);
		assert_true(c.detail[c.failed][0] != '\0');
	}
	return c.failures;
}

static void test_genuine(void **state)
{
	const struct recipe r = good();
	struct check c;

	(void)state;
	cook(&r);
	assert_true(
		checker_run(checker, span_of(text, text_n), &set, IAT + 1, &c));
	assert_string_equal(c.key->name, "vaccines");
	assert_int_equal(c.kinds, DCC_KIND_BIT(DCC_VACCINATION));
	assert_int_equal(c.claims.exp, EXP);
	assert_true(span_is(c.claims.iss, "VN"));
	assert_string_equal(c.warning, "");
	/* Whoever holds no other clock: the first and the last second. */
	assert_int_equal(failures(IAT), 0);
	assert_int_equal(failures(EXP), 0);
}

static void test_expiry(void **state)
{
	struct recipe r = good();

	(void)state;
	cook(&r);
	assert_int_equal(failures(IAT - 1), CHECK_BIT(CHECK_EXPIRY));
	assert_int_equal(failures(EXP + 1), CHECK_BIT(CHECK_EXPIRY));
}

static void test_signature(void **state)
{
	static const uint8_t stranger[COSE_KID_BYTES] = {1};
	struct recipe r = good();

	(void)state;
	r.spoil = true;
	cook(&r);
	assert_int_equal(failures(IAT), CHECK_BIT(CHECK_SIGNATURE));
	/* Somebody else's key under this signer's id. */
	r = good();
	r.kid = all.dsc.kid;
	cook(&r);
	assert_int_equal(failures(IAT), CHECK_BIT(CHECK_SIGNATURE) |
						CHECK_BIT(CHECK_KEY_USAGE));
	r.kid = stranger;
	cook(&r);
	assert_int_equal(failures(IAT), CHECK_BIT(CHECK_SIGNATURE));
	/* An algorithm that the key is not for. */
	r = good();
	r.alg = COSE_PS256;
	cook(&r);
	assert_int_equal(failures(IAT), CHECK_BIT(CHECK_SIGNATURE));
}

static void test_key_usage(void **state)
{
	struct recipe r = good();

	(void)state;
	r.claims.dcc = T;
	cook(&r);
	assert_int_equal(failures(IAT), CHECK_BIT(CHECK_KEY_USAGE));
	assert_int_equal(failures(EXP + 1),
			 CHECK_BIT(CHECK_EXPIRY) | CHECK_BIT(CHECK_KEY_USAGE));
	r = good();
	r.signer = &all;
	cook(&r);
	assert_int_equal(failures(IAT), CHECK_BIT(CHECK_KEY_USAGE));
}

/* Until 2024-01-01: then its signatures say nothing any more. */
static void test_signer_validity(void **state)
{
	enum { FROM = 1672531200, UNTIL = 1704067200 };
	struct recipe r = good();
	struct check c;

	(void)state;
	r.claims.iat = FROM - 10;
	r.claims.exp = 1800000000;
	cook(&r);
	assert_int_equal(failures(FROM), 0);
	assert_int_equal(failures(FROM - 1), CHECK_BIT(CHECK_EXPIRY));
	assert_int_equal(failures(UNTIL), 0);
	assert_int_equal(failures(UNTIL + 1), CHECK_BIT(CHECK_EXPIRY));
	assert_true(
		checker_run(checker, span_of(text, text_n), &set, UNTIL, &c));
	assert_non_null(strstr(c.warning, "2024-01-01T00:00:00Z"));
}

static void test_not_before(void **state)
{
	struct recipe r = good();

	(void)state;
	r.nbf = IAT + 10;
	cook(&r);
	assert_int_equal(failures(IAT + 9), CHECK_BIT(CHECK_EXPIRY));
	assert_int_equal(failures(IAT + 10), 0);
}

static void test_wrapping(void **state)
{
	struct recipe r = good();

	(void)state;
	cook(&r);
	text[2] = '2';
	assert_int_equal(failures(IAT), CHECK_BIT(CHECK_PREFIX));
	text[2] = '1';
	text[10] = 'a';
	assert_int_equal(failures(IAT), CHECK_BIT(CHECK_BASE45));
	text_n = (size_t)snprintf(text, sizeof(text), "HC1:BB8");
	assert_int_equal(failures(IAT), CHECK_BIT(CHECK_COMPRESSION));
}

static void test_decode(void **state)
{
	const unsigned both =
		CHECK_BIT(CHECK_DECODE) | CHECK_BIT(CHECK_SIGNATURE);
	struct recipe r = good();

	(void)state;
	wrap(span_of("\x80", 1));
	assert_int_equal(failures(IAT), both);
	r.claims.dcc = SPAN_LIT("\xa0"); /* neither v, t nor r */
	cook(&r);
	assert_int_equal(failures(IAT), both);
	r = good();
	r.claims.has_exp = false;
	r.claims.exp = 0;
	cook(&r);
	assert_true((failures(IAT) & CHECK_BIT(CHECK_EXPIRY)) != 0);
}

static void write_pem(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(PEM_write(f, PEM_STRING_X509, "", all.certificate.p,
			      (long)all.certificate.n) > 0);
	assert_true(PEM_write(f, PEM_STRING_X509, "", vaccines.certificate.p,
			      (long)vaccines.certificate.n) > 0);
	assert_int_equal(fclose(f), 0);
}

static void test_keyset(void **state)
{
	char dir[] = "/tmp/test_check.XXXXXX";
	char path[64];
	char why[200];
	struct keyset k = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(keyset_load(&k, dir, why, sizeof(why)), SG_NOT_FOUND);
	(void)snprintf(path, sizeof(path), "%s/a.pem", dir);
	write_pem(path);
	assert_int_equal(keyset_load(&k, path, why, sizeof(why)), SG_OK);
	assert_int_equal(k.n, 2);
	assert_int_equal(keyset_load(&k, dir, why, sizeof(why)), SG_OK);
	assert_int_equal(k.n, 4);
	assert_int_equal(fileio_replace(path, SPAN_LIT("hello"), 0600), SG_OK);
	assert_int_equal(keyset_load(&k, dir, why, sizeof(why)), SG_MALFORMED);
	assert_non_null(strstr(why, "a.pem"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(keyset_load(&k, path, why, sizeof(why)), SG_IO);
	assert_int_equal(rmdir(dir), 0);
	keyset_clear(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_genuine),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_key_usage),
		cmocka_unit_test(test_signer_validity),
		cmocka_unit_test(test_not_before),
		cmocka_unit_test(test_wrapping),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_keyset),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
