/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/signed_request.h"

#include "base/hex.h"
#include "hcert/cbor.h"
#include "request.h"
#include "signing_client.h"

static const struct signed_purpose ISSUE = {
	.operation = {(const uint8_t *)"issue", 5},
	.audience = {(const uint8_t *)"ledger.test", 11}};
static const uint8_t KID[VERIFIER_KID_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};

static void test_round(void **state)
{
	uint8_t prot[SIGNED_REQUEST_PROTECTED_MAX];
	struct signed_request s;
	struct detached d;
	size_t n;

	(void)state;
	assert_int_equal(
		signed_request_protected(COSE_ES256, KID, -5, prot, &n), SG_OK);
	d = detached_of(span_of(prot, n), SPAN_LIT("sig"));
	assert_int_equal(signed_request_decode(detached_span(&d), &s), SG_OK);
	assert_int_equal(s.alg, COSE_ES256);
	assert_int_equal(s.time, -5);
	assert_true(span_eq(s.kid, span_of(KID, sizeof(KID))));
	assert_true(span_is(s.signature, "sig"));
	assert_true(span_eq(s.prot, span_of(prot, n)));
	/* cut short anywhere, or with more behind it, it is none */
	for (size_t cut = 0; cut < d.n; cut++)
		assert_int_equal(
			signed_request_decode(span_of(d.bytes, cut), &s),
			SG_MALFORMED);
	d.bytes[d.n++] = 0;
	assert_int_equal(signed_request_decode(detached_span(&d), &s),
			 SG_MALFORMED);
}

/* The protected header in HEX is refused. */
static void expect_refused(const char *hex)
{
	uint8_t prot[SIGNED_REQUEST_PROTECTED_MAX];
	const size_t n = strlen(hex) / 2;
	struct signed_request s;
	struct detached d;

	assert_true(hex_decode(hex, prot, n));
	d = detached_of(span_of(prot, n), SPAN_LIT("sig"));
	assert_int_equal(signed_request_decode(detached_span(&d), &s),
			 SG_MALFORMED);
}

static void test_headers(void **state)
{
	(void)state;
	expect_refused("a0");
	/* no time; no kid; no algorithm */
	expect_refused("a2012604480102030405060708");
	expect_refused("a201260fa10601");
	expect_refused("a20448010203040506070"
		       "80fa10601");
	/* one too many, and two times */
	expect_refused("a40126044801020304050607080fa106011001");
	expect_refused("a30126044801020304050607080fa206010701");
	/* a kid too short, an algorithm that is none, a time that is text */
	expect_refused("a301260447010203040506070fa10601");
	expect_refused("a3010104480102030405060708"
		       "0fa10601");
	expect_refused("a30126044801020304050607080fa1066131");
	/* not in order, not shortest */
	expect_refused("a30448010203040506070801260fa10601");
	expect_refused("a301380604480102030405060708"
		       "0fa10601");
}

/* Each part of what is signed makes another text of it. */
static void test_tbs(void **state)
{
	struct signed_purpose other = ISSUE;
	uint8_t a[600];
	uint8_t b[600];
	char audience[SIGNED_REQUEST_AUDIENCE_MAX + 1];
	const struct span prot = SPAN_LIT("\xa0");
	const struct span request = SPAN_LIT("\xa1\x61\x61\x01");
	size_t n;
	size_t m;

	(void)state;
	assert_int_equal(
		signed_request_tbs(prot, &ISSUE, request, a, sizeof(a), &n),
		SG_OK);
	assert_true(n <= request.n + SIGNED_REQUEST_FRAME_MAX);
	other.operation = SPAN_LIT("renew");
	assert_int_equal(
		signed_request_tbs(prot, &other, request, b, sizeof(b), &m),
		SG_OK);
	assert_int_equal(n, m);
	assert_memory_not_equal(a, b, n);
	other = ISSUE;
	other.audience = SPAN_LIT("ledger.tesT");
	assert_int_equal(
		signed_request_tbs(prot, &other, request, b, sizeof(b), &m),
		SG_OK);
	assert_memory_not_equal(a, b, n);
	/* What is one text in two must not be the same as in one. */
	other.operation = SPAN_LIT("issueledger");
	other.audience = SPAN_LIT(".test");
	assert_int_equal(
		signed_request_tbs(prot, &other, request, b, sizeof(b), &m),
		SG_OK);
	assert_true(m != n || memcmp(a, b, n) != 0);
	assert_int_equal(
		signed_request_tbs(prot, &ISSUE, request, a, n - 1, &m),
		SG_TOO_BIG);
	assert_int_equal(m, n);
	memset(audience, 'a', sizeof(audience));
	other.audience = span_of(audience, sizeof(audience));
	assert_int_equal(
		signed_request_tbs(prot, &other, request, b, sizeof(b), &m),
		SG_MALFORMED);
	other.audience.n--;
	assert_int_equal(
		signed_request_tbs(prot, &other, request, b, sizeof(b), &m),
		SG_OK);
	assert_true(m <= request.n + SIGNED_REQUEST_FRAME_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_tbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
