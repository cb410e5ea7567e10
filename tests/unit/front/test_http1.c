/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http1_world.h"

#define HEAD "POST / HTTP/1.1\r\nHost: x\r\n"

/* --- requests that are taken ---------------------------------------------- */

static void test_get(void **state)
{
	(void)state;
	feed(SPAN_LIT("GET /v1/keys?a=b&c HTTP/1.1\r\nHost: x\r\n"
		      "ACCEPT: text/plain \r\nAccept-Language: vi\r\n"
		      "accept: application/json\r\n\r\n"),
	     SIZE_MAX);
	assert_int_equal(fake.opened, 1);
	assert_int_equal(fake.method, HTTP_GET);
	assert_string_equal(fake.path, "/v1/keys");
	assert_string_equal(fake.query, "a=b&c");
	assert_string_equal(fake.accept, "text/plain, application/json");
	assert_string_equal(fake.language, "vi");
	assert_string_equal(
		out, "HTTP/1.1 200 OK\r\ndate: DATE\r\ncontent-length: 0\r\n"
		     "content-type: text/plain\r\nx-test: yes\r\n\r\n");
	assert_int_equal(fake.gone, 1);
	assert_false(h1->ops->done(h1));
}

static void test_post_at_every_split(void **state)
{
	static const char text[] =
		"\r\nPOST /v1/certificates HTTP/1.1\r\nHost: x\r\n"
		"Content-Type: application/json\r\nContent-Length: 11\r\n\r\n"
		"hello world";
	const size_t n = sizeof(text) - 1;

	(void)state;
	for (size_t step = 1; step <= n; step++) {
		out_len = 0;
		feed(span_of(text, n), step);
		assert_int_equal(status(), 200);
		assert_non_null(strstr(out, "\r\n\r\nhello world"));
		assert_string_equal(fake.type, "application/json");
		assert_true(fake.has_length);
		assert_int_equal(fake.length, 11);
	}
	assert_int_equal(fake.opened, n);
	assert_int_equal(fake.gone, n);
}

static void test_chunks_at_every_split(void **state)
{
	static const char text[] =
		"POST / HTTP/1.1\r\nHost: x\r\n"
		"Transfer-Encoding: chunked\r\n\r\n"
		"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n";
	const size_t n = sizeof(text) - 1;

	(void)state;
	for (size_t step = 1; step <= n; step++) {
		out_len = 0;
		feed(span_of(text, n), step);
		assert_int_equal(status(), 200);
		assert_non_null(strstr(out, "\r\n\r\nhello world"));
		assert_false(fake.has_length);
	}
}

static void test_truncated_anywhere_is_no_request(void **state)
{
	static const char text[] =
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		feed(span_of(text, n), SIZE_MAX);
		assert_int_equal(out_len, 0);
		assert_int_equal(fake.ended, 0);
		/* The client hangs up. */
		h1->ops->finish(h1, true);
		assert_true(h1->ops->done(h1));
		h1->ops->free(h1);
		assert_int_equal(http1_create(&fake_host, &h1), SG_OK);
	}
	assert_int_equal(fake.opened, fake.gone);
}

