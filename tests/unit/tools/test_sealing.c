/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/issuer/sealing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "../policy/gateways.h"
#include "base/hex.h"
#include "policy/gateway.h"

static const uint8_t PERSON[32] = {7};

/* PKEY in PEM; in the passphrase's form where there is one. */
static size_t pem_of(EVP_PKEY *pkey, const char *passphrase, char out[4096])
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	size_t n;

	assert_int_equal(
		PEM_write_bio_PKCS8PrivateKey(
			bio, pkey, passphrase ? EVP_aes_128_cbc() : NULL,
			passphrase, passphrase ? (int)strlen(passphrase) : 0,
			NULL, NULL),
		1);
	n = (size_t)BIO_get_mem_data(bio, &p);
	assert_true(n < 4096);
	memcpy(out, p, n);
	BIO_free(bio);
	return n;
}

/* What is sealed with a key is verified with its public half. */
static void seal_with(enum cose_alg alg)
{
	static struct gate gate;
	struct gateway g = {.keys = {.n = 0}};
	struct attestation_claims claims = gate_claims("U:1", PERSON, 5);
	struct attestation a;
	struct signing_key *key;
	uint8_t out[ATTESTATION_BYTES_MAX];
	char pem[4096];
	size_t n;

	gate = gate_make(alg);
	n = pem_of(gate.pkey, NULL, pem);
	assert_int_equal(signing_key_read(span_of(pem, n), &key), SG_OK);
	assert_memory_equal(signing_key_kid(key), gate.kid, sizeof(gate.kid));
	for (unsigned i = 0; i < 8; i++) { /* leading zeroes of r and s */
		assert_int_equal(sealing_seal(key, &claims, out, &n), SG_OK);
		assert_int_equal(attestation_decode(span_of(out, n), &a),
				 SG_OK);
		if (g.keys.n == 0)
			assert_int_equal(
				verifiers_add(&g.keys, span_str(gate.text)),
				SG_OK);
		assert_ptr_equal(verifiers_find(&g.keys, a.kid),
				 &g.keys.key[0]);
		assert_int_equal(gateway_verify(&g.keys.key[0], &a), SG_OK);
	}
	claims.nonce.n = 15;
	assert_int_equal(sealing_seal(key, &claims, out, &n), SG_MALFORMED);
	signing_key_free(key);
	verifiers_clear(&g.keys);
	gate_free(&gate);
}

static void test_seal(void **state)
{
	(void)state;
	seal_with(COSE_ES256);
	seal_with(COSE_PS256);
	seal_with(COSE_EDDSA);
}

static void test_keys(void **state)
{
	struct gate gate = gate_make(COSE_ES256);
	EVP_PKEY *weak = EVP_RSA_gen(1024);
	struct signing_key *key;
	char pem[4096];
	size_t n;

	(void)state;
	n = pem_of(gate.pkey, "secret", pem); /* nobody is asked for it */
	assert_int_equal(signing_key_read(span_of(pem, n), &key), SG_MALFORMED);
	assert_null(key);
	n = pem_of(weak, NULL, pem);
	assert_int_equal(signing_key_read(span_of(pem, n), &key), SG_BAD_KEY);
	assert_int_equal(signing_key_read(SPAN_LIT(""), &key), SG_MALFORMED);
	EVP_PKEY_free(weak);
	gate_free(&gate);
}

/* RFC 4231 s. 4.7, test case 6 is of a key of 131 bytes. */
static void test_reference(void **state)
{
	uint8_t key[131];
	uint8_t out[SEALING_REFERENCE_BYTES];
	char hex[HEX_TEXT(SEALING_REFERENCE_BYTES)];

	(void)state;
	memset(key, 0xaa, sizeof(key));
	assert_int_equal(
		sealing_reference(span_of(key, sizeof(key)),
				  SPAN_LIT("Test Using Larger Than Block-Size "
					   "Key - Hash Key First"),
				  out),
		SG_OK);
	assert_string_equal(hex_encode(out, sizeof(out), hex),
			    "60e431591ee0b67f0d8a26aacbf5b77f"
			    "8e0bc6213728c5140546040f0ee37f54");
	assert_int_equal(
		sealing_reference(span_of(key, 15), SPAN_LIT("1"), out),
		SG_BAD_KEY);
	assert_int_equal(
		sealing_reference(span_of(key, 16), SPAN_LIT("1"), out), SG_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
