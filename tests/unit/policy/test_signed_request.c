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

static size_t from_hex(const char *hex, uint8_t *out)
{
	const size_t n = strlen(hex) / 2;

	assert_true(hex_decode(hex, out, n));
	return n;
}

/* The example of README.md. */
static void test_example(void **state)
{
	static const struct signed_purpose purpose = {
		.operation = {(const uint8_t *)"issue", 5},
		.audience = {(const uint8_t *)"signerd.example/ledger", 22}};
	static const uint8_t kid[] = {0xa0, 0x50, 0x83, 0x7d,
				      0x85, 0x07, 0x05, 0x82};
	static struct verifiers keys;
	uint8_t prot[SIGNED_REQUEST_PROTECTED_MAX];
	uint8_t want[256];
	uint8_t tbs[256];
	uint8_t request[16];
	const size_t request_n = from_hex("a2626964613163646363a0", request);
	struct cose_sign1 whole;
	size_t n;

	(void)state;
	assert_int_equal(
		signed_request_protected(COSE_EDDSA, kid, 1700000000, prot, &n),
		SG_OK);
	assert_int_equal(
		n,
		from_hex("a301270448a050837d850705820fa1061a6553f100", want));
	assert_memory_equal(prot, want, n);
	assert_int_equal(signed_request_tbs(span_of(prot, n), &purpose,
					    span_of(request, request_n), tbs,
					    sizeof(tbs), &n),
			 SG_OK);
	assert_int_equal(
		n, from_hex("846a5369676e61747572653155a301270448a050837d85"
			    "0705820fa1061a6553f10058308371736967"
			    "6e65726420726571756573742031656973737565767369"
			    "676e6572642e6578616d706c652f6c65646765"
			    "724ba2626964613163646363a0",
			    want));
	assert_memory_equal(tbs, want, n);
	assert_int_equal(
		cose_sign1_decode(
			span_of(want,
				from_hex("d28455a301270448a050837d850705820fa10"
					 "61a6553f100a04ba2626964613163646363a0"
					 "584065e207fafeddb3c91cec7b3c7780459d5"
					 "651e8e3093c43afe628aa863268f1ba9f5e13"
					 "c8facb1c203c268304bd1431beefea5c0b612"
					 "e5978c7f9c0d6e727e90a",
					 want)),
			&whole),
		SG_OK);
	assert_true(span_eq(whole.payload, span_of(request, request_n)));
	assert_int_equal(
		verifiers_add(&keys, SPAN_LIT("MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y"
					      "50vAmWfk1jCbpQ1fHdyGZBJVMbg=")),
		SG_OK);
	assert_memory_equal(keys.key[0].kid, kid, sizeof(kid));
	assert_int_equal(cose_key_verify(keys.key[0].key, COSE_EDDSA,
					 span_of(tbs, n), whole.signature),
			 SG_OK);
	verifiers_clear(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_tbs),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
