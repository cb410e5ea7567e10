/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/sigcheck.h"
#include "pki.h"

static const struct span MESSAGE = {(const uint8_t *)"message", 7};

struct bench {
	struct signer signer;
	struct key key;
	struct sigcheck *check;
	uint8_t good[COSE_SIG_MAX], bad[COSE_SIG_MAX];
	size_t n;
};

static void bench_open(struct bench *b, enum cose_alg alg, uint32_t one_in)
{
	static struct core_settings settings;
	uint8_t digest[32];
	struct span tbs = MESSAGE;

	settings.verify_ecdsa_one_in = one_in;
	settings.verify_all_ms = 1000;
	*b = (struct bench){.signer = signer_usual(alg), .key = {.alg = alg}};
	assert_int_equal(cose_key_from_spki(span_of(b->signer.spki,
						    (size_t)b->signer.spki_n),
					    &b->key.verifier),
			 SG_OK);
	assert_int_equal(sigcheck_create(&settings, &b->check), SG_OK);
	assert_int_equal(sigcheck_digest(b->check, MESSAGE, digest), SG_OK);
	if (alg != COSE_EDDSA)
		tbs = span_of(digest, sizeof(digest));
	b->n = signer_sign(&b->signer, tbs, b->good);
	memcpy(b->bad, b->good, b->n);
	b->bad[b->n - 1] ^= 1;
}

static void bench_close(struct bench *b)
{
	sigcheck_free(b->check);
	cose_key_free(b->key.verifier);
	signer_free(&b->signer);
}

static enum sg_err verify(struct bench *b, const uint8_t *sig, size_t n,
			  bool always)
{
	return sigcheck_verify(b->check, &b->key, MESSAGE, span_of(sig, n),
			       always);
}

static void test_digest(void **state)
{
	/* FIPS 180-2 appendix B.1: "abc" */
	static const uint8_t want[4] = {0xba, 0x78, 0x16, 0xbf};
	struct bench b;
	uint8_t out[32];

	(void)state;
	bench_open(&b, COSE_ES256, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sigcheck_digest(b.check, SPAN_LIT("abc"), out),
				 SG_OK);
		assert_memory_equal(out, want, sizeof(want));
	}
	bench_close(&b);
}

/* How many of 100 wrong signatures are found? */
static unsigned found(struct bench *b)
{
	unsigned n = 0;

	for (int i = 0; i < 100; i++)
		n += verify(b, b->bad, b->n, false) != SG_OK;
	return n;
}

static void test_rate(void **state)
{
	static const enum cose_alg algs[] = {COSE_ES256, COSE_EDDSA};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bench b;

		bench_open(&b, algs[i], 20);
		assert_int_equal(found(&b), 5);
		assert_int_equal(verify(&b, b.bad, b.n, true),
				 SG_BAD_SIGNATURE);
		assert_int_equal(verify(&b, b.good, b.n, true), SG_OK);
		assert_int_equal(sigcheck_alarm(b.check, 1000), 1001000);
		/* The length is looked at always. */
		assert_int_equal(verify(&b, b.good, b.n - 1, false),
				 SG_BAD_SIGNATURE);
		assert_int_equal(verify(&b, b.good, 0, false),
				 SG_BAD_SIGNATURE);
		bench_close(&b);
	}
}

static void test_rsa_always(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, COSE_PS256, 1000);
	assert_int_equal(b.n, 256);
	assert_int_equal(found(&b), 100);
	assert_int_equal(verify(&b, b.good, b.n, false), SG_OK);
	bench_close(&b);
}

/* Whatever the rate for others: everybody sees a checkpoint at once. */
static void test_ledger_always(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, COSE_EDDSA, 1000);
	b.key.ledger = true;
	assert_int_equal(found(&b), 100);
	assert_int_equal(verify(&b, b.good, b.n, false), SG_OK);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rsa_always),
		cmocka_unit_test(test_ledger_always),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
