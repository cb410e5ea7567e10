/* SPDX-License-Identifier: Apache-2.0 */
/* NOLINTBEGIN(bugprone-not-null-terminated-result): bytes, not strings */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_world.h"

static void test_routes(void **state)
{
	static const struct {
		enum http_method method;
		const char *path;
		enum door door;
		int status;
		const char *allow;
	} rows[] = {
		{HTTP_GET, "/", DOOR_CLIENTS, 404, NULL},
		{HTTP_GET, "", DOOR_CLIENTS, 404, NULL},
		{HTTP_GET, "/v1", DOOR_CLIENTS, 404, NULL},
		{HTTP_POST, "/v1/certificates/", DOOR_CLIENTS, 404, NULL},
		{HTTP_POST, "/V1/certificates", DOOR_CLIENTS, 404, NULL},
		{HTTP_POST, "/v1/%63ertificates", DOOR_CLIENTS, 404, NULL},
		{HTTP_GET, "/v1/renewals", DOOR_CLIENTS, 405, "POST"},
		{HTTP_GET, "/v1/certificates", DOOR_CLIENTS, 405, "POST"},
		{HTTP_OTHER, "/v1/certificates", DOOR_CLIENTS, 405, "POST"},
		{HTTP_HEAD, "/v1/validations", DOOR_CLIENTS, 405, "POST"},
		{HTTP_POST, "/v1/keys", DOOR_CLIENTS, 405, "GET, HEAD"},
		{HTTP_POST, "/v1/policy", DOOR_CLIENTS, 405, "GET, HEAD"},
		/* each listener has its own */
		{HTTP_GET, "/livez", DOOR_CLIENTS, 404, NULL},
		{HTTP_GET, "/readyz", DOOR_CLIENTS, 404, NULL},
		{HTTP_GET, "/metrics", DOOR_CLIENTS, 404, NULL},
		{HTTP_POST, "/v1/certificates", DOOR_OPS, 404, NULL},
		{HTTP_GET, "/v1/keys", DOOR_OPS, 404, NULL},
		{HTTP_GET, "/v1/policy", DOOR_OPS, 404, NULL},
		{HTTP_POST, "/livez", DOOR_OPS, 405, "GET, HEAD"},
		{HTTP_GET, "/v1/ledger/checkpoint", DOOR_OPS, 404, NULL},
		{HTTP_GET, "/v1/keys", DOOR_PUBLIC, 404, NULL},
		{HTTP_GET, "/livez", DOOR_PUBLIC, 404, NULL},
		{HTTP_POST, "/v1/certificates", DOOR_PUBLIC, 404, NULL},
		/* there is no ledger */
		{HTTP_GET, "/v1/ledger", DOOR_CLIENTS, 404, NULL},
		{HTTP_GET, "/v1/ledger/checkpoint", DOOR_CLIENTS, 404, NULL},
		{HTTP_GET, "/v1/ledger/tile/0/000", DOOR_PUBLIC, 404, NULL},
		{HTTP_GET, "/v1/ledger/tile/entries/000", DOOR_CLIENTS, 404,
		 NULL},
		{HTTP_GET, "/v1/ledger/proof", DOOR_PUBLIC, 404, NULL},
		{HTTP_POST, "/v1/ledger/vkey", DOOR_PUBLIC, 405, "GET, HEAD"},
		{HTTP_POST, "/v1/ledger/tile/0/000", DOOR_CLIENTS, 405,
		 "GET, HEAD"},
	};
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		x = request(rows[i].method, rows[i].path);
		at_door(&x, rows[i].door);
		play(&x, SPAN_LIT(""));
		api_gone(&x);
		expect_problem(rows[i].status,
			       rows[i].status == 404 ? "not-found"
						     : "method-not-allowed",
			       "path");
		if (rows[i].allow != NULL)
			assert_string_equal(header("allow"), rows[i].allow);
	}
	core_silent();
}