static void test_head_has_no_body(void **state)
{
	(void)state;
	fake.mode = FAKE_LARGE;
	fake.large = 100;
	feed(SPAN_LIT("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), SIZE_MAX);
	assert_int_equal(fake.method, HTTP_HEAD);
	assert_non_null(strstr(out, "content-length: 100\r\n"));
	assert_null(strstr(out, "xxx"));
}

static void test_other_methods(void **state)
{
	(void)state;
	feed(SPAN_LIT("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n"), SIZE_MAX);
	assert_int_equal(fake.method, HTTP_OTHER);
}

static void test_absolute_target(void **state)
{
	(void)state;
	feed(SPAN_LIT("GET https://h:1/a?b HTTP/1.1\r\nHost: x\r\n\r\n"
		      "GET http://h HTTP/1.1\r\nHost: x\r\n\r\n"),
	     SIZE_MAX);
	assert_int_equal(fake.opened, 2);
	assert_string_equal(fake.path, "/");
}

/* A request that asks for another protocol is one in this protocol. */
static void test_upgrade_is_ignored(void **state)
{
	(void)state;
	feed(SPAN_LIT("POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, "
		      "HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 2\r\n"
		      "\r\nhi"
		      "GET /next HTTP/1.1\r\nHost: x\r\n\r\n"),
	     SIZE_MAX);
	assert_int_equal(answers(), 2);
	assert_string_equal(fake.path, "/next");
}

static void test_http10_closes(void **state)
{
	(void)state;
	feed(SPAN_LIT("GET /a HTTP/1.0\r\n\r\n"), SIZE_MAX);
	assert_int_equal(status(), 200);
	assert_non_null(strstr(out, "connection: close\r\n"));
	assert_true(h1->ops->done(h1));
}

static void test_connection_close(void **state)
{
	(void)state;
	feed(SPAN_LIT("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
		      "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"),
	     SIZE_MAX);
	assert_int_equal(answers(), 1);
	assert_string_equal(fake.path, "/a");
	assert_true(h1->ops->done(h1));
}

/* --- one after the other -------------------------------------------------- */

static void test_pipelining_is_serial(void **state)
{
	static const char two[] = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
				  "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n";
	const struct span all = span_of(two, sizeof(two) - 1);
	size_t used;

	(void)state;
	fake.mode = FAKE_LATER;
	used = h1->ops->feed(h1, all);
	assert_int_equal(used, all.n / 2);
	assert_int_equal(fake.opened, 1);
	assert_int_equal(h1->ops->feed(h1, span_of(all.p + used, used)), 0);
	fake_answer(fake.last, 200, SPAN_LIT("one"));
	/* Answered, but the answer has not left yet. */
	assert_int_equal(h1->ops->feed(h1, span_of(all.p + used, used)), 0);
	pull();
	assert_int_equal(h1->ops->feed(h1, span_of(all.p + used, used)), used);
	assert_string_equal(fake.path, "/2");
	fake_answer(fake.last, 200, SPAN_LIT("two"));
	pull();
	assert_int_equal(answers(), 2);
	assert_true(strstr(out, "one") < strstr(out, "two"));
}

static void test_early_answer_reads_the_body_away(void **state)
{
	(void)state;
	fake.mode = FAKE_EARLY;
	feed(SPAN_LIT("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
		      "helloGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"),
	     7);
	assert_int_equal(answers(), 2);
	assert_int_equal(fake.ended, 0);
	assert_string_equal(fake.path, "/2");
	assert_false(h1->ops->done(h1));
}

static void test_expect_continue(void **state)
{
	(void)state;
	feed(SPAN_LIT("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
		      "Expect: 100-Continue\r\n\r\n"),
	     SIZE_MAX);
	assert_string_equal(out, "HTTP/1.1 100 Continue\r\n\r\n");
	out_len = 0;
	feed(SPAN_LIT("hi"), SIZE_MAX);
	assert_int_equal(status(), 200);
	assert_non_null(strstr(out, "\r\n\r\nhi"));
}

static void test_expect_answered_at_once(void **state)
{
	(void)state;
	fake.mode = FAKE_EARLY;
	feed(SPAN_LIT("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
		      "Expect: 100-continue\r\n\r\n"),
	     SIZE_MAX);
	assert_int_equal(status(), 404);
	assert_int_equal(answers(), 1);
	assert_true(h1->ops->done(h1));
}

/* --- time ----------------------------------------------------------------- */

static void test_idle_closes(void **state)
{
	(void)state;
	fake_pass(59000);
	assert_false(h1->ops->done(h1));
	fake_pass(2000);
	assert_true(h1->ops->done(h1));
	pull();
	assert_int_equal(out_len, 0);
}

static void test_slow_head(void **state)
{
	(void)state;
	feed(SPAN_LIT("GET / HTTP/1.1\r\n"), SIZE_MAX);
	fake_pass(4000);
	feed(SPAN_LIT("A: b\r\n"), SIZE_MAX);
	pull();
	assert_int_equal(out_len, 0);
	fake_pass(2000);
	pull();
	assert_int_equal(status(), 408);
	assert_true(h1->ops->done(h1));
}

static void test_slow_body(void **state)
{
	(void)state;
	feed(SPAN_LIT(HEAD "Content-Length: 100\r\n\r\n"), SIZE_MAX);
	for (int i = 0; i < 12; i++) {
		fake_pass(1000);
		feed(SPAN_LIT("a"), SIZE_MAX);
	}
	pull();
	assert_int_equal(status(), 408);
	assert_int_equal(fake.gone, 1);
	assert_true(h1->ops->done(h1));
}

static void test_slow_body_after_its_answer(void **state)
{
	(void)state;
	fake.mode = FAKE_EARLY;
	feed(SPAN_LIT(HEAD "Content-Length: 100\r\n\r\n"), SIZE_MAX);
	assert_int_equal(status(), 404);
	assert_false(h1->ops->done(h1));
	fake_pass(11000);
	pull();
	assert_int_equal(answers(), 1);
	assert_true(h1->ops->done(h1));
}

static void test_no_deadline_while_the_api_thinks(void **state)
{
	(void)state;
	fake.mode = FAKE_LATER;
	feed(SPAN_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), SIZE_MAX);
	fake_pass(1000000);
	assert_false(h1->ops->done(h1));
	fake_answer(fake.last, 200, SPAN_LIT("late"));
	pull();
	assert_int_equal(status(), 200);
	assert_false(h1->ops->done(h1));
}

/* --- the end -------------------------------------------------------------- */

static void test_finish_waits_for_the_answer(void **state)
{
	(void)state;
	fake.mode = FAKE_LATER;
	feed(SPAN_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), SIZE_MAX);
	h1->ops->finish(h1, true);
	assert_false(h1->ops->done(h1));
	fake_answer(fake.last, 200, SPAN_LIT("bye"));
	assert_false(h1->ops->done(h1));
	pull();
	assert_non_null(strstr(out, "connection: close\r\n"));
	assert_non_null(strstr(out, "bye"));
	assert_true(h1->ops->done(h1));
}

