/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_world.h"

#define COSE "application/cose"

static void test_document(void **state)
{
	struct exchange x = request(HTTP_GET, "/v1/operations");
	struct wire_ask q;
	struct wire_msg m;
	json_t *doc;

	(void)state;
	play(&x, SPAN_LIT(""));
	m = core_takes(WIRE_ASK);
	assert_int_equal(wire_get_ask(&m, &q), SG_OK);
	assert_int_equal(q.question, WIRE_ASK_CEREMONY);
	assert_true(span_is(q.identity, "who"));
	core_tells(m.id, SPAN_LIT("\xa1\x63kid\x48\0\1\2\3\4\5\6\7"));
	api_gone(&x);
	doc = answer_json(200, JSON);
	assert_string_equal(text(doc, "kid"), "AAECAwQFBgc=");
	json_decref(doc);
	x = request(HTTP_GET, "/v1/operations");
	x.request.accept = SPAN_LIT("image/png");
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	expect_problem(406, "not-acceptable", "application/cbor");
	x = request(HTTP_GET, "/v1/operations");
	play(&x, SPAN_LIT(""));
	core_refuses(core_takes(WIRE_ASK).id, SG_FORBIDDEN, 0);
	api_gone(&x);
	expect_problem(403, "forbidden", "");
	core_silent();
}

static void test_operation(void **state)
{
	struct exchange x = post("/v1/operations", COSE, CBOR);
	struct wire_operate q;
	struct wire_msg m;

	(void)state;
	play(&x, SPAN_LIT("\xd8\x62 signed"));
	m = core_takes(WIRE_OPERATE);
	assert_int_equal(wire_get_operate(&m, &q), SG_OK);
	assert_true(span_is(q.identity, "who"));
	assert_true(span_is(q.operation, "\xd8\x62 signed"));
	core_tells(m.id, SPAN_LIT("\xa1\x61"
				  "a\x01"));
	api_gone(&x);
	assert_int_equal(got.r.status, 200);
	assert_int_equal(member("a", 1).arg, 1);
	/* refused */
	x = post("/v1/operations", COSE, "");
	play(&x, SPAN_LIT("\xd8\x62 signed"));
	core_refuses(core_takes(WIRE_OPERATE).id, SG_CONFLICT, 0);
	api_gone(&x);
	expect_problem(409, "conflict", "");
	/* the asker goes before the answer comes */
	x = post("/v1/operations", COSE, "");
	play(&x, SPAN_LIT("\xd8\x62 signed"));
	m = core_takes(WIRE_OPERATE);
	api_gone(&x);
	core_tells(m.id, SPAN_LIT("\xa0"));
	assert_int_equal(got.calls, 0);
}

static void test_bodies(void **state)
{
	static uint8_t large[WIRE_OPERATION_MAX + 1];
	struct exchange x = post("/v1/operations", JSON, "");
	struct wire_operate q;
	struct wire_msg m;

	(void)state;
	play(&x, SPAN_LIT("{}"));
	api_gone(&x);
	expect_problem(415, "unsupported-media-type", "application/cose");
	assert_string_equal(header("accept-post"), COSE);
	x = post("/v1/operations", COSE, "");
	x.request.content_encoding = SPAN_LIT("gzip");
	play(&x, SPAN_LIT("x"));
	api_gone(&x);
	expect_problem(415, "unsupported-media-type", "compressed");
	x = post("/v1/operations", COSE, "");
	play(&x, span_of(large, sizeof(large)));
	api_gone(&x);
	expect_problem(413, "too-large", "32768");
	/* without a length, in runs */
	x = post("/v1/operations", COSE, "");
	got.calls = 0;
	api_open(&x);
	api_data(&x, span_of(large, WIRE_OPERATION_MAX));
	assert_int_equal(got.calls, 0);
	api_data(&x, span_of(large, 1));
	api_gone(&x);
	expect_problem(413, "too-large", "32768");
	core_silent();
	/* the largest goes */
	x = post("/v1/operations", COSE, "");
	play(&x, span_of(large, WIRE_OPERATION_MAX));
	m = core_takes(WIRE_OPERATE);
	assert_int_equal(wire_get_operate(&m, &q), SG_OK);
	assert_int_equal(q.operation.n, WIRE_OPERATION_MAX);
	core_tells(m.id, SPAN_LIT("\xa0"));
	api_gone(&x);
	assert_int_equal(got.r.status, 200);
}

static void test_other_methods(void **state)
{
	struct exchange x = request(HTTP_OTHER, "/v1/operations");

	(void)state;
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	expect_problem(405, "method-not-allowed", "");
	assert_string_equal(header("allow"), "GET, HEAD, POST");
	x = post("/v1/operations", COSE, "");
	at_door(&x, DOOR_PUBLIC);
	play(&x, SPAN_LIT("x"));
	api_gone(&x);
	expect_problem(404, "not-found", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_document),
		API_TEST(test_operation),
		API_TEST(test_bodies),
		API_TEST(test_other_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