static void test_media(void **state)
{
	static const struct {
		const char *path, *type, *accept;
		int status;
		const char *name, *detail;
	} rows[] = {
		{"/v1/certificates", "", "", 415, "unsupported-media-type",
		 "application/json"},
		{"/v1/certificates", "text/plain", "", 415,
		 "unsupported-media-type", "application/json"},
		{"/v1/certificates", "application/json-seq", "", 415,
		 "unsupported-media-type", "application/cbor-seq"},
		{"/v1/certificates", "application/x-ndjson", "application/json",
		 406, "not-acceptable", "here, but application/x-ndjson"},
		{"/v1/validations", "application/cbor-seq",
		 "application/x-ndjson", 406, "not-acceptable",
		 "here, but application/cbor-seq"},
		{"/v1/certificates", "application/json", "text/html", 406,
		 "not-acceptable",
		 "here, but application/json, application/cbor, "
		 "application/cose, text/plain, image/svg+xml, image/png"},
		{"/v1/validations", "application/json", "image/png", 406,
		 "not-acceptable",
		 "here, but application/json, application/cbor"},
		{"/v1/validations", "application/json", "application/cose", 406,
		 "not-acceptable", "media types"},
	};
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		x = post(rows[i].path, rows[i].type, rows[i].accept);
		api_open(&x);
		got.calls = 1;
		assert_true(x.answered); /* before the body */
		api_gone(&x);
		expect_problem(rows[i].status, rows[i].name, rows[i].detail);
		if (rows[i].status == 415)
			assert_non_null(header("accept-post"));
	}
	x = post("/v1/certificates", JSON, "");
	x.request.content_encoding = SPAN_LIT("gzip");
	play(&x, SPAN_LIT("x"));
	api_gone(&x);
	expect_problem(415, "unsupported-media-type", "compressed");
	x = request(HTTP_GET, "/v1/policy");
	x.request.accept = SPAN_LIT("text/plain");
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	expect_problem(406, "not-acceptable", "");
	core_silent();
}

static void test_too_large(void **state)
{
	static char run[1000];
	struct exchange x = post("/v1/certificates", JSON, "");
	static char big[BODY_MAX];

	(void)state;
	memset(run, ' ', sizeof(run));
	x.request.has_length = true;
	x.request.length = BODY_MAX + 1;
	got.calls = 0;
	api_open(&x);
	assert_true(x.answered);
	api_gone(&x);
	expect_problem(413, "too-large", "at most 65536 bytes are taken");
	/* the length is not told: refused where it goes over */
	x = post("/v1/certificates", JSON, "");
	got.calls = 0;
	api_open(&x);
	for (size_t n = 0; n + sizeof(run) <= BODY_MAX; n += sizeof(run))
		api_data(&x, span_of(run, sizeof(run)));
	assert_false(x.answered);
	api_data(&x, span_of(run, sizeof(run)));
	assert_true(x.answered);
	api_gone(&x);
	expect_problem(413, "too-large", "at most 65536 bytes are taken");
	/* a body that fits, and a request that does not */
	memset(big, 'x', sizeof(big));
	memcpy(big, "{\"a\":\"", 6);
	memcpy(big + sizeof(big) - 2, "\"}", 2);
	x = post("/v1/certificates", JSON, "");
	play(&x, span_of(big, sizeof(big)));
	assert_int_equal(got.calls, 0);
	core_refuses(core_takes(WIRE_ISSUE).id, SG_REFUSED, 0);
	api_gone(&x);
	core_silent();
}

static void test_malformed(void **state)
{
	static const struct {
		const char *body, *detail;
	} rows[] = {
		{"", "JSON"},
		{"{\"id\":\"row 7\"", "not complete"},
		{"[]", "must be a JSON object"},
		{"{\"a\":\"\xff\"}", "UTF-8"},
		{"{\"a\":{\"b\":1,\"b\":2}}", "twice"},
	};
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		x = post("/v1/certificates", JSON, "");
		play(&x, span_str(rows[i].body));
		api_gone(&x);
		expect_problem(400, "malformed", rows[i].detail);
	}
	assert_non_null(strstr(got.body, "\"pointer\":\"\""));
	assert_non_null(strstr(got.body, "\"code\":\"duplicate-key\""));
	core_silent();
}

static void test_core_is_gone(void **state)
{
	struct exchange x = post("/v1/certificates", JSON, "");
	struct exchange y = request(HTTP_GET, "/v1/keys");

	(void)state;
	play(&x, span_str(REQUEST));
	(void)core_takes(WIRE_ISSUE);
	core_dies();
	api_gone(&x);
	expect_problem(503, "unavailable", "core");
	assert_string_equal(header("retry-after"), "1");
	play(&y, SPAN_LIT(""));
	api_gone(&y);
	expect_problem(503, "unavailable", "core");
}

/* More than the core takes of one client at a time is refused at once. */
static void test_busy(void **state)
{
	enum { SHARE = CREDIT - CREDIT / 8 }; /* front/shares.h */
	struct exchange x[SHARE + 1];

	(void)state;
	for (size_t i = 0; i <= SHARE; i++) {
		x[i] = post("/v1/certificates", JSON, "");
		play(&x[i], span_str(REQUEST));
		assert_int_equal(x[i].answered, i == SHARE);
	}
	expect_problem(503, "unavailable", "flight");
	assert_string_equal(header("retry-after"), "1");
	for (size_t i = 0; i <= SHARE; i++)
		api_gone(&x[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_routes),	     API_TEST(test_media),
		API_TEST(test_too_large),    API_TEST(test_malformed),
		API_TEST(test_core_is_gone), API_TEST(test_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
/* NOLINTEND(bugprone-not-null-terminated-result) */
