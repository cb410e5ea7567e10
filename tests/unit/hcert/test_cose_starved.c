/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a signature that OpenSSL has no memory to verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <string.h>

#include "hcert/cose.h"
#include "pki.h"
#include "starved.h"

static const struct span TBS = {(const uint8_t *)"to be signed", 12};

/* Verify with each allocation in turn, and all after it, or it alone, refused.
 * WHOLE is what it is with all of them. */
static void starve(struct cose_key *key, enum cose_alg alg, struct span sig,
		   enum sg_err whole, bool once)
{
	unsigned starved_ones = 0;

	for (unsigned n = 0;; n++) {
		enum sg_err err;
		bool all;

		starved_after(n, once);
		err = cose_key_verify(key, alg, TBS, sig);
		all = !starved_was();
		starved_end();
		assert_int_equal(ERR_peek_error(), 0);
		if (all) {
			assert_int_equal(err, whole);
			break;
		}
		/* Some of it OpenSSL can do without. */
		assert_true(err == SG_NO_MEMORY ||
			    (err == SG_OK && whole == SG_OK));
		starved_ones++;
		/* And it is as before once there is memory. */
		assert_int_equal(cose_key_verify(key, alg, TBS, sig), whole);
	}
	assert_in_range(starved_ones, 1, 10000);
}

static void check(EVP_PKEY *pkey, enum cose_alg alg)
{
	const struct pki_der spki = pki_spki(pkey);
	uint8_t der[PKI_DER_MAX];
	uint8_t sig[PKI_DER_MAX];
	struct cose_key *key;
	size_t n;

	assert_non_null(pkey);
	assert_int_equal(cose_key_from_spki(pki_span(&spki), &key), SG_OK);
	n = pki_sign(pkey, TBS, RSA_PKCS1_PSS_PADDING, COSE_PS256_SALT, der);
	if (alg == COSE_ES256) {
		pki_raw_ecdsa(der, n, sig);
		n = COSE_ES256_BYTES;
	} else {
		memcpy(sig, der, n);
	}
	for (int once = 0; once < 2; once++) {
		starve(key, alg, span_of(sig, n), SG_OK, once);
		sig[n / 2] ^= 1;
		starve(key, alg, span_of(sig, n), SG_BAD_SIGNATURE, once);
		sig[n / 2] ^= 1;
	}
	cose_key_free(key);
	EVP_PKEY_free(pkey);
}

static void test_es256(void **state)
{
	(void)state;
	check(EVP_EC_gen("P-256"), COSE_ES256);
}

static void test_ps256(void **state)
{
	(void)state;
	check(EVP_RSA_gen(2048), COSE_PS256);
}

static void test_eddsa(void **state)
{
	(void)state;
	check(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), COSE_EDDSA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_es256),
		cmocka_unit_test(test_ps256),
		cmocka_unit_test(test_eddsa),
	};

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
