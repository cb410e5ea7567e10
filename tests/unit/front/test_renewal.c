/* SPDX-License-Identifier: Apache-2.0 */
/* renewal: the payload of a certificate takes its place in the request. */
#include "dcc_world.h"
#include "front/dcc_cbor.h"
#include "front/dcc_json.h"
#include "front/renewal.h"
#include "hcert/base45.h"
#include "hcert/cose.h"
#include "hcert/cwt.h"

static struct renewal *renewal;
static struct deflate *deflate;
static struct renewal_fault fault;
static char hc1[HC1_TEXT_MAX];
static char body[HC1_TEXT_MAX + 256];

static int open_all(void **state)
{
	renewal = calloc(1, sizeof(*renewal));
	return renewal == NULL || deflate_create(&deflate) != SG_OK ||
	       setup(state) != 0;
}

static int close_all(void **state)
{
	free(renewal);
	deflate_free(deflate);
	return teardown(state);
}

static struct span presented;

/* 18([{1: -7}, {}, CWT, 64 bytes]), the CWT as it is. */
static size_t wrap_cwt(struct span cwt, uint8_t *out, size_t cap)
{
	static const uint8_t signature[64] = {1};
	size_t n;

	assert_int_equal(cose_sign1_encode(SPAN_LIT("\xa1\x01\x26"), cwt,
					   span_of(signature, 64), out, cap,
					   &n),
			 SG_OK);
	return n;
}

/* The COSE_Sign1 of a certificate with DCC. */
static size_t wrap(struct span dcc, uint8_t *out, size_t cap)
{
	static uint8_t cwt[HC1_COSE_MAX];
	const struct cwt_claims claims = {.iss = SPAN_LIT("VN"),
					  .has_exp = true,
					  .exp = 2000000000,
					  .has_iat = true,
					  .iat = 1900000000,
					  .dcc = dcc};
	size_t n;

	assert_int_equal(cwt_encode(&claims, cwt, sizeof(cwt), &n), SG_OK);
	return wrap_cwt(span_of(cwt, n), out, cap);
}

/* HC1 of COSE, NUL-terminated. */
static const char *text_of(struct span cose)
{
	size_t n;

	assert_int_equal(hc1_encode(deflate, cose, hc1, sizeof(hc1) - 1, &n),
			 SG_OK);
	hc1[n] = '\0';
	return hc1;
}

static const char *hc1_of(struct span dcc)
{
	static uint8_t cose[HC1_COSE_MAX];

	return text_of(span_of(cose, wrap(dcc, cose, sizeof(cose))));
}

/* BODY as a front reads it. */
static enum sg_err read_json(const char *text, struct span *out)
{
	assert_int_equal(dcc_world_read(dcc_json_read, text, strlen(text), out),
			 SG_OK);
	fault = (struct renewal_fault){.pointer = ""};
	return renewal_read(renewal, deflate, scratch, out, &presented, &fault);
}

static enum sg_err read_hc1(const char *text, struct span *out)
{
	(void)snprintf(body, sizeof(body),
		       "{\"hcert\":\"%s\",\"id\":\"a\",\"exp\":1999999999}",
		       text);
	return read_json(body, out);
}

static void refused(const char *text, const char *pointer, const char *code)
{
	struct span out;

	assert_int_equal(read_json(text, &out), SG_REFUSED);
	assert_string_equal(fault.pointer, pointer);
	assert_string_equal(fault.code, code);
	for (size_t i = 0; i < WIRE_LANGUAGE_COUNT; i++)
		assert_true(strlen(fault.detail[i]) > 10);
}

static void refused_hc1(const char *text, const char *code)
{
	(void)snprintf(body, sizeof(body), "{\"hcert\":\"%s\"}", text);
	refused(body, "/hcert", code);
}

static void test_payload(void **state)
{
	/* {"ver": "1", "dob": ""} */
	static const char dcc[] = "\xa2\x63"
				  "dob\x60\x63"
				  "ver\x61\x31";
	static const char want[] = "\xa3\x62"
				   "id\x61\x61\x63"
				   "dcc\xa2\x63"
				   "dob\x60\x63"
				   "ver\x61\x31\x63"
				   "exp\x1a\x77\x35\x93\xff";
	struct span out;

	(void)state;
	assert_int_equal(read_hc1(hc1_of(span_of(dcc, sizeof(dcc) - 1)), &out),
			 SG_OK);
	assert_true(span_is(out, want));
	assert_int_equal(presented.n, 64);
	assert_int_equal(presented.p[0], 1);
	/* White space around it is passed, as a scanner may bring it. */
	(void)snprintf(body, sizeof(body), "{\"hcert\":\" %s\\n\"}", hc1);
	assert_int_equal(read_json(body, &out), SG_OK);
}

/* Lax CBOR by others: indefinite, long heads, keys in any order, 1.0. */
static void test_foreign(void **state)
{
	static const char dcc[] = "\xbf\x78\x03"
				  "ver\x7f\x61\x31\x61\x32\xff\x63"
				  "dob\xf9\x3c\x00\xff";
	static const char want[] = "\xa3\x62"
				   "id\x61\x61\x63"
				   "dcc\xa2\x63"
				   "dob\x01\x63"
				   "ver\x62\x31\x32\x63"
				   "exp\x1a\x77\x35\x93\xff";
	struct span out;

	(void)state;
	assert_int_equal(read_hc1(hc1_of(span_of(dcc, sizeof(dcc) - 1)), &out),
			 SG_OK);
	assert_true(span_is(out, want));
}

