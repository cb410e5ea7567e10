/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_world.h"
#include "hcert/hc1.h"

/* The bytes inside of an HC1 text. */
static size_t unwrap(const char *hc1, uint8_t *out, size_t cap)
{
	struct deflate *d;
	size_t n = 0;

	assert_int_equal(deflate_create(&d), SG_OK);
	assert_int_equal(hc1_decode(d, span_str(hc1), out, cap, &n), SG_OK);
	deflate_free(d);
	return n;
}

static void test_what_the_core_is_asked(void **state)
{
	struct exchange x = post("/v1/validations", JSON, "");
	struct wire_issue q;
	struct wire_msg m;

	(void)state;
	x.request.accept_language = SPAN_LIT("vi-VN, en;q=0.5");
	/* in pieces, with an unknown length */
	api_open(&x);
	for (const char *p = REQUEST; *p != '\0'; p++)
		api_data(&x, span_of(p, 1));
	api_end(&x);
	m = core_takes(WIRE_ISSUE);
	assert_int_equal(wire_get_issue(&m, &q), SG_OK);
	assert_true(q.dry_run);
	assert_int_equal(q.language, WIRE_VIETNAMESE);
	assert_true(span_is(q.identity, "who"));
	assert_true(span_is(q.request, "\xa2\x62id\x65row 7\x63"
				       "dcc\xa1\x63ver\x65"
				       "1.3.0"));
	assert_true(q.deadline_us > clock_mono_us());
	assert_true(q.deadline_us < clock_mono_us() + 2000001);
	api_gone(&x); /* the client has left: nobody waits any more */
	assert_int_equal(core_link_in_flight(front->link), 0);
	got.calls = 0;
	core_refuses(m.id, SG_REFUSED, 0);
	assert_int_equal(got.calls, 0);
	x = post("/v1/certificates", JSON, "");
	play(&x, span_str(REQUEST));
	m = core_takes(WIRE_ISSUE);
	assert_int_equal(wire_get_issue(&m, &q), SG_OK);
	assert_false(q.dry_run);
	assert_int_equal(q.language, WIRE_ENGLISH);
	core_refuses(m.id, SG_REFUSED, 0);
	api_gone(&x);
}

static void test_certificate(void **state)
{
	struct exchange x = post("/v1/certificates", JSON, "*/*");
	struct wire_issued m = issued();
	uint8_t list[256];
	uint8_t cose[256];
	json_t *doc;
	const json_t *part;

	(void)state;
	play(&x, span_str(REQUEST));
	assert_int_equal(got.calls, 0);
	core_issues(core_takes(WIRE_ISSUE).id, &m);
	api_gone(&x);
	doc = answer_json(200, JSON);
	assert_int_equal(json_object_size(doc), 7);
	assert_string_equal(text(doc, "id"), "row 7");
	assert_int_equal(unwrap(text(doc, "hcert"), cose, sizeof(cose)),
			 m.cose.n);
	assert_memory_equal(cose, m.cose.p, m.cose.n);
	assert_string_equal(text(doc, "uvci"), "URN:UVCI:01:VN:1\"");
	assert_string_equal(text(doc, "kid"), "2Rk3X8HntrI=");
	assert_string_equal(text(doc, "alg"), "ES256");
	assert_int_equal(json_integer_value(json_object_get(doc, "iat")),
			 1700000000);
	assert_int_equal(json_integer_value(json_object_get(doc, "exp")),
			 1731536000);
	json_decref(doc);
	/* with all that may be there, without an id */
	m.ledger_index = 0;
	m.replayed = true;
	m.violations = span_of(list, one_violation(list, sizeof(list), true));
	x = post("/v1/certificates", JSON, JSON);
	play(&x, SPAN_LIT("{}"));
	core_issues(core_takes(WIRE_ISSUE).id, &m);
	api_gone(&x);
	doc = answer_json(200, JSON);
	assert_int_equal(json_object_size(doc), 9);
	assert_null(json_object_get(doc, "id"));
	assert_true(json_is_true(json_object_get(doc, "replayed")));
	part = json_object_get(doc, "ledger");
	assert_string_equal(text(part, "origin"), "log.example");
	assert_int_equal(json_integer_value(json_object_get(part, "index")), 0);
	part = json_array_get(json_object_get(doc, "warnings"), 0);
	assert_string_equal(text(part, "level"), "warning");
	assert_string_equal(text(part, "pointer"), "/dcc/dob");
	json_decref(doc);
}

