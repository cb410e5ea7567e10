/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_world.h"
#include "hc1_world.h"

static const char *body(const char *hcert)
{
	static char out[1024];

	(void)snprintf(out, sizeof(out), "{\"id\":\"row 7\",\"hcert\":\"%s\"}",
		       hcert);
	return out;
}

/* By certificate and by payload the core is asked the same. */
static void test_what_the_core_is_asked(void **state)
{
	const char *const bodies[] = {body(hc1()), REQUEST};
	struct wire_issued m = issued();

	(void)state;
	m.replayed = true;
	for (size_t i = 0; i < 2; i++) {
		struct exchange x = post("/v1/renewals", JSON, "");
		struct wire_issue q;
		struct wire_msg w;
		json_t *doc;

		play(&x, span_str(bodies[i]));
		w = core_takes(WIRE_ISSUE);
		assert_int_equal(wire_get_issue(&w, &q), SG_OK);
		assert_true(q.renew && !q.dry_run);
		assert_true(span_is(q.request, "\xa2\x62id\x65row 7\x63"
					       "dcc\xa1\x63ver\x65"
					       "1.3.0"));
		assert_int_equal(q.presented.n, i == 0 ? 64 : 0);
		core_issues(w.id, &m);
		doc = answer_json(200, JSON);
		assert_string_equal(text(doc, "id"), "row 7");
		assert_true(json_is_true(json_object_get(doc, "replayed")));
		json_decref(doc);
		api_gone(&x);
	}
}

static void test_forms(void **state)
{
	struct exchange x = post("/v1/renewals", JSON, "application/cose");
	const struct wire_issued m = issued();

	(void)state;
	play(&x, span_str(body(hc1())));
	core_issues(core_takes(WIRE_ISSUE).id, &m);
	assert_int_equal(got.r.status, 200);
	assert_string_equal(got.r.content_type, "application/cose");
	assert_non_null(header("signer-kid"));
	api_gone(&x);
	x = request(HTTP_GET, "/v1/renewals");
	play(&x, SPAN_LIT(""));
	assert_int_equal(got.r.status, 405);
	assert_string_equal(header("allow"), "POST");
	api_gone(&x);
	/* A verdict is no answer to this. */
	x = post("/v1/renewals", JSON, "");
	play(&x, span_str(body(hc1())));
	core_issues(core_takes(WIRE_ISSUE).id,
		    &(struct wire_issued){.dry_run = true});
	assert_int_equal(got.r.status, 500);
	api_gone(&x);
}

static void test_garbage(void **state)
{
	struct exchange x = post("/v1/renewals", JSON, "");
	const json_t *v;
	json_t *doc;

	(void)state;
	x.request.accept_language = SPAN_LIT("vi");
	play(&x, span_str(body("HC1:nonsense")));
	core_silent();
	doc = answer_json(422, "application/problem+json");
	assert_string_equal(text(doc, "type"), "/problems/policy");
	assert_string_equal(text(doc, "id"), "row 7");
	v = json_array_get(json_object_get(doc, "violations"), 0);
	assert_string_equal(text(v, "pointer"), "/hcert");
	assert_string_equal(text(v, "code"), "bad-format");
	assert_string_equal(text(v, "level"), "error");
	assert_non_null(strstr(text(v, "detail"), "dữ liệu"));
	assert_null(strstr(got.body, "nonsense"));
	json_decref(doc);
	api_gone(&x);
	/* Elsewhere the certificate is just an unknown field: the core's. */
	x = post("/v1/certificates", JSON, "");
	play(&x, span_str(body("HC1:nonsense")));
	core_refuses(core_takes(WIRE_ISSUE).id, SG_REFUSED, 0);
	api_gone(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_what_the_core_is_asked),
		API_TEST(test_forms),
		API_TEST(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
