/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http2_world.h"

/* --- requests that are taken ---------------------------------------------- */

static void test_get(void **state)
{
	int32_t id;

	(void)state;
	id = request("GET", "/v1/keys?a=b", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 200);
	assert_int_equal(fake.method, HTTP_GET);
	assert_string_equal(fake.path, "/v1/keys");
	assert_string_equal(fake.query, "a=b");
	assert_string_equal(fake.type, "a/b");
	assert_string_equal(fake.accept, "c/d");
	assert_string_equal(fake.language, "vi");
	assert_int_equal(streams[id].closed_by, NGHTTP2_NO_ERROR + 1);
	assert_int_equal(fake.gone, 1);
}

static void test_post_byte_by_byte(void **state)
{
	int32_t id;

	(void)state;
	id = request("POST", "/", SPAN_LIT("hello world"), false);
	streams[id].upload_step = 3;
	talk(1);
	assert_int_equal(streams[id].status, 200);
	assert_true(body_is(id, "hello world"));
}

static void test_many_at_once(void **state)
{
	int32_t id[8];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "body %zu", i);
		id[i] = request("POST", "/", span_str(text), false);
	}
	talk(SIZE_MAX);
	for (size_t i = 0; i < 8; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "body %zu", i);
		assert_true(body_is(id[i], text));
	}
}

static void test_answers_out_of_order(void **state)
{
	struct exchange *first;
	int32_t a;
	int32_t b;

	(void)state;
	fake.mode = FAKE_LATER;
	a = request("POST", "/", SPAN_LIT("a"), false);
	talk(SIZE_MAX);
	first = fake.last;
	b = request("POST", "/", SPAN_LIT("b"), false);
	talk(SIZE_MAX);
	fake_answer(fake.last, 200, SPAN_LIT("B"));
	talk(SIZE_MAX);
	assert_true(body_is(b, "B"));
	assert_int_equal(streams[a].status, 0);
	fake_answer(first, 422, SPAN_LIT("A"));
	talk(SIZE_MAX);
	assert_int_equal(streams[a].status, 422);
}

static void test_answer_larger_than_the_window(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_LARGE;
	fake.large = 300000;
	id = request("GET", "/", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].body.len, 300000);
	assert_int_equal(h2->ops->queued(h2), 0);
}

static void test_head_has_no_body(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_LARGE;
	fake.large = 100;
	id = request("HEAD", "/", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 200);
	assert_int_equal(streams[id].body.len, 0);
	assert_int_equal(streams[id].closed_by, NGHTTP2_NO_ERROR + 1);
}

