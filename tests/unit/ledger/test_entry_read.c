/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "hcert/cbor.h"
#include "ledger/entry.h"

static uint8_t signature[COSE_SIG_MAX];
static const uint8_t POLICY[32] = {0xaa, 0xbb};
static const uint8_t ATTESTATION[32] = {0xcc};
static struct entry e; /* large */

static struct entry_certificate facts(enum cose_alg alg, size_t sig_n)
{
	for (size_t i = 0; i < sizeof(signature); i++)
		signature[i] = (uint8_t)(i * 3);
	return (struct entry_certificate){
		.client = SPAN_LIT("issuer"),
		.kid = {1, 2, 3, 4, 5, 6, 7, 8},
		.alg = alg,
		.kind = DCC_TEST,
		.signature = span_of(signature, sig_n),
		.uvci = SPAN_LIT("URN:UVCI:01:VN:1"),
		.sig_structure = SPAN_LIT("to be signed"),
		.iat = -1700000000,
		.exp = 1731536000,
		.policy_hash = POLICY,
		.attestation = alg == COSE_PS256 ? ATTESTATION : NULL};
}

static void check_certificate(enum cose_alg alg, size_t sig_n)
{
	const struct entry_certificate c = facts(alg, sig_n);
	uint8_t out[512];
	size_t n;

	assert_int_equal(entry_encode_certificate(ENTRY_RENEWED, -3, &c, out,
						  sizeof(out), &n),
			 SG_OK);
	assert_int_equal(entry_decode(span_of(out, n), &e), SG_OK);
	assert_int_equal(e.type, ENTRY_RENEWED);
	assert_int_equal(e.time_ms, -3);
	assert_true(span_is(e.client, "issuer"));
	assert_memory_equal(e.kid, c.kid, sizeof(c.kid));
	assert_int_equal(e.alg, alg);
	assert_int_equal(e.kind, DCC_TEST);
	assert_int_equal(e.iat, -1700000000);
	assert_int_equal(e.exp, 1731536000);
	assert_memory_equal(e.policy_hash, POLICY, 32);
	if (c.attestation == NULL)
		assert_null(e.attestation);
	else
		assert_memory_equal(e.attestation, ATTESTATION, 32);
	assert_int_equal(e.operation.n, 0);
	assert_int_equal(e.refused.n, 0);
	assert_int_equal(
		entry_matches(&e, c.signature, c.uvci, c.sig_structure), SG_OK);
	/* Cut anywhere, or with a byte too many, it is none. */
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(entry_decode(span_of(out, cut), &e),
				 SG_MALFORMED);
	out[n] = 0;
	assert_int_equal(entry_decode(span_of(out, n + 1), &e), SG_MALFORMED);
}

static void test_certificate(void **state)
{
	(void)state;
	check_certificate(COSE_ES256, 64);
	check_certificate(COSE_EDDSA, 64);
	check_certificate(COSE_PS256, 512);
}

static void test_matches(void **state)
{
	const struct entry_certificate c = facts(COSE_ES256, 64);
	const struct span other = SPAN_LIT("another");
	uint8_t out[512];
	size_t n;

	(void)state;
	assert_int_equal(entry_encode_certificate(ENTRY_ISSUED, 1, &c, out,
						  sizeof(out), &n),
			 SG_OK);
	assert_int_equal(entry_decode(span_of(out, n), &e), SG_OK);
	assert_int_equal(entry_matches(&e, c.signature, other, c.sig_structure),
			 SG_BAD_SIGNATURE);
	assert_int_equal(entry_matches(&e, c.signature, c.uvci, other),
			 SG_BAD_SIGNATURE);
	assert_int_equal(entry_matches(&e, span_of(signature, 63), c.uvci,
				       c.sig_structure),
			 SG_BAD_SIGNATURE);
	signature[0] ^= 1;
	assert_int_equal(
		entry_matches(&e, c.signature, c.uvci, c.sig_structure),
		SG_BAD_SIGNATURE);
	signature[0] ^= 1;
	assert_int_equal(
		entry_matches(&e, c.signature, c.uvci, c.sig_structure), SG_OK);
	assert_int_equal(
		entry_encode_run(ENTRY_STARTED, 1, out, sizeof(out), &n),
		SG_OK);
	assert_int_equal(entry_decode(span_of(out, n), &e), SG_OK);
	assert_int_equal(
		entry_matches(&e, c.signature, c.uvci, c.sig_structure),
		SG_BAD_SIGNATURE);
}

