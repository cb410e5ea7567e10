/* SPDX-License-Identifier: Apache-2.0 */
/* signed_body: a request that its client has signed is taken apart, and stays
 * byte for byte what was signed. */
#include "front/signed_body.h"

#include "dcc_world.h"
#include "front/dcc_cbor.h"
#include "front/dcc_json.h"
#include "hcert/cose.h"

static struct signed_body *body;
static struct span request, signature;

static int open_all(void **state)
{
	body = calloc(1, sizeof(*body));
	return body == NULL || setup(state) != 0;
}

static int close_all(void **state)
{
	free(body);
	return teardown(state);
}

#define PROT SPAN_LIT("\xa1\x01\x26")
#define SIG SPAN_LIT("signature")
/* {"id": "1", "dcc": {}} */
#define PAYLOAD                                                                \
	SPAN_LIT("\xa2\x62id\x61\x31\x63"                                      \
		 "dcc\xa0")

static uint8_t cose[WIRE_REQUEST_MAX + 1024];

static struct span sign1(struct span prot, struct span payload, struct span sig)
{
	size_t n;

	assert_int_equal(
		cose_sign1_encode(prot, payload, sig, cose, sizeof(cose), &n),
		SG_OK);
	return span_of(cose, n);
}

static enum sg_err read_it(struct dcc_scratch *s, struct span in,
			   struct span *out)
{
	return signed_body_read(body, s, in, out, &signature);
}

static enum sg_err read_body(struct span in)
{
	return dcc_world_read(read_it, in.p, in.n, &request);
}

/* What the core gets of PROT, PAYLOAD, SIG. */
static void expect_detached(struct span prot, struct span sig)
{
	uint8_t want[WIRE_SIGNATURE_MAX];
	struct cbor_writer w = cbor_write(want, sizeof(want));
	size_t n;

	cbor_put_tag(&w, 18);
	cbor_put_array(&w, 4);
	cbor_put_bytes(&w, prot);
	cbor_put_map(&w, 0);
	cbor_put_null(&w);
	cbor_put_bytes(&w, sig);
	assert_int_equal(cbor_done(&w, &n), SG_OK);
	assert_true(span_eq(signature, span_of(want, n)));
}

static void test_read(void **state)
{
	(void)state;
	assert_int_equal(read_body(sign1(PROT, PAYLOAD, SIG)), SG_OK);
	assert_true(span_eq(request, PAYLOAD));
	expect_detached(PROT, SIG);
}

/* The longest that the core reads passes, and a byte more does not. */
static void test_long(void **state)
{
	static const uint8_t zeros[WIRE_SIGNATURE_MAX];
	static uint8_t prot[64]; /* and no more, says policy/ */
	const struct span p = span_of(prot, sizeof(prot));
	struct cbor_writer w = cbor_write(prot, sizeof(prot));

	(void)state;
	cbor_put_map(&w, 2);
	cbor_put_uint(&w, 1);
	cbor_put_int(&w, -7);
	cbor_put_uint(&w, 99);
	cbor_put_bytes(&w, span_of(zeros, sizeof(prot) - 7));
	assert_int_equal(w.len, sizeof(prot));
	assert_int_equal(
		read_body(sign1(p, PAYLOAD, span_of(zeros, COSE_SIG_MAX))),
		SG_OK);
	expect_detached(p, span_of(zeros, COSE_SIG_MAX));
	assert_int_equal(
		read_body(sign1(p, PAYLOAD, span_of(zeros, sizeof(zeros)))),
		SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "too long"));
}

/* Only a tagged COSE_Sign1 with all headers protected, and its payload. */
static void test_envelope(void **state)
{
	static const char *const bad[] = {
		"",
		"\xd2",
		/* untagged; another tag; three items */
		"\x84\x43\xa1\x01\x26\xa0\x41\xa0\x41s",
		"\xd1\x84\x43\xa1\x01\x26\xa0\x41\xa0\x41s",
		"\xd2\x83\x43\xa1\x01\x26\xa0\x41\xa0",
		/* a tag more around it; its own in a longer form */
		"\xd8\x3d\xd2\x84\x43\xa1\x01\x26\xa0\x41\xa0\x41s",
		"\xd8\x12\x84\x43\xa1\x01\x26\xa0\x41\xa0\x41s",
		/* the algorithm, or a kid, unprotected */
		"\xd2\x84\x43\xa1\x01\x26\xa1\x01\x26\x41\xa0\x41s",
		"\xd2\x84\x43\xa1\x01\x26\xa1\x04\x41k\x41\xa0\x41s",
		/* detached; the payload no bytes; the signature text */
		"\xd2\x84\x43\xa1\x01\x26\xa0\xf6\x41s",
		"\xd2\x84\x43\xa1\x01\x26\xa0\xa0\x41s",
		"\xd2\x84\x43\xa1\x01\x26\xa0\x41\xa0\x61s",
		/* something behind it */
		"\xd2\x84\x43\xa1\x01\x26\xa0\x41\xa0\x41s\xa0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_body(span_str(bad[i])), SG_MALFORMED);
		assert_true(scratch->detail[0] != '\0');
	}
	assert_int_equal(read_body(SPAN_LIT(
				 "\xd2\x84\x43\xa1\x01\x26\xa0\x41\xa0\x41s")),
			 SG_OK);
}