static void test_unknown_method(void **state)
{
	(void)state;
	(void)request("BREW", "/", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	assert_int_equal(fake.method, HTTP_OTHER);
}

/* --- the end -------------------------------------------------------------- */

static void test_finish_in_two_steps(void **state)
{
	int32_t a;
	int32_t b;

	(void)state;
	fake.mode = FAKE_LATER;
	a = request("GET", "/a", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	h2->ops->finish(h2, false);
	/* One that crosses the notice is taken. */
	fake.mode = FAKE_ECHO;
	b = request("POST", "/b", SPAN_LIT("b"), false);
	talk(SIZE_MAX);
	assert_int_equal(streams[b].status, 200);
	assert_int_equal(goaway_last, INT32_MAX);
	fake_pass(2000);
	talk(SIZE_MAX);
	assert_int_equal(goaway_last, b);
	assert_false(h2->ops->done(h2));
	h2->ops->finish(h2, false); /* is said only once */
	(void)a;
}

static void test_finish_now(void **state)
{
	int32_t whole;
	int32_t part;

	(void)state;
	fake.mode = FAKE_LATER;
	whole = request("GET", "/", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	struct exchange *x = fake.last;
	part = request("POST", "/", SPAN_LIT("abc"), true);
	talk(SIZE_MAX);
	h2->ops->finish(h2, true);
	talk(SIZE_MAX);
	assert_int_equal(streams[part].closed_by, NGHTTP2_REFUSED_STREAM + 1);
	assert_false(h2->ops->done(h2));
	fake_answer(x, 200, SPAN_LIT("x"));
	talk(SIZE_MAX);
	assert_int_equal(streams[whole].status, 200);
	assert_true(h2->ops->done(h2));
}

static void test_finish_when_idle(void **state)
{
	(void)state;
	talk(SIZE_MAX);
	h2->ops->finish(h2, true);
	talk(SIZE_MAX);
	assert_true(h2->ops->done(h2));
}

static void test_client_resets(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_LATER;
	id = request("GET", "/", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	assert_int_equal(
		nghttp2_submit_rst_stream(client, 0, id, NGHTTP2_CANCEL), 0);
	talk(SIZE_MAX);
	assert_int_equal(fake.gone, 1);
	assert_false(h2->ops->done(h2));
}

static void test_free_in_flight(void **state)
{
	(void)state;
	fake.mode = FAKE_LATER;
	(void)request("POST", "/", SPAN_LIT("abc"), true);
	(void)request("POST", "/", SPAN_LIT("abc"), false);
	talk(SIZE_MAX);
	assert_int_equal(fake_front->body_bytes, 6);
	h2->ops->free(h2);
	h2 = NULL;
	assert_int_equal(fake.gone, 2);
}

static void test_expired_client_is_refused(void **state)
{
	const struct peer p = {.not_after = 1000000000};
	int32_t id;

	(void)state;
	fake_host.door = DOOR_CLIENTS;
	fake_host.peer = &p;
	id = request("GET", "/", span_of(NULL, 0), false);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 401);
	assert_int_equal(fake.opened, 0);
	assert_int_equal(goaway, NGHTTP2_NO_ERROR + 1);
}

/* --- clients that do harm ------------------------------------------------- */

static void raw(struct span s)
{
	assert_int_equal(h2->ops->feed(h2, s), s.n);
}

static void raw_start(void)
{
	raw(SPAN_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	raw(SPAN_LIT("\0\0\0\4\0\0\0\0\0"));
}

static void test_not_http2(void **state)
{
	(void)state;
	raw(SPAN_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_true(h2->ops->done(h2));
}

static void test_rapid_reset(void **state)
{
	(void)state;
	for (int i = 0; i < 1500 && goaway == 0; i++) {
		const int32_t id = request("GET", "/", span_of(NULL, 0), false);

		fake.mode = FAKE_LATER;
		talk(SIZE_MAX);
		(void)nghttp2_submit_rst_stream(client, 0, id, NGHTTP2_CANCEL);
		talk(SIZE_MAX);
	}
	assert_int_not_equal(goaway, 0);
	assert_true(h2->ops->done(h2));
	assert_in_range(fake.opened, 100, 1000);
}

/* The same, but it is we who reset: each window grows beyond its bounds. */
static void test_made_to_reset(void **state)
{
	static uint8_t buf[65536];
	static const uint8_t settings_ack[] = {0, 0, 0, 4, 1, 0, 0, 0, 0};
	uint8_t frames[] = {/* HEADERS, END_HEADERS and END_STREAM: GET https /,
			       authority a */
			    0, 0, 6, 1, 5, 0, 0, 0, 0, 0x82, 0x87, 0x84, 0x41,
			    1, 'a',
			    /* WINDOW_UPDATE of 2^31 - 1 */
			    0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff};

	(void)state;
	fake.mode = FAKE_LATER;
	raw_start();
	raw(span_of(settings_ack, sizeof(settings_ack)));
	for (unsigned id = 1; id < 4000 && !h2->ops->done(h2); id += 2) {
		frames[7] = frames[22] = (uint8_t)(id >> 8);
		frames[8] = frames[23] = (uint8_t)id;
		raw(span_of(frames, sizeof(frames)));
		while (h2->ops->pull(h2, buf, sizeof(buf)) > 0) {
		}
	}
	assert_true(h2->ops->done(h2));
	assert_in_range(fake.opened, 100, 1000);
}

static void test_ping_flood_unread(void **state)
{
	(void)state;
	raw_start();
	for (int i = 0; i < 3000 && !h2->ops->done(h2); i++)
		raw(SPAN_LIT("\0\0\10\6\0\0\0\0\0abcdefgh"));
	assert_true(h2->ops->done(h2));
}

static void test_ping_flood_read(void **state)
{
	static uint8_t buf[65536];
	int i;

	(void)state;
	raw_start();
	for (i = 0; i < 5000 && !h2->ops->done(h2); i++) {
		raw(SPAN_LIT("\0\0\10\6\0\0\0\0\0abcdefgh"));
		while (h2->ops->pull(h2, buf, sizeof(buf)) > 0) {
		}
	}
	assert_true(h2->ops->done(h2));
	assert_in_range(i, 500, 4999);
}

static void test_settings_flood(void **state)
{
	static uint8_t buf[65536];

	(void)state;
	raw_start();
	for (int i = 0; i < 5000 && !h2->ops->done(h2); i++) {
		raw(SPAN_LIT("\0\0\0\4\0\0\0\0\0"));
		while (h2->ops->pull(h2, buf, sizeof(buf)) > 0) {
		}
	}
	assert_true(h2->ops->done(h2));
}

/* HEADERS that never end: the indexed field 0x82 (:method GET) and so on. */
static void test_continuation_flood(void **state)
{
	(void)state;
	raw_start();
	raw(SPAN_LIT("\0\0\3\1\1\0\0\0\1\x82\x84\x87"));
	for (int i = 0; i < 100 && !h2->ops->done(h2); i++)
		raw(SPAN_LIT("\0\0\1\11\0\0\0\0\1\x90"));
	to_client();
	assert_true(h2->ops->done(h2));
	assert_int_equal(fake.opened, 0);
}

static void test_slow_head(void **state)
{
	(void)state;
	raw_start();
	raw(SPAN_LIT("\0\0\3\1\1\0\0\0\1\x82\x84\x87"));
	to_client();
	fake_pass(6000);
	to_client();
	assert_true(h2->ops->done(h2));
}

static void test_garbage_frames(void **state)
{
	static uint8_t noise[1 << 16];
	uint32_t x = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++) {
		x = x * 1664525U + 1013904223U;
		noise[i] = (uint8_t)(x >> 24);
	}
	raw_start();
	raw(span_of(noise, sizeof(noise)));
	to_client();
	assert_true(h2->ops->done(h2));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_get),
		CASE(test_post_byte_by_byte),
		CASE(test_many_at_once),
		CASE(test_answers_out_of_order),
		CASE(test_answer_larger_than_the_window),
		CASE(test_head_has_no_body),
		CASE(test_unknown_method),
		CASE(test_finish_in_two_steps),
		CASE(test_finish_now),
		CASE(test_finish_when_idle),
		CASE(test_client_resets),
		CASE(test_free_in_flight),
		CASE(test_expired_client_is_refused),
		CASE(test_not_http2),
		CASE(test_rapid_reset),
		CASE(test_made_to_reset),
		CASE(test_ping_flood_unread),
		CASE(test_ping_flood_read),
		CASE(test_settings_flood),
		CASE(test_continuation_flood),
		CASE(test_slow_head),
		CASE(test_garbage_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