static void test_certificate_in_cbor(void **state)
{
	/* {"dcc": {_ }, "id": "é"}, not in order */
	static const char body[] = "\xbf\x63"
				   "dcc\xbf\xff\x62id\x62\xc3\xa9\xff";
	struct wire_issued m = issued();
	struct exchange x = post("/v1/certificates", CBOR, "");
	uint8_t list[256];

	(void)state;
	m.ledger_index = 41;
	m.replayed = true;
	m.violations = span_of(list, one_violation(list, sizeof(list), true));
	play(&x, span_str(body));
	core_issues(core_takes(WIRE_ISSUE).id, &m);
	api_gone(&x);
	assert_int_equal(got.r.status, 200);
	assert_true(span_eq(member("cose", 10).run, m.cose));
	assert_int_equal(member("cose", 10).type, CBOR_BYTES);
	assert_int_equal(member("kid", 10).type, CBOR_BYTES);
	assert_true(span_is(member("id", 10).run, "\xc3\xa9"));
	assert_int_equal(member("exp", 10).arg, 1731536000);
	assert_int_equal(member("ledger", 10).type, CBOR_MAP);
	assert_int_equal(member("hcert", 10).all.n, 0);
	/* problems too */
	x = post("/v1/certificates", CBOR, "");
	play(&x, span_str(body));
	core_refuses(core_takes(WIRE_ISSUE).id, SG_REFUSED, 0);
	api_gone(&x);
	assert_int_equal(got.r.status, 422);
	assert_int_equal(member("status", 6).arg, 422);
	assert_int_equal(member("violations", 6).type, CBOR_ARRAY);
	/* CBOR in, JSON out */
	x = post("/v1/certificates", CBOR, JSON);
	play(&x, SPAN_LIT("\xa1\x01\x02"));
	api_gone(&x);
	expect_problem(400, "malformed", "keys must be text");
	/* JSON in, CBOR out */
	x = post("/v1/certificates", JSON, CBOR);
	play(&x, SPAN_LIT("[]"));
	api_gone(&x);
	assert_int_equal(member("status", 4).arg, 400);
}

static void test_other_forms(void **state)
{
	static const struct {
		const char *accept, *type, *begins;
	} rows[] = {
		{"application/cose", "application/cose", "\xd2\x84 the"},
		{"application/cose; cose-type=\"cose-sign1\"",
		 "application/cose", "\xd2\x84 the"},
		{"text/plain", "text/plain", "HC1:"},
		{"image/svg+xml", "image/svg+xml", "<svg "},
		{"image/png", "image/png", "\x89PNG"},
	};
	struct wire_issued m = issued();
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m.ledger_index = i % 2 == 0 ? 41 : WIRE_NO_LEDGER_INDEX;
		x = post("/v1/certificates", JSON, rows[i].accept);
		play(&x, span_str(REQUEST));
		core_issues(core_takes(WIRE_ISSUE).id, &m);
		api_gone(&x);
		assert_int_equal(got.r.status, 200);
		assert_string_equal(got.r.content_type, rows[i].type);
		assert_memory_equal(got.body, rows[i].begins,
				    strlen(rows[i].begins));
		assert_string_equal(header("signer-kid"), "2Rk3X8HntrI=");
		assert_string_equal(header("signer-expires"), "1731536000");
		if (i % 2 == 0)
			assert_string_equal(header("signer-ledger-index"),
					    "41");
		else
			assert_null(header("signer-ledger-index"));
	}
}

/* Signed already, but no QR code is large enough. */
static void test_qr_too_long(void **state)
{
	static uint8_t cose[8192];
	struct wire_issued m = issued();
	struct exchange x = post("/v1/certificates", JSON, "image/png");

	(void)state;
	for (size_t i = 0; i < sizeof(cose); i++) /* not to be compressed */
		cose[i] = (uint8_t)(i * i * 31 + i * 7 + (i >> 5) * (i >> 3));
	m.cose = span_of(cose, sizeof(cose));
	play(&x, span_str(REQUEST));
	core_issues(core_takes(WIRE_ISSUE).id, &m);
	api_gone(&x);
	expect_problem(406, "not-acceptable", "too long for a QR code");
}

