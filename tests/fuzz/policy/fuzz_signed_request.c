/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a client's signature over its request.  What is taken apart lies
 * in the input and, put together again, is the input: there is one form alone.
 * The judge takes one text of bytes, the one that was signed, and says one
 * thing of any other.
 */
#include "../require.h"
#include "hcert/cbor.h"
#include "policy/client.h"
#include "policy/client_signature.h"
#include "policy/signed_request.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The example of policy/README.md, of the corpus, too. */
static const char KEY[] =
	"MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
#define REQUEST                                                                \
	SPAN_LIT("\xa2\x62id\x61"                                              \
		 "1\x63"                                                       \
		 "dcc\xa0")
static const uint8_t EXAMPLE[] = {
	0xd2, 0x84, 0x55, 0xa3, 0x01, 0x27, 0x04, 0x48, 0xa0, 0x50, 0x83, 0x7d,
	0x85, 0x07, 0x05, 0x82, 0x0f, 0xa1, 0x06, 0x1a, 0x65, 0x53, 0xf1, 0x00,
	0xa0, 0xf6, 0x58, 0x40, 0x65, 0xe2, 0x07, 0xfa, 0xfe, 0xdd, 0xb3, 0xc9,
	0x1c, 0xec, 0x7b, 0x3c, 0x77, 0x80, 0x45, 0x9d, 0x56, 0x51, 0xe8, 0xe3,
	0x09, 0x3c, 0x43, 0xaf, 0xe6, 0x28, 0xaa, 0x86, 0x32, 0x68, 0xf1, 0xba,
	0x9f, 0x5e, 0x13, 0xc8, 0xfa, 0xcb, 0x1c, 0x20, 0x3c, 0x26, 0x83, 0x04,
	0xbd, 0x14, 0x31, 0xbe, 0xef, 0xea, 0x5c, 0x0b, 0x61, 0x2e, 0x59, 0x78,
	0xc7, 0xf9, 0xc0, 0xd6, 0xe7, 0x27, 0xe9, 0x0a};

static void check_form(struct span in)
{
	const struct signed_purpose purpose = {.operation = SPAN_LIT("issue"),
					       .audience = SPAN_LIT("x")};
	struct signed_request s;
	uint8_t again[SIGNED_REQUEST_BYTES_MAX];
	uint8_t tbs[SIGNED_REQUEST_FRAME_MAX];
	struct cbor_writer w = cbor_write(again, sizeof(again));
	uint8_t prot[SIGNED_REQUEST_PROTECTED_MAX];
	size_t n;

	if (signed_request_decode(in, &s) != SG_OK)
		return;
	require(is_inside(s.prot, in) && is_inside(s.signature, in) &&
			is_inside(s.kid, s.prot),
		"parts lie in the input");
	require(s.alg != COSE_NONE && s.kid.n == VERIFIER_KID_BYTES,
		"an algorithm, and a kid");
	require(signed_request_protected(s.alg, s.kid.p, s.time, prot, &n) ==
			SG_OK,
		"what is read can be written");
	cbor_put_tag(&w, 18);
	cbor_put_array(&w, 4);
	cbor_put_bytes(&w, span_of(prot, n));
	cbor_put_map(&w, 0);
	cbor_put_null(&w);
	cbor_put_bytes(&w, s.signature);
	require(cbor_done(&w, &n) == SG_OK && span_eq(in, span_of(again, n)),
		"one form");
	require(signed_request_tbs(s.prot, &purpose, span_of(NULL, 0), tbs,
				   sizeof(tbs), &n) == SG_OK,
		"room for what is signed");
}

static void check_judge(struct span in)
{
	static struct client client = {
		.name = "a", .must_sign = true, .signature_age_s = 60};
	const struct policy_question q = {
		.client = &client,
		.operation = CLIENT_ISSUE,
		.request = REQUEST,
		.signature = in,
		.audience = SPAN_LIT("signerd.example/ledger"),
		.now = 1700000000};
	const bool is_example = span_eq(in, span_of(EXAMPLE, sizeof(EXAMPLE)));
	static struct verdict v;
	int64_t at;

	if (client.keys.n == 0)
		require(verifiers_add(&client.keys, span_str(KEY)) == SG_OK,
			"a key");
	verdict_init(&v);
	require(client_signature_judge(&q, &v, &at) == SG_OK, "a judgement");
	require(v.n == v.errors && v.errors == (is_example ? 0 : 1),
		"good is what was signed, and nothing else");
	require(at == (is_example ? q.now : INT64_MAX), "when");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);

	check_form(in);
	check_judge(in);
	return 0;
}