static void test_finish_lets_a_request_come_in(void **state)
{
	(void)state;
	feed(SPAN_LIT("GET / HTTP/1.1\r\nHo"), SIZE_MAX);
	h1->ops->finish(h1, false);
	assert_false(h1->ops->done(h1));
	feed(SPAN_LIT("st: x\r\n\r\n"), SIZE_MAX);
	assert_int_equal(status(), 200);
	assert_true(h1->ops->done(h1));
}

static void test_free_in_flight(void **state)
{
	(void)state;
	fake.mode = FAKE_LATER;
	feed(SPAN_LIT(HEAD "Content-Length: 9\r\n\r\nabc"), SIZE_MAX);
	assert_int_equal(fake_front->body_bytes, 3);
	h1->ops->free(h1);
	h1 = NULL;
	assert_int_equal(fake.gone, 1);
	assert_int_equal(fake_front->body_bytes, 0);
}

static void test_expired_client_is_refused(void **state)
{
	const struct peer p = {.not_after = 1000000000};

	(void)state;
	fake_host.door = DOOR_CLIENTS;
	fake_host.peer = &p;
	feed(SPAN_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), SIZE_MAX);
	assert_int_equal(status(), 401);
	assert_int_equal(fake.opened, 0);
	assert_true(h1->ops->done(h1));
}

/* What may be kept, by whom: each door in its way. */
static void test_headers_by_door(void **state)
{
	const struct peer p = {.not_after = INT64_MAX};

	(void)state;
	fake.mode = FAKE_EARLY; /* 404 */
	fake_host.door = DOOR_CLIENTS;
	fake_host.peer = &p;
	feed(SPAN_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), SIZE_MAX);
	assert_non_null(strstr(out, "\r\nvary: accept, accept-language\r\n"
				    "cache-control: no-store\r\n"
				    "signer-request: "));
	fake_host.door = DOOR_PUBLIC;
	fake_host.peer = NULL;
	out_len = 0;
	feed(SPAN_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), SIZE_MAX);
	assert_null(strstr(out, "vary"));
	assert_null(strstr(out, "signer-request"));
	assert_non_null(strstr(out, "\r\ncache-control: no-store\r\n"));
	fake_host.door = DOOR_OPS;
	out_len = 0;
	feed(SPAN_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), SIZE_MAX);
	assert_null(strstr(out, "cache-control"));
}

static void test_all_bodies_together_have_a_limit(void **state)
{
	(void)state;
	fake_front->body_bytes = 256 << 20;
	feed(SPAN_LIT(HEAD "Content-Length: 9\r\n\r\nabc"), SIZE_MAX);
	assert_int_equal(status(), 503);
	assert_non_null(strstr(out, "retry-after: 1\r\n"));
	fake_front->body_bytes = 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_get),
		CASE(test_post_at_every_split),
		CASE(test_chunks_at_every_split),
		CASE(test_truncated_anywhere_is_no_request),
		CASE(test_head_has_no_body),
		CASE(test_other_methods),
		CASE(test_absolute_target),
		CASE(test_upgrade_is_ignored),
		CASE(test_http10_closes),
		CASE(test_connection_close),
		CASE(test_pipelining_is_serial),
		CASE(test_early_answer_reads_the_body_away),
		CASE(test_expect_continue),
		CASE(test_expect_answered_at_once),
		CASE(test_idle_closes),
		CASE(test_slow_head),
		CASE(test_slow_body),
		CASE(test_slow_body_after_its_answer),
		CASE(test_no_deadline_while_the_api_thinks),
		CASE(test_finish_waits_for_the_answer),
		CASE(test_finish_lets_a_request_come_in),
		CASE(test_free_in_flight),
		CASE(test_expired_client_is_refused),
		CASE(test_headers_by_door),
		CASE(test_all_bodies_together_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