/* What a front may not make out of what was signed: it would be another text.
 */
static void test_payload(void **state)
{
	static const struct {
		const char *payload;
		enum sg_err err;
	} bad[] = {
		/* keys in another order; a long head; no end given */
		{"\xa2\x63"
		 "dcc\xa0\x62id\x61\x31",
		 SG_MALFORMED},
		{"\xa2\x62id\x78\x01\x31\x63"
		 "dcc\xa0",
		 SG_MALFORMED},
		{"\xbf\x63"
		 "dcc\xa0\xff",
		 SG_MALFORMED},
		/* a key that is there twice, also deep inside */
		{"\xa2\x61\x61\x01\x61\x61\x02", SG_DUPLICATE_KEY},
		{"\xa1\x61\x61\xa2\x61\x62\x01\x61\x62\x01", SG_DUPLICATE_KEY},
		/* no map; two items; nothing; JSON */
		{"\x81\x01", SG_MALFORMED},
		{"\xa0\xa0", SG_MALFORMED},
		{"{\"dcc\":{}}", SG_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			read_body(sign1(PROT, span_str(bad[i].payload), SIG)),
			bad[i].err);
	assert_int_equal(read_body(sign1(PROT, span_of(NULL, 0), SIG)),
			 SG_MALFORMED);
}

/* {KEY: COSE}, and EXTRA members behind it. */
static struct span wrapped(struct span cose_sign1, const char *key, bool extra)
{
	static uint8_t out[sizeof(cose) + 64];
	struct cbor_writer w = cbor_write(out, sizeof(out));
	size_t n;

	cbor_put_map(&w, extra ? 2 : 1);
	if (extra) {
		cbor_put_text(&w, SPAN_LIT("exp"));
		cbor_put_uint(&w, 1);
	}
	cbor_put_text(&w, span_str(key));
	cbor_put_bytes(&w, cose_sign1);
	assert_int_equal(cbor_done(&w, &n), SG_OK);
	return span_of(out, n);
}

static enum sg_err open_cbor(struct span in)
{
	assert_int_equal(dcc_cbor_read(scratch, in, &request), SG_OK);
	return signed_body_open(body, scratch, &request, &signature);
}

static enum sg_err open_json(const char *text)
{
	assert_int_equal(dcc_json_read(scratch, span_str(text), &request),
			 SG_OK);
	return signed_body_open(body, scratch, &request, &signature);
}

static void test_open(void **state)
{
	struct span whole;

	(void)state;
	assert_int_equal(
		open_cbor(wrapped(sign1(PROT, PAYLOAD, SIG), "signed", false)),
		SG_OK);
	assert_true(span_eq(request, PAYLOAD));
	expect_detached(PROT, SIG);
	assert_int_equal(open_json("{\"signed\": \"0oRDoQEmoEqiYmlkYTFjZGNjoE"
				   "lzaWduYXR1cmU=\"}"),
			 SG_MALFORMED); /* a byte is missing */
	assert_int_equal(open_json("{\"signed\": \"0oRDoQEmoEuiYmlkYTFjZGNjoE"
				   "lzaWduYXR1cmU=\"}"),
			 SG_OK);
	assert_true(span_eq(request, PAYLOAD));
	expect_detached(PROT, SIG);
	/* What is no such request goes on as it is, without a signature. */
	whole = wrapped(sign1(PROT, PAYLOAD, SIG), "signed", true);
	assert_int_equal(open_cbor(whole), SG_OK);
	assert_true(span_eq(request, whole));
	assert_int_equal(signature.n, 0);
	whole = wrapped(sign1(PROT, PAYLOAD, SIG), "signeD", false);
	assert_int_equal(open_cbor(whole), SG_OK);
	assert_true(span_eq(request, whole));
	assert_int_equal(open_cbor(PAYLOAD), SG_OK);
	assert_true(span_eq(request, PAYLOAD));
	assert_int_equal(signature.n, 0);
	/* Inside of what is signed it means nothing. */
	assert_int_equal(
		open_cbor(wrapped(
			sign1(PROT, SPAN_LIT("\xa1\x66signed\x41x"), SIG),
			"signed", false)),
		SG_OK);
	assert_true(span_eq(request, SPAN_LIT("\xa1\x66signed\x41x")));
}

static void test_open_bad(void **state)
{
	static const char *const bad[] = {
		"{\"signed\": 1}",	 "{\"signed\": null}",
		"{\"signed\": {}}",	 "{\"signed\": \"*\"}",
		"{\"signed\": \"AA=\"}", "{\"signed\": \"\"}",
		"{\"signed\": \"AAAA\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(open_json(bad[i]), SG_MALFORMED);
		assert_true(scratch->detail[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_open_bad),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
