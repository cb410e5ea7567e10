/* SPDX-License-Identifier: Apache-2.0 */
/* Each encoding, against OpenSSL's own of the same key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "pkcs11/spki.h"
#include "pkcs11/unconst.h"

static void expect(EVP_PKEY *pkey, enum sg_err e, struct span got)
{
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(pkey, &der);

	assert_int_equal(e, SG_OK);
	assert_true(n > 0);
	assert_int_equal(got.n, n);
	assert_memory_equal(got.p, der, got.n);
	OPENSSL_free(der);
	OPENSSL_free(unconst(got.p));
}

static void test_p256(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	uint8_t wrapped[2 + 65] = {0x04, 65};
	struct span got = {NULL, 0};
	enum sg_err e;
	size_t n;

	(void)state;
	assert_int_equal(
		EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
						wrapped + 2, 65, &n),
		1);
	e = spki_p256(span_of(wrapped, sizeof(wrapped)), &got);
	expect(pkey, e, got);
	e = spki_p256(span_of(wrapped + 2, 65), &got);
	expect(pkey, e, got);
	assert_int_equal(spki_p256(span_of(wrapped, 66), &got), SG_BAD_KEY);
	assert_int_equal(spki_p256(span_of(NULL, 0), &got), SG_BAD_KEY);
	wrapped[10] ^= 1; /* off the curve */
	assert_int_equal(spki_p256(span_of(wrapped, sizeof(wrapped)), &got),
			 SG_BAD_KEY);
	wrapped[10] ^= 1;
	wrapped[2] = 0x03; /* compressed, yet long */
	assert_int_equal(spki_p256(span_of(wrapped, sizeof(wrapped)), &got),
			 SG_BAD_KEY);
	EVP_PKEY_free(pkey);
}

static void test_ed25519(void **state)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t wrapped[2 + 32] = {0x04, 32};
	struct span got = {NULL, 0};
	size_t n = 32;
	enum sg_err e;

	(void)state;
	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, wrapped + 2, &n), 1);
	e = spki_ed25519(span_of(wrapped, sizeof(wrapped)), &got);
	expect(pkey, e, got);
	e = spki_ed25519(span_of(wrapped + 2, 32), &got);
	expect(pkey, e, got);
	assert_int_equal(spki_ed25519(span_of(wrapped, 33), &got), SG_BAD_KEY);
	EVP_PKEY_free(pkey);
}

static void test_rsa(void **state)
{
	EVP_PKEY *pkey = EVP_RSA_gen(2048);
	uint8_t modulus[257] = {0};
	static const uint8_t f4[] = {1, 0, 1};
	struct span got = {NULL, 0};
	BIGNUM *n = NULL;
	enum sg_err e;

	(void)state;
	assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n),
			 1);
	assert_int_equal(BN_bn2binpad(n, modulus, 257), 257);
	e = spki_rsa(span_of(modulus, 257), span_of(f4, 3), &got);
	expect(pkey, e, got); /* with a zero byte before it */
	e = spki_rsa(span_of(modulus + 1, 256), span_of(f4, 3), &got);
	expect(pkey, e, got);
	assert_int_equal(spki_rsa(span_of(NULL, 0), span_of(f4, 3), &got),
			 SG_BAD_KEY);
	assert_int_equal(
		spki_rsa(span_of(modulus, 257), span_of(NULL, 0), &got),
		SG_BAD_KEY);
	BN_free(n);
	EVP_PKEY_free(pkey);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_p256),
		cmocka_unit_test(test_ed25519),
		cmocka_unit_test(test_rsa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
