/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of requests over HTTP/2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http2_world.h"

enum { LARGE = 1 << 20 };

static uint8_t large[LARGE];

static void test_answer_while_it_comes(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_STREAM;
	id = request("POST", "/", SPAN_LIT("hello"), true);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 200);
	assert_true(body_is(id, "hello"));
	assert_int_equal(streams[id].closed_by, 0);
	assert_true(h2->ops->streaming(h2));
	assert_true(fake.rooms > 0);
	assert_int_equal(bytes_add(&streams[id].upload, SPAN_LIT(" world")),
			 SG_OK);
	(void)nghttp2_session_resume_data(client, id);
	talk(SIZE_MAX);
	assert_true(body_is(id, "hello world"));
	assert_int_equal(h2->ops->queued(h2), 0);
	exchange_finish(fake.last);
	talk(SIZE_MAX);
	/* It is answered, but the client does not end. */
	assert_int_equal(streams[id].closed_by, 0);
	fake_pass(61000);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].closed_by, NGHTTP2_NO_ERROR + 1);
	assert_false(h2->ops->streaming(h2));
}

/* Any length comes through, as long as it is taken. */
static void test_no_limit(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_STREAM;
	memset(large, 'x', sizeof(large));
	id = request("POST", "/", span_of(large, sizeof(large)), false);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].status, 200);
	assert_int_equal(streams[id].body.len, LARGE);
	assert_int_equal(streams[id].closed_by, NGHTTP2_NO_ERROR + 1);
	assert_int_equal(fake.gone, 1);
}

/* What is not taken is not sent, and does not hold up others. */
static void test_backlog(void **state)
{
	struct exchange *x;
	int32_t slow[8];
	int32_t id;

	(void)state;
	fake.mode = FAKE_STREAM;
	fake.keep = true;
	for (int i = 0; i < 7; i++)
		slow[i] = request("POST", "/", span_of(large, sizeof(large)),
				  false);
	talk(SIZE_MAX);
	x = fake.last;
	assert_in_range(x->owed, EXCHANGE_BACKLOG_MAX,
			2 * EXCHANGE_BACKLOG_MAX);
	assert_int_equal(streams[slow[0]].body.len, x->owed);
	fake.mode = FAKE_ECHO;
	id = request("POST", "/", SPAN_LIT("quick"), false);
	talk(SIZE_MAX);
	assert_true(body_is(id, "quick"));
	/* It goes on when it is taken. */
	exchange_took(x, x->owed);
	talk(SIZE_MAX);
	assert_true(x->owed >= EXCHANGE_BACKLOG_MAX);
}

/* A reader that opens no window: its answer waits in its own stream. */
static void test_slow_reader(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_STREAM;
	id = request("POST", "/", SPAN_LIT("x"), true);
	talk(SIZE_MAX);
	assert_int_equal(nghttp2_session_set_local_window_size(
				 client, NGHTTP2_FLAG_NONE, id, 0),
			 0);
	talk(SIZE_MAX);
	fake_write(fake.last, span_of(large, sizeof(large)));
	talk(SIZE_MAX);
	assert_true(exchange_waiting(fake.last) > 0);
	exchange_finish(fake.last);
	talk(SIZE_MAX);
	fake_pass(121000);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].closed_by, NGHTTP2_CANCEL + 1);
	assert_int_equal(fake.gone, 1);
}

static void test_drain(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_STREAM;
	id = request("POST", "/", SPAN_LIT("hello"), true);
	talk(SIZE_MAX);
	h2->ops->finish(h2, false);
	assert_int_equal(fake.cut, SG_CLOSED);
	talk(SIZE_MAX);
	assert_true(body_is(id, "hellocut"));
	/* A client that does not end its request does not hold us up. */
	fake_pass(4000);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].closed_by, NGHTTP2_NO_ERROR + 1);
	assert_true(h2->ops->done(h2));
}

/* Nor does one that has its answer already. */
static void test_drain_after_the_answer(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_STREAM;
	id = request("POST", "/", SPAN_LIT("hello"), true);
	talk(SIZE_MAX);
	exchange_finish(fake.last);
	talk(SIZE_MAX);
	h2->ops->finish(h2, false);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].closed_by, 0);
	fake_pass(4000);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].closed_by, NGHTTP2_NO_ERROR + 1);
	assert_true(h2->ops->done(h2));
}

/* A stream that crosses the notice is told when the time is up. */
static void test_drain_crossed(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_STREAM;
	talk(SIZE_MAX);
	h2->ops->finish(h2, false);
	id = request("POST", "/", SPAN_LIT("hello"), true);
	talk(SIZE_MAX);
	assert_true(body_is(id, "hello"));
	fake_pass(2000);
	talk(SIZE_MAX);
	assert_true(body_is(id, "hellocut"));
	assert_int_equal(fake.cut, SG_CLOSED);
}

/* The client hangs up without an end of its request: what is answered is not
 * waited for. */
static void test_hangs_up(void **state)
{
	(void)state;
	fake.mode = FAKE_STREAM;
	(void)request("POST", "/", SPAN_LIT("hello"), true);
	talk(SIZE_MAX);
	exchange_finish(fake.last);
	talk(SIZE_MAX);
	assert_int_equal(fake.gone, 0); /* it is lingering */
	h2->ops->finish(h2, true);
	talk(SIZE_MAX);
	fake_pass(3000);
	talk(SIZE_MAX);
	assert_int_equal(fake.gone, 1);
	assert_true(h2->ops->done(h2));
}

static void test_reset(void **state)
{
	int32_t id;

	(void)state;
	fake.mode = FAKE_STREAM;
	fake.keep = true;
	id = request("POST", "/", span_of(large, 1000), true);
	talk(SIZE_MAX);
	assert_int_equal(nghttp2_submit_rst_stream(client, NGHTTP2_FLAG_NONE,
						   id, NGHTTP2_CANCEL),
			 0);
	talk(SIZE_MAX);
	assert_int_equal(fake.gone, 1);
	assert_false(h2->ops->streaming(h2));
	assert_int_equal(fake_front->body_bytes, 0);
	/* The connection's window is whole: a large body comes through. */
	fake.keep = false;
	id = request("POST", "/", span_of(large, sizeof(large)), false);
	talk(SIZE_MAX);
	assert_int_equal(streams[id].body.len, LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_answer_while_it_comes),
		T(test_no_limit),
		T(test_backlog),
		T(test_slow_reader),
		T(test_drain),
		T(test_drain_after_the_answer),
		T(test_drain_crossed),
		T(test_hangs_up),
		T(test_reset),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