static void test_others(void **state)
{
	static struct entry_refused r = {.client = SPAN_LIT("clinic"),
					 .from_ms = 100,
					 .records = 9,
					 .n = 2};
	uint8_t out[128];
	size_t n;

	(void)state;
	r.code[0].code = SPAN_LIT("b");
	r.code[0].count = 2;
	r.code[1].code = SPAN_LIT("aa");
	r.code[1].count = 300;
	assert_int_equal(entry_encode_refused(500, &r, out, sizeof(out), &n),
			 SG_OK);
	assert_int_equal(entry_decode(span_of(out, n), &e), SG_OK);
	assert_int_equal(e.type, ENTRY_REFUSED);
	assert_true(span_is(e.client, "clinic"));
	assert_true(span_is(e.refused.client, "clinic"));
	assert_int_equal(e.refused.from_ms, 100);
	assert_int_equal(e.refused.records, 9);
	assert_int_equal(e.refused.n, 2);
	assert_true(span_is(e.refused.code[1].code, "aa"));
	assert_int_equal(e.refused.code[1].count, 300);
	assert_int_equal(entry_encode_policy(5, POLICY, out, sizeof(out), &n),
			 SG_OK);
	assert_int_equal(entry_decode(span_of(out, n), &e), SG_OK);
	assert_int_equal(e.type, ENTRY_POLICY);
	assert_memory_equal(e.policy_hash, POLICY, 32);
	assert_int_equal(e.refused.n, 0);
	assert_int_equal(
		entry_encode_ceremony(
			5,
			&(struct entry_ceremony){.operation = SPAN_LIT("op")},
			out, sizeof(out), &n),
		SG_OK);
	assert_int_equal(entry_decode(span_of(out, n), &e), SG_OK);
	assert_int_equal(e.type, ENTRY_CEREMONY);
	assert_true(span_is(e.operation, "op"));
	assert_int_equal(e.refusal.n, 0);
	assert_int_equal(
		entry_encode_ceremony(5,
				      &(struct entry_ceremony){
					      .operation = SPAN_LIT("op"),
					      .refusal = SPAN_LIT("too late")},
				      out, sizeof(out), &n),
		SG_OK);
	assert_null(e.outcome);
	assert_true(span_is(span_of(out, n), "\xa4\x01\x08\x02\x05\x12\x42"
					     "op\x17\x68too late"));
	assert_int_equal(entry_decode(span_of(out, n), &e), SG_OK);
	assert_true(span_is(e.operation, "op"));
	assert_true(span_is(e.refusal, "too late"));
	assert_int_equal(
		entry_decode(SPAN_LIT("\xa4\x01\x08\x02\x05\x12\x40\x17\x60"),
			     &e),
		SG_MALFORMED);
	assert_int_equal(entry_encode_revocation(6, SPAN_LIT("note"), out,
						 sizeof(out), &n),
			 SG_OK);
	assert_true(span_is(span_of(out, n), "\xa3\x01\x09\x02\x06\x12\x44"
					     "note"));
	assert_int_equal(entry_decode(span_of(out, n), &e), SG_OK);
	assert_int_equal(e.type, ENTRY_REVOCATION);
	assert_true(span_is(e.operation, "note"));
	assert_int_equal(entry_decode(SPAN_LIT("\xa2\x01\x09\x02\x06"), &e),
			 SG_MALFORMED);
}

static void check_key_event(const struct entry_key_event *k)
{
	uint8_t out[128];
	size_t n;

	assert_int_equal(entry_encode_key_event(7, k, out, sizeof(out), &n),
			 SG_OK);
	assert_int_equal(entry_decode(span_of(out, n), &e), SG_OK);
	assert_int_equal(e.type, ENTRY_KEY_EVENT);
	assert_int_equal(e.time_ms, 7);
	assert_true(span_eq(e.label, k->label));
	assert_true(span_eq(e.state, k->state));
	assert_int_equal(e.kid == NULL, k->kid == NULL);
	if (k->kid != NULL)
		assert_memory_equal(e.kid, k->kid, COSE_KID_BYTES);
	assert_int_equal(e.operation_hash == NULL, k->operation == NULL);
	if (k->operation != NULL)
		assert_memory_equal(e.operation_hash, k->operation,
				    ENTRY_HASH_BYTES);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(entry_decode(span_of(out, cut), &e),
				 SG_MALFORMED);
}

