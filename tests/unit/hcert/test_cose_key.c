/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "hcert/cose.h"
#include "pki.h"

static const struct span TBS = {(const uint8_t *)"to be signed", 12};

static EVP_PKEY *p256;
static EVP_PKEY *rsa;
static EVP_PKEY *ed25519;

static int setup(void **state)
{
	(void)state;
	p256 = EVP_EC_gen("P-256");
	rsa = EVP_RSA_gen(2048);
	ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return p256 != NULL && rsa != NULL && ed25519 != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(p256);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ed25519);
	return 0;
}

static struct cose_key *from_spki(EVP_PKEY *pkey)
{
	const struct pki_der spki = pki_spki(pkey);
	struct cose_key *key;

	assert_int_equal(cose_key_from_spki(pki_span(&spki), &key), SG_OK);
	return key;
}

static size_t make_signature(EVP_PKEY *pkey, uint8_t out[PKI_DER_MAX])
{
	uint8_t der[PKI_DER_MAX];
	size_t n = pki_sign(pkey, TBS, RSA_PKCS1_PSS_PADDING, COSE_PS256_SALT,
			    der);

	if (pkey == p256) {
		pki_raw_ecdsa(der, n, out);
		return COSE_ES256_BYTES;
	}
	memcpy(out, der, n);
	return n;
}

/* Good as it is, many times over; bad with any byte of it or of the message
 * changed, with another length, or under another algorithm. */
static void check_algorithm(EVP_PKEY *pkey, enum cose_alg alg, size_t sig_bytes)
{
	struct cose_key *key = from_spki(pkey);
	uint8_t sig[PKI_DER_MAX];
	uint8_t other[12];
	const size_t n = make_signature(pkey, sig);

	assert_int_equal(cose_key_alg(key), alg);
	assert_int_equal(cose_key_sig_bytes(key), sig_bytes);
	assert_int_equal(n, sig_bytes);
	for (size_t i = 0; i < n; i += 5) {
		assert_int_equal(
			cose_key_verify(key, alg, TBS, span_of(sig, n)), SG_OK);
		sig[i] ^= 0x10;
		assert_int_equal(
			cose_key_verify(key, alg, TBS, span_of(sig, n)),
			SG_BAD_SIGNATURE);
		sig[i] ^= 0x10;
	}
	memcpy(other, TBS.p, TBS.n);
	other[3] ^= 1;
	assert_int_equal(cose_key_verify(key, alg, span_of(other, TBS.n),
					 span_of(sig, n)),
			 SG_BAD_SIGNATURE);
	assert_int_equal(cose_key_verify(key, alg, TBS, span_of(sig, n - 1)),
			 SG_BAD_SIGNATURE);
	assert_int_equal(cose_key_verify(key, alg, TBS, span_of(sig, n + 1)),
			 SG_BAD_SIGNATURE);
	assert_int_equal(cose_key_verify(key, alg, TBS, span_of(NULL, 0)),
			 SG_BAD_SIGNATURE);
	assert_int_equal(cose_key_verify(key, COSE_NONE, TBS, span_of(sig, n)),
			 SG_BAD_KEY);
	assert_int_equal(
		cose_key_verify(key,
				alg == COSE_ES256 ? COSE_EDDSA : COSE_ES256,
				TBS, span_of(sig, n)),
		SG_BAD_KEY);
	assert_int_equal(ERR_peek_error(), 0);
	cose_key_free(key);
}

static void test_es256(void **state)
{
	(void)state;
	check_algorithm(p256, COSE_ES256, 64);
}

static void test_ps256(void **state)
{
	(void)state;
	check_algorithm(rsa, COSE_PS256, 256);
}

static void test_eddsa(void **state)
{
	(void)state;
	check_algorithm(ed25519, COSE_EDDSA, 64);
}

/* r and s out of their range, and a signature in DER, are no signatures. */
static void test_es256_forms(void **state)
{
	struct cose_key *key = from_spki(p256);
	uint8_t sig[COSE_ES256_BYTES];
	uint8_t der[PKI_DER_MAX];
	const size_t n = pki_sign(p256, TBS, 0, 0, der);

	(void)state;
	assert_int_equal(cose_key_verify(key, COSE_ES256, TBS, span_of(der, n)),
			 SG_BAD_SIGNATURE);
	for (int fill = 0; fill < 256; fill += 255) {
		memset(sig, fill, sizeof(sig));
		assert_int_equal(cose_key_verify(key, COSE_ES256, TBS,
						 span_of(sig, sizeof(sig))),
				 SG_BAD_SIGNATURE);
		pki_raw_ecdsa(der, n, sig);
		memset(sig, fill, 32);
		assert_int_equal(cose_key_verify(key, COSE_ES256, TBS,
						 span_of(sig, sizeof(sig))),
				 SG_BAD_SIGNATURE);
	}
	cose_key_free(key);
}

