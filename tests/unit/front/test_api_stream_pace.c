/* SPDX-License-Identifier: Apache-2.0 */
/* A stream whose client is over its rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hc1_world.h"
#include "stream_world.h"

enum { RATE = 100 };

struct asked {
	uint64_t id, deadline_us;
	size_t n, presented_n;
	uint8_t request[256], presented[64];
};

/* The next request that the core is asked for; false: there is none. */
static bool next_ask(struct asked *a)
{
	struct wire_issue ask;
	struct wire_msg m;

	if (!core_next(&m))
		return false;
	assert_int_equal(m.type, WIRE_ISSUE);
	assert_int_equal(wire_get_issue(&m, &ask), SG_OK);
	assert_true(ask.bulk && span_is(ask.identity, "who"));
	assert_true(ask.request.n <= sizeof(a->request));
	a->id = m.id;
	a->deadline_us = ask.deadline_us;
	a->n = ask.request.n;
	memcpy(a->request, ask.request.p, ask.request.n);
	assert_true(ask.presented.n <= sizeof(a->presented));
	a->presented_n = ask.presented.n;
	if (ask.presented.n > 0)
		memcpy(a->presented, ask.presented.p, ask.presented.n);
	return true;
}

static void put_off(const struct asked *a)
{
	core_puts_off(a->id, 10, RATE, span_of(a->request, a->n),
		      span_of(a->presented, a->presented_n));
}

static void send_rows(struct wire_end *e, unsigned from, unsigned n)
{
	char row[64];

	for (unsigned i = from; i < from + n; i++) {
		(void)snprintf(row, sizeof(row),
			       "{\"id\":\"%u\",\"dcc\":{\"ver\":\"1.3.0\"}}\n",
			       i);
		exchange_data(&e->x, span_str(row));
	}
	run();
}

/* What is put off is asked again, as it was, and answers keep their order. */
static void test_again(void **state)
{
	const struct wire_issued good = issued();
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	struct asked first = {0};
	struct asked second = {0};
	struct asked third = {0};
	struct asked again = {0};

	(void)state;
	send_rows(e, 0, 3);
	assert_true(next_ask(&first) && next_ask(&second) && next_ask(&third));
	put_off(&first);
	core_issues(second.id, &good);
	put_off(&third);
	run();
	assert_false(next_ask(&again)); /* not at once */
	assert_int_equal(lines(e), 0);
	send_end(e);
	assert_false(e->finished);
	pass(500);
	assert_true(next_ask(&again));
	assert_int_equal(again.n, first.n);
	assert_memory_equal(again.request, first.request, first.n);
	assert_true(again.deadline_us >= first.deadline_us);
	assert_true(again.id != first.id);
	core_issues(again.id, &good);
	assert_int_equal(lines(e), 2);
	expect_line(e, 0, "0", 200);
	expect_line(e, 1, "1", 200);
	assert_true(next_ask(&again));
	assert_memory_equal(again.request, third.request, third.n);
	put_off(&again); /* and again */
	pass(500);
	assert_true(next_ask(&again));
	core_refuses(again.id, SG_RATE, 5);
	expect_line(e, 2, "2", 429);
	assert_true(e->finished);
	close_stream(e);
}

/* What a renewal presents comes again with it. */
static void test_presented_again(void **state)
{
	const struct wire_issued good = issued();
	struct wire_end *e = open_stream("/v1/renewals", NDJSON);
	struct asked first = {0};
	struct asked again = {0};
	char row[1024];

	(void)state;
	(void)snprintf(row, sizeof(row), "{\"id\":\"0\",\"hcert\":\"%s\"}\n",
		       hc1());
	exchange_data(&e->x, span_str(row));
	exchange_data(&e->x, SPAN_LIT("{\"id\":\"1\",\"dcc\":{}}\n"));
	run();
	assert_true(next_ask(&first));
	assert_int_equal(first.presented_n, 64);
	put_off(&first);
	assert_true(next_ask(&again));
	assert_int_equal(again.presented_n, 0);
	put_off(&again);
	pass(500);
	assert_true(next_ask(&again));
	assert_int_equal(again.presented_n, 64);
	assert_memory_equal(again.presented, first.presented, 64);
	core_issues(again.id, &good);
	pass(500);
	assert_true(next_ask(&again));
	assert_int_equal(again.presented_n, 0);
	core_issues(again.id, &good);
	send_end(e);
	assert_int_equal(lines(e), 2);
	close_stream(e);
}

/* A tick of a core that lets through a hundred a second, of which it has
 * *TOKENS, and says so.  Returns how often it was asked. */