static void test_key_event(void **state)
{
	static const uint8_t kid[COSE_KID_BYTES] = {9};
	struct entry_key_event k = {.label = SPAN_LIT("dsc-7"),
				    .state = SPAN_LIT("active")};
	char text[ENTRY_NAME_MAX + 1];
	uint8_t out[512];
	size_t n;

	(void)state;
	check_key_event(&k);
	k.operation = POLICY;
	check_key_event(&k);
	k.kid = kid;
	check_key_event(&k);
	k.operation = NULL;
	check_key_event(&k);
	memset(text, 'x', sizeof(text));
	k.label = span_of(text, ENTRY_NAME_MAX);
	assert_int_equal(entry_encode_key_event(7, &k, out, sizeof(out), &n),
			 SG_OK);
	k.label.n++;
	assert_int_equal(entry_encode_key_event(7, &k, out, sizeof(out), &n),
			 SG_TOO_BIG);
	k.label.n = 0;
	assert_int_equal(entry_encode_key_event(7, &k, out, sizeof(out), &n),
			 SG_MALFORMED);
	k.label.n = 1;
	k.state = span_of(text, ENTRY_STATE_MAX + 1);
	assert_int_equal(entry_encode_key_event(7, &k, out, sizeof(out), &n),
			 SG_TOO_BIG);
	k.state.n = 0;
	assert_int_equal(entry_encode_key_event(7, &k, out, sizeof(out), &n),
			 SG_MALFORMED);
}

static enum sg_err decode(const char *hex_free, size_t n)
{
	return entry_decode(span_of(hex_free, n), &e);
}
#define DECODE(s) decode(s, sizeof(s) - 1)

static void test_strict(void **state)
{
	static uint8_t big[ENTRY_BYTES_MAX + 1];

	(void)state;
	assert_int_equal(DECODE("\xa2\x01\x06\x02\x07"), SG_OK);
	assert_int_equal(DECODE("\xa2\x01\x06\x02\x18\x07"), SG_MALFORMED);
	assert_int_equal(DECODE("\xa2\x02\x07\x01\x06"), SG_MALFORMED);
	assert_int_equal(DECODE("\xa2\x01\x06\x01\x06"), SG_DUPLICATE_KEY);
	assert_int_equal(DECODE("\xa1\x01\x06"), SG_MALFORMED);
	assert_int_equal(DECODE("\xa3\x01\x06\x02\x07\x03\x61x"), SG_MALFORMED);
	assert_int_equal(DECODE("\xa2\x01\x00\x02\x07"), SG_MALFORMED);
	assert_int_equal(DECODE("\xa2\x01\x0a\x02\x07"), SG_MALFORMED);
	assert_int_equal(DECODE("\x82\x01\x06"), SG_MALFORMED);
	/* A key event: whole, without a state, its hash before its kid. */
	assert_int_equal(DECODE("\xa4\x01\x04\x02\x07\x13\x61k\x14\x61s"),
			 SG_OK);
	assert_int_equal(DECODE("\xa4\x01\x04\x02\x07\x13\x61k\x14\x60"),
			 SG_MALFORMED);
	assert_int_equal(DECODE("\xa3\x01\x04\x02\x07\x13\x61k"), SG_MALFORMED);
	assert_int_equal(DECODE("\xa2\x01\x04\x02\x07"), SG_MALFORMED);
	assert_int_equal(
		DECODE("\xa5\x01\x04\x02\x07\x13\x61k\x14\x61s\x15\x41k"),
		SG_MALFORMED);
	assert_int_equal(
		DECODE("\xa5\x01\x04\x02\x07\x13\x61k\x14\x61s\x17\x61k"),
		SG_MALFORMED);
	/* Codes: twice, and out of order. */
	assert_int_equal(
		DECODE("\xa6\x01\x03\x02\x01\x03\x61\x63\x0f\x01\x10\xa2\x61"
		       "\x61\x01\x61\x61\x01\x11\x01"),
		SG_DUPLICATE_KEY);
	assert_int_equal(
		DECODE("\xa6\x01\x03\x02\x01\x03\x61\x63\x0f\x01\x10\xa2\x61"
		       "\x62\x01\x61\x61\x01\x11\x01"),
		SG_MALFORMED);
	assert_int_equal(
		DECODE("\xa6\x01\x03\x02\x01\x03\x61\x63\x0f\x01\x10\xa2\x61"
		       "\x61\x01\x61\x62\x01\x11\x01"),
		SG_OK);
	assert_int_equal(entry_decode(span_of(big, sizeof(big)), &e),
			 SG_TOO_BIG);
}

/* A thread's hashing context is its own, and ends with it. */
static void *encode_much(void *ctx)
{
	const struct entry_certificate *c = ctx;
	static _Thread_local struct entry mine;
	uint8_t out[512];
	size_t n;

	for (int i = 0; i < 200; i++)
		if (entry_encode_certificate(ENTRY_ISSUED, i, c, out,
					     sizeof(out), &n) != SG_OK ||
		    entry_decode(span_of(out, n), &mine) != SG_OK ||
		    entry_matches(&mine, c->signature, c->uvci,
				  c->sig_structure) != SG_OK)
			return NULL;
	return ctx;
}

static void test_threads(void **state)
{
	struct entry_certificate c = facts(COSE_ES256, 64);
	pthread_t t[4];
	void *ok;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, encode_much, &c),
				 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(t[i], &ok), 0);
		assert_ptr_equal(ok, &c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_key_event),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