/* Signatures whose r or s begins with zero bytes: 1 in 128. */
static void test_es256_short_numbers(void **state)
{
	struct cose_key *key = from_spki(p256);
	int seen = 0;

	(void)state;
	for (int i = 0; i < 4000 && seen < 2; i++) {
		uint8_t der[PKI_DER_MAX];
		uint8_t sig[COSE_ES256_BYTES];
		const size_t n = pki_sign(p256, TBS, 0, 0, der);

		pki_raw_ecdsa(der, n, sig);
		if (sig[0] != 0 && sig[32] != 0)
			continue;
		seen++;
		assert_int_equal(cose_key_verify(key, COSE_ES256, TBS,
						 span_of(sig, sizeof(sig))),
				 SG_OK);
	}
	assert_int_equal(seen, 2);
	cose_key_free(key);
}

/* RFC 8230 s. 2: the salt is as long as the hash, and PSS it must be. */
static void test_ps256_forms(void **state)
{
	struct cose_key *key = from_spki(rsa);
	uint8_t sig[PKI_DER_MAX];
	size_t n;

	(void)state;
	n = pki_sign(rsa, TBS, RSA_PKCS1_PSS_PADDING, 20, sig);
	assert_int_equal(cose_key_verify(key, COSE_PS256, TBS, span_of(sig, n)),
			 SG_BAD_SIGNATURE);
	n = pki_sign(rsa, TBS, RSA_PKCS1_PADDING, 0, sig);
	assert_int_equal(cose_key_verify(key, COSE_PS256, TBS, span_of(sig, n)),
			 SG_BAD_SIGNATURE);
	cose_key_free(key);
}

/* The public half of an RSA key of BITS that nobody has the rest of. */
static EVP_PKEY *rsa_public(int bits)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = BN_new();
	BIGNUM *e = BN_new();
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	assert_int_equal(BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD),
			 1);
	assert_int_equal(BN_set_word(e, 65537), 1);
	assert_int_equal(
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n), 1);
	assert_int_equal(
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e), 1);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return pkey;
}

static void test_rsa_sizes(void **state)
{
	static const struct {
		int bits;
		enum sg_err want;
	} cases[] = {{1024, SG_BAD_KEY}, {2047, SG_BAD_KEY},
		     {2048, SG_OK},	 {3072, SG_OK},
		     {4096, SG_OK},	 {4097, SG_BAD_KEY}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EVP_PKEY *pkey = rsa_public(cases[i].bits);
		const struct pki_der spki = pki_spki(pkey);
		struct cose_key *key;

		assert_int_equal(cose_key_from_spki(pki_span(&spki), &key),
				 cases[i].want);
		assert_true((key != NULL) == (cases[i].want == SG_OK));
		if (key != NULL)
			assert_int_equal(cose_key_sig_bytes(key),
					 cases[i].bits / 8);
		cose_key_free(key);
		EVP_PKEY_free(pkey);
	}
}

static ECDSA_SIG *ecdsa_sign(EVP_PKEY *pkey, const uint8_t *hash, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	uint8_t der[PKI_DER_MAX];
	const uint8_t *p = der;
	size_t der_n = sizeof(der);
	ECDSA_SIG *sig;

	pki_must(EVP_PKEY_sign_init(ctx) == 1);
	pki_must(EVP_PKEY_sign(ctx, der, &der_n, hash, n) == 1);
	EVP_PKEY_CTX_free(ctx);
	sig = d2i_ECDSA_SIG(NULL, &p, (long)der_n);
	pki_must(sig != NULL);
	return sig;
}

