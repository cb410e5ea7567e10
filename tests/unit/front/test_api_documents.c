/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_world.h"

static void test_documents(void **state)
{
	struct exchange x = request(HTTP_GET, "/v1/policy");
	struct wire_ask q;
	struct wire_msg m;
	json_t *doc;

	(void)state;
	play(&x, SPAN_LIT(""));
	m = core_takes(WIRE_ASK);
	assert_int_equal(wire_get_ask(&m, &q), SG_OK);
	assert_int_equal(q.question, WIRE_ASK_POLICY);
	assert_true(span_is(q.identity, "who"));
	core_tells(m.id, SPAN_LIT("\xa1\x66"
				  "client\x66issuer"));
	api_gone(&x);
	doc = answer_json(200, JSON);
	assert_string_equal(text(doc, "client"), "issuer");
	json_decref(doc);
	x = request(HTTP_HEAD, "/v1/policy");
	x.request.accept = SPAN_LIT("application/cbor");
	play(&x, SPAN_LIT(""));
	core_tells(core_takes(WIRE_ASK).id, SPAN_LIT("\xa1\x61"
						     "a\x01"));
	api_gone(&x);
	assert_int_equal(member("a", 1).arg, 1);
	x = request(HTTP_GET, "/v1/keys");
	x.request.accept = SPAN_LIT("application/jwk-set+json");
	play(&x, SPAN_LIT(""));
	m = core_takes(WIRE_ASK);
	assert_int_equal(wire_get_ask(&m, &q), SG_OK);
	assert_int_equal(q.question, WIRE_ASK_KEYS);
	core_tells(m.id, SPAN_LIT("\xa1\x64keys\x80"));
	api_gone(&x);
	assert_string_equal(got.r.content_type, "application/jwk-set+json");
	assert_string_equal(got.body, "{\"keys\":[]}");
	x = request(HTTP_GET, "/v1/keys");
	play(&x, SPAN_LIT(""));
	core_refuses(core_takes(WIRE_ASK).id, SG_FORBIDDEN, 0);
	api_gone(&x);
	expect_problem(403, "forbidden", "");
	/* a document that makes no sense */
	x = request(HTTP_GET, "/v1/policy");
	play(&x, SPAN_LIT(""));
	core_tells(core_takes(WIRE_ASK).id, SPAN_LIT("\xa1\x01\x01"));
	api_gone(&x);
	expect_problem(500, "internal", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