static size_t serve_tick(struct wire_end *e, size_t *tokens)
{
	const struct wire_issued good = issued();
	struct asked a = {0};
	size_t n = 0;

	*tokens += RATE * WHEEL_TICK_MS / 1000;
	*tokens = *tokens < RATE ? *tokens : RATE;
	pass(WHEEL_TICK_MS);
	for (; next_ask(&a); n++) {
		if (*tokens == 0) {
			put_off(&a);
		} else {
			core_issues(a.id, &good);
			--*tokens;
		}
		read_all(e);
	}
	return n;
}

/* Nothing new is read before what is put off has been asked; then so much as
 * the rate brings, and no more. */
static void test_pace(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	struct asked a = {0};
	size_t n = 0;
	size_t tokens = 0;
	uint64_t ms;

	(void)state;
	send_rows(e, 0, 1);
	assert_true(next_ask(&a));
	put_off(&a);
	send_rows(e, 1, 2000);
	assert_false(next_ask(&a));
	for (ms = 0; lines(e) < 1000 && ms < 60000; ms += WHEEL_TICK_MS)
		n += serve_tick(e, &tokens);
	assert_in_range(ms, 9000, 11000);
	/* Not many were asked in vain. */
	assert_true(n < lines(e) * 3 / 2);
	for (unsigned i = 0; i < 1000; i += 111) {
		char id[16];

		(void)snprintf(id, sizeof(id), "%u", i);
		expect_line(e, i, id, 200);
	}
	close_stream(e);
}

/* A stream that rests is none of those that share the core. */
static void test_others(void **state)
{
	static uint8_t name[] = {"other"};
	const struct peer other = {
		.identity = name, .identity_n = 5, .not_after = INT64_MAX};
	struct wire_end *slow = open_stream("/v1/certificates", NDJSON);
	struct wire_end *quick =
		open_stream_of(&other, "/v1/certificates", NDJSON);
	struct asked a = {0};

	(void)state;
	send_rows(slow, 0, 100); /* more than there is credit */
	assert_int_equal(front->api->nclients, 1);
	while (next_ask(&a))
		put_off(&a);
	assert_int_equal(core_link_room(front->link),
			 core_link_credit(front->link));
	assert_int_equal(front->api->nclients, 0);
	send_rows(quick, 0, 1);
	assert_int_equal(core_takes(WIRE_ISSUE).type, WIRE_ISSUE);
	close_stream(slow);
	close_stream(quick);
	assert_int_equal(front->api->paced_of[shares_index(SPAN_LIT("who"))],
			 0);
	assert_int_equal(front->api->input_of[shares_index(SPAN_LIT("who"))],
			 0);
}

/* More is put off than the stream may have in flight by now: it goes on. */
static void test_smaller_share(void **state)
{
	enum { ROWS = 48, ROOM = 64 };
	static uint8_t name[] = {"other"};
	const struct peer other = {
		.identity = name, .identity_n = 5, .not_after = INT64_MAX};
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	struct wire_end *second =
		open_stream_of(&other, "/v1/certificates", NDJSON);
	static struct asked a[ROWS];

	(void)state;
	core_credit(ROOM);
	send_rows(e, 0, ROWS + 10);
	for (size_t i = 0; i < ROWS; i++)
		assert_true(next_ask(&a[i]));
	for (size_t i = 0; i < ROWS; i++)
		put_off(&a[i]);
	exchange_data(&second->x, SPAN_LIT(ROW("x")));
	core_credit(ROOM / 2); /* a share of 24 at most */
	run();
	(void)takes(); /* the other's, which is not answered */
	pass(500);
	assert_true(next_ask(&a[0]));
	close_stream(e);
	close_stream(second);
}

/* It comes to its end: what is put off may be sent again. */
static void test_cut(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	struct asked a = {0};
	struct asked b = {0};

	(void)state;
	send_rows(e, 0, 2);
	assert_true(next_ask(&a) && next_ask(&b));
	put_off(&a);
	exchange_refuse(&e->x, SG_CLOSED, NULL);
	run();
	assert_int_equal(lines(e), 1);
	expect_line(e, 0, "0", 503);
	put_off(&b); /* too late for another time */
	expect_line(e, 1, "1", 503);
	assert_true(e->finished);
	close_stream(e);
}

/* The core goes while something is put off. */
static void test_core_gone(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	struct asked a = {0};

	(void)state;
	send_rows(e, 0, 2);
	assert_true(next_ask(&a));
	put_off(&a);
	core_dies();
	pass(front->settings.request_ms + 4 * SECOND);
	expect_line(e, 0, "0", 503);
	expect_line(e, 1, "1", 503);
	close_stream(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_again),
		STREAM_TEST(test_pace),
		STREAM_TEST(test_others),
		STREAM_TEST(test_smaller_share),
		STREAM_TEST(test_cut),
		STREAM_TEST(test_core_gone),
		STREAM_TEST(test_presented_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