static void test_other_keys(void **state)
{
	EVP_PKEY *const keys[] = {
		EVP_EC_gen("P-384"),
		EVP_EC_gen("secp256k1"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED448"),
		EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct pki_der spki = pki_spki(keys[i]);
		struct cose_key *key;

		assert_int_equal(cose_key_from_spki(pki_span(&spki), &key),
				 SG_BAD_KEY);
		assert_null(key);
		EVP_PKEY_free(keys[i]);
	}
	cose_key_free(NULL);
}

/* P-384 is an officer's, and nobody else's. */
static void test_es384(void **state)
{
	EVP_PKEY *p384 = EVP_EC_gen("P-384");
	const struct pki_der spki = pki_spki(p384);
	const struct pki_der der = pki_certificate(p384, "210101000000Z",
						   "310101000000Z", NULL, 0);
	struct cose_key *key;
	uint8_t hash[48];
	uint8_t raw[COSE_ES384_BYTES];
	const BIGNUM *r;
	const BIGNUM *s;
	ECDSA_SIG *sig;

	(void)state;
	assert_int_equal(cose_key_from_spki(pki_span(&spki), &key), SG_BAD_KEY);
	assert_null(key);
	assert_int_equal(cose_key_from_certificate(pki_span(&der), &key),
			 SG_BAD_KEY);
	assert_null(key);
	assert_int_equal(cose_alg_of(SPAN_LIT("ES384")), COSE_NONE);
	assert_string_equal(cose_alg_name(COSE_ES384), "ES384");
	assert_int_equal(cose_key_of_officer(pki_span(&spki), &key), SG_OK);
	assert_int_equal(cose_key_alg(key), COSE_ES384);
	assert_int_equal(cose_key_sig_bytes(key), COSE_ES384_BYTES);
	assert_int_equal(
		EVP_Digest(TBS.p, TBS.n, hash, NULL, EVP_sha384(), NULL), 1);
	sig = ecdsa_sign(p384, hash, sizeof(hash));
	ECDSA_SIG_get0(sig, &r, &s);
	assert_int_equal(BN_bn2binpad(r, raw, 48), 48);
	assert_int_equal(BN_bn2binpad(s, raw + 48, 48), 48);
	ECDSA_SIG_free(sig);
	for (size_t i = 0; i < sizeof(raw); i++) {
		const struct span rs = span_of(raw, sizeof(raw));

		assert_int_equal(cose_key_verify(key, COSE_ES384, TBS, rs),
				 SG_OK);
		assert_int_equal(cose_key_verify(key, COSE_ES256, TBS, rs),
				 SG_BAD_KEY);
		raw[i] ^= 1;
		assert_int_equal(cose_key_verify(key, COSE_ES384, TBS, rs),
				 SG_BAD_SIGNATURE);
		raw[i] ^= 1;
	}
	assert_int_equal(
		cose_key_verify(key, COSE_ES384, TBS, span_of(raw, 64)),
		SG_BAD_SIGNATURE);
	cose_key_free(key);
	EVP_PKEY_free(p384);
}

static void test_certificate(void **state)
{
	const struct pki_der der = pki_certificate(p256, "210101000000Z",
						   "310101000000Z", NULL, 0);
	struct cose_key *key;
	uint8_t sig[PKI_DER_MAX];
	const size_t n = make_signature(p256, sig);

	(void)state;
	assert_int_equal(cose_key_from_certificate(pki_span(&der), &key),
			 SG_OK);
	assert_int_equal(cose_key_verify(key, COSE_ES256, TBS, span_of(sig, n)),
			 SG_OK);
	cose_key_free(key);
	/* A certificate is no SubjectPublicKeyInfo. */
	assert_int_equal(cose_key_from_spki(pki_span(&der), &key),
			 SG_MALFORMED);
	assert_null(key);
}

static void test_malformed(void **state)
{
	struct pki_der spki = pki_spki(p256);
	struct pki_der cert = pki_certificate(p256, "210101000000Z",
					      "310101000000Z", NULL, 0);
	struct cose_key *key;

	(void)state;
	spki.n++;
	cert.n++;
	assert_int_equal(cose_key_from_spki(pki_span(&spki), &key),
			 SG_MALFORMED);
	assert_int_equal(cose_key_from_certificate(pki_span(&cert), &key),
			 SG_MALFORMED);
	for (size_t n = 0; n < spki.n - 1; n++)
		assert_int_equal(cose_key_from_spki(span_of(spki.p, n), &key),
				 SG_MALFORMED);
	for (size_t n = 0; n < cert.n - 1; n += 3)
		assert_int_equal(
			cose_key_from_certificate(span_of(cert.p, n), &key),
			SG_MALFORMED);
	/* A point that is not on the curve. */
	spki.n--;
	spki.p[spki.n - 1] ^= 1;
	assert_int_equal(cose_key_from_spki(pki_span(&spki), &key),
			 SG_MALFORMED);
	assert_null(key);
	assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_es256),
		cmocka_unit_test(test_ps256),
		cmocka_unit_test(test_eddsa),
		cmocka_unit_test(test_es256_forms),
		cmocka_unit_test(test_es256_short_numbers),
		cmocka_unit_test(test_ps256_forms),
		cmocka_unit_test(test_rsa_sizes),
		cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_es384),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
