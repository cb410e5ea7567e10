/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http2_world.h"

/* --- limits --------------------------------------------------------------- */

static void test_body_over_the_limit(void **state)
{
	static const uint8_t body[5000];
	int32_t id;

	(void)state;
	id = request("POST", "/", span_of(body, sizeof(body)), true);
	streams[id].upload_step = 100;
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 413);
	/* The rest is not waited for much longer. */
	assert_int_equal(streams[id].closed_by, 0);
	fake_pass(3000);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].closed_by, NGHTTP2_NO_ERROR + 1);
	assert_int_equal(fake.gone, 1);
}

static void test_length_over_the_limit(void **state)
{
	const nghttp2_nv fields[] = {
		nv(":method", "POST"),	      nv(":scheme", "https"),
		nv(":authority", "x"),	      nv(":path", "/"),
		nv("content-length", "4097"),
	};
	const nghttp2_data_provider data = {.read_callback = on_stuck};
	int32_t id;

	(void)state;
	id = nghttp2_submit_request(client, NULL, fields, 5, &data, NULL);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 413);
	assert_int_equal(fake.ended, 0);
}

static int32_t request_with(size_t bytes)
{
	char *value = malloc(bytes + 1);
	nghttp2_nv fields[] = {
		nv(":method", "GET"),  nv(":scheme", "https"),
		nv(":authority", "x"), nv(":path", "/"),
		nv("a", ""),
	};
	int32_t id;

	assert_non_null(value);
	memset(value, 'a', bytes);
	value[bytes] = '\0';
	fields[4] = nv("a", value);
	id = nghttp2_submit_request(client, NULL, fields, 5, NULL, NULL);
	free(value);
	return id;
}

static void test_head_over_the_limit(void **state)
{
	int32_t id;
	int32_t next;

	(void)state;
	id = request_with(1024);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 413);
	assert_int_equal(fake.ended, 0);
	/* Others on the connection do not notice. */
	next = request("GET", "/", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	assert_int_equal(streams[next].status, 200);
}

static void test_head_far_over_the_limit(void **state)
{
	(void)state;
	(void)request_with(8192);
	talk(SIZE_MAX);
	assert_int_equal(goaway, NGHTTP2_ENHANCE_YOUR_CALM + 1);
	assert_true(h2->ops->done(h2));
}

static void test_field_that_comes_twice(void **state)
{
	const nghttp2_nv fields[] = {
		nv(":method", "GET"),	   nv(":scheme", "https"),
		nv(":authority", "x"),	   nv(":path", "/"),
		nv("content-type", "a/b"), nv("content-type", "a/c"),
	};
	int32_t id;

	(void)state;
	id = nghttp2_submit_request(client, NULL, fields, 6, NULL, NULL);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 400);
}

static void test_streams_over_the_limit_wait(void **state)
{
	int32_t last = 0;

	(void)state;
	fake.mode = FAKE_LATER;
	talk(SIZE_MAX); /* settings */
	for (int i = 0; i < 9; i++)
		last = request("GET", "/", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	assert_int_equal(fake.opened, 8); /* the client keeps to it */
	fake_answer(fake.last, 200, SPAN_LIT("x"));
	talk(SIZE_MAX);
	assert_int_equal(fake.opened, 9);
	assert_int_equal(streams[last].status, 0);
}

static void test_early_answer(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_EARLY;
	id = request("POST", "/", SPAN_LIT("hello"), true);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 404);
	assert_true(body_is(id, "early"));
	fake_pass(3000);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].closed_by, NGHTTP2_NO_ERROR + 1);
	assert_int_equal(fake.ended, 0);
}

static void test_rest_of_an_answered_request(void **state)
{
	static const uint8_t body[3 << 20];
	int32_t id;

	(void)state;
	fake.mode = FAKE_EARLY;
	id = request("POST", "/", span_of(body, 1 << 20), false);
	talk(SIZE_MAX);
	assert_true(body_is(id, "early"));
	assert_int_equal(streams[id].upload.len, 0); /* read away */
	assert_int_equal(streams[id].closed_by, NGHTTP2_NO_ERROR + 1);
	id = request("POST", "/", span_of(body, sizeof(body)), false);
	talk(SIZE_MAX);
	assert_true(body_is(id, "early"));
	assert_true(streams[id].upload.len > 1 << 20); /* cut off */
	assert_int_equal(fake_front->body_bytes, 0);
}

/* --- time ----------------------------------------------------------------- */

static void test_idle_says_goodbye(void **state)
{
	(void)state;
	talk(SIZE_MAX);
	fake_pass(59000);
	assert_false(h2->ops->done(h2));
	/* Pings are not requests. */
	assert_int_equal(nghttp2_submit_ping(client, 0, NULL), 0);
	talk(SIZE_MAX);
	fake_pass(2000);
	talk(SIZE_MAX);
	assert_int_equal(goaway, NGHTTP2_NO_ERROR + 1);
	assert_true(h2->ops->done(h2));
}

static void test_busy_is_not_idle(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_LATER;
	id = request("GET", "/", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	fake_pass(100000);
	talk(SIZE_MAX);
	assert_false(h2->ops->done(h2));
	fake_answer(fake.last, 200, SPAN_LIT("x"));
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 200);
	fake_pass(61000);
	talk(SIZE_MAX);
	assert_true(h2->ops->done(h2));
}

static void test_slow_body(void **state)
{
	int32_t id;

	(void)state;
	id = request("POST", "/", SPAN_LIT("hel"), true);
	talk(SIZE_MAX);
	fake_pass(9000);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 0);
	fake_pass(2000);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 408);
	assert_false(h2->ops->done(h2));
}

static void test_client_that_takes_no_answer(void **state)
{
	const nghttp2_settings_entry none = {
		NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
	int32_t id;

	(void)state;
	assert_int_equal(nghttp2_submit_settings(client, 0, &none, 1), 0);
	id = request("POST", "/", SPAN_LIT("hello"), false);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 200);
	assert_int_equal(streams[id].body.len, 0);
	assert_int_equal(h2->ops->queued(h2), 5);
	fake_pass(31000);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].closed_by, NGHTTP2_CANCEL + 1);
	assert_int_equal(h2->ops->queued(h2), 0);
	assert_int_equal(fake.gone, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_body_over_the_limit),
		CASE(test_length_over_the_limit),
		CASE(test_head_over_the_limit),
		CASE(test_head_far_over_the_limit),
		CASE(test_field_that_comes_twice),
		CASE(test_streams_over_the_limit_wait),
		CASE(test_early_answer),
		CASE(test_rest_of_an_answered_request),
		CASE(test_idle_says_goodbye),
		CASE(test_busy_is_not_idle),
		CASE(test_slow_body),
		CASE(test_client_that_takes_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