static void test_cose(void **state)
{
	uint8_t cose[256];
	uint8_t in[512];
	struct cbor_writer w = cbor_write(in, sizeof(in));
	struct span out;

	(void)state;
	cbor_put_map(&w, 1);
	cbor_put_text(&w, SPAN_LIT("cose"));
	cbor_put_bytes(&w, span_of(cose, wrap(SPAN_LIT("\xa1\x63"
						       "ver\x61\x31"),
					      cose, sizeof(cose))));
	assert_int_equal(dcc_world_read(dcc_cbor_read, in, w.len, &out), SG_OK);
	assert_int_equal(renewal_read(renewal, deflate, scratch, &out,
				      &presented, &fault),
			 SG_OK);
	assert_true(span_is(out, "\xa1\x63"
				 "dcc\xa1\x63"
				 "ver\x61\x31"));
	refused("{\"cose\":\"text\"}", "/cose", "wrong-type");
}

/* Without a certificate nothing is touched: the core judges. */
static void test_without(void **state)
{
	struct span out;

	(void)state;
	assert_int_equal(read_json("{}", &out), SG_OK);
	assert_true(span_is(out, "\xa0"));
	assert_int_equal(presented.n, 0);
	assert_int_equal(read_json("{\"dcc\":{\"hcert\":1}}", &out), SG_OK);
	assert_true(span_is(out, "\xa1\x63"
				 "dcc\xa1\x65"
				 "hcert\x01"));
}

static void test_refused(void **state)
{
	uint8_t cose[1024];
	size_t n;

	(void)state;
	refused("{\"hcert\":\"HC1:\",\"dcc\":{}}", "/hcert", "unknown-field");
	refused("{\"hcert\":\"HC1:\",\"cose\":\"\"}", "/hcert",
		"unknown-field");
	refused("{\"hcert\":1}", "/hcert", "wrong-type");
	refused("{\"hcert\":{\"a\":[1]}}", "/hcert", "wrong-type");
	refused("{\"hcert\":null}", "/hcert", "wrong-type");
	refused_hc1("", "bad-format");
	refused_hc1("HC2:ABC", "bad-format");
	refused_hc1("HC1:abc", "bad-format");
	refused_hc1("HC1:AAAAA", "bad-format");
	/* zlib of something else */
	refused_hc1(text_of(SPAN_LIT("\x80")), "bad-format");
	refused_hc1(text_of(SPAN_LIT("")), "bad-format");
	n = wrap_cwt(SPAN_LIT("\xa0"), cose, sizeof(cose));
	refused_hc1(text_of(span_of(cose, n)), "bad-format"); /* no DCC */
	n = wrap(SPAN_LIT("\xa0"), cose, sizeof(cose));
	refused_hc1(text_of(span_of(cose, n - 1)), "bad-format");
	/* What no request can hold: tags, the same key twice, no map key. */
	refused_hc1(hc1_of(SPAN_LIT("\xc1\x01")), "bad-format");
	refused_hc1(hc1_of(SPAN_LIT("\xa2\x61\x61\x01\x61\x61\x02")),
		    "bad-format");
	refused_hc1(hc1_of(SPAN_LIT("\xa1\x01\x02")), "bad-format");
}

/* A bomb ends at the limit; what is large has its place. */
static void test_sizes(void **state)
{
	static uint8_t dcc[70000];
	static uint8_t cose[80000];
	struct cbor_writer w = cbor_write(dcc, sizeof(dcc));
	static uint8_t zeroes[65000];
	size_t n;
	struct span out;

	(void)state;
	memset(zeroes, 'a', sizeof(zeroes));
	cbor_put_text(&w, span_of(zeroes, sizeof(zeroes)));
	n = wrap(span_of(dcc, w.len), cose, sizeof(cose));
	assert_int_equal(read_hc1(text_of(span_of(cose, n)), &out), SG_OK);
	assert_true(out.n > 65000 && out.n <= WIRE_REQUEST_MAX);
	assert_int_equal(cbor_check(out, LIMITS), SG_OK);
	/* Nesting beyond what a request may have. */
	memset(dcc, 0x81, 40);
	dcc[40] = 0;
	refused_hc1(hc1_of(span_of(dcc, 41)), "bad-format");
}

/* 100,000 zeroes in a few hundred bytes of zlib. */
static void test_bomb(void **state)
{
	static uint8_t zeroes[100000];
	uint8_t small[2048];
	size_t n;

	(void)state;
	assert_int_equal(deflate_zlib(deflate, span_of(zeroes, sizeof(zeroes)),
				      small, sizeof(small), &n),
			 SG_OK);
	memcpy(hc1, "HC1:", 4);
	hc1[4 + base45_encode(span_of(small, n), hc1 + 4)] = '\0';
	refused_hc1(hc1, "too-long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_payload), cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_cose),	cmocka_unit_test(test_without),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