static void test_verdict(void **state)
{
	struct exchange x = post("/v1/validations", JSON, "");
	struct wire_issued m = {.dry_run = true,
				.ledger_index = WIRE_NO_LEDGER_INDEX};
	json_t *doc;

	(void)state;
	play(&x, span_str(REQUEST));
	core_issues(core_takes(WIRE_ISSUE).id, &m);
	api_gone(&x);
	doc = answer_json(200, JSON);
	assert_int_equal(json_object_size(doc), 2);
	assert_string_equal(text(doc, "id"), "row 7");
	assert_string_equal(text(doc, "verdict"), "accept");
	json_decref(doc);
	/* a signed certificate is no answer to a validation */
	m = issued();
	x = post("/v1/validations", JSON, "");
	play(&x, span_str(REQUEST));
	core_issues(core_takes(WIRE_ISSUE).id, &m);
	api_gone(&x);
	expect_problem(500, "internal", "");
}

static void test_problems_of_the_core(void **state)
{
	struct exchange x = post("/v1/certificates", JSON, "");
	json_t *doc;
	const json_t *v;

	(void)state;
	play(&x, span_str(REQUEST));
	core_refuses(core_takes(WIRE_ISSUE).id, SG_REFUSED, 0);
	api_gone(&x);
	assert_null(header("retry-after"));
	doc = answer_json(422, "application/problem+json");
	assert_string_equal(text(doc, "id"), "row 7");
	v = json_array_get(json_object_get(doc, "violations"), 0);
	assert_string_equal(text(v, "pointer"), "/dcc/dob");
	assert_string_equal(text(v, "level"), "error");
	assert_string_equal(text(v, "detail"), "sai \"kiểu\"");
	json_decref(doc);
	x = post("/v1/certificates", JSON, "");
	play(&x, span_str(REQUEST));
	core_refuses(core_takes(WIRE_ISSUE).id, SG_TOKEN_DOWN, 17);
	api_gone(&x);
	expect_problem(503, "unavailable", "token");
	assert_string_equal(header("retry-after"), "17");
	x = post("/v1/certificates", JSON, "");
	play(&x, span_str(REQUEST));
	core_refuses(core_takes(WIRE_ISSUE).id, SG_RATE, 0);
	api_gone(&x);
	expect_problem(429, "rate", "");
	assert_string_equal(header("retry-after"), "1");
}

static void test_id_that_is_not_echoed(void **state)
{
	static const struct {
		const char *unit;
		size_t n;
		bool echoed;
	} rows[] = {
		{"x", 128, true},
		{"x", 129, false},
		{"Đ", 128, true},
		{"Đ", 129, false},
		{"\xf0\x9f\x98\x80", 128, true},
		{"\xf0\x9f\x98\x80", 129, false},
		{"", 1, false},
	};
	char body[1024];
	struct exchange x;
	json_t *doc;
	char *p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = stpcpy(body, "{\"id\":\"");
		for (size_t k = 0; k < rows[i].n; k++)
			p = stpcpy(p, rows[i].unit);
		(void)stpcpy(p, "\"}");
		x = post("/v1/certificates", JSON, "");
		play(&x, span_str(body));
		core_refuses(core_takes(WIRE_ISSUE).id, SG_REFUSED, 0);
		api_gone(&x);
		doc = answer_json(422, "application/problem+json");
		assert_int_equal(json_object_get(doc, "id") != NULL,
				 rows[i].echoed);
		json_decref(doc);
	}
	x = post("/v1/certificates", JSON, "");
	play(&x, SPAN_LIT("{\"id\":7}"));
	core_refuses(core_takes(WIRE_ISSUE).id, SG_REFUSED, 0);
	api_gone(&x);
	assert_null(strstr(got.body, "\"id\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_what_the_core_is_asked),
		API_TEST(test_certificate),
		API_TEST(test_certificate_in_cbor),
		API_TEST(test_other_forms),
		API_TEST(test_qr_too_long),
		API_TEST(test_verdict),
		API_TEST(test_problems_of_the_core),
		API_TEST(test_id_that_is_not_echoed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
