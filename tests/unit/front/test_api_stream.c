/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hcert/cbor.h"
#include "stream_world.h"

/* --- what comes and what goes ------------------------------------------- */

/* Answers come in any order, and leave in that of the requests. */
static void test_order(void **state)
{
	const struct wire_issued good = issued();
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	uint64_t id[3];
	struct wire_msg m;
	struct wire_issue ask;

	(void)state;
	assert_false(e->begun);
	send_text(e, SPAN_LIT(ROW("one") ROW("two") ROW("three")));
	assert_true(e->begun);
	assert_int_equal(e->status, 200);
	assert_string_equal(e->type, NDJSON);
	m = core_takes(WIRE_ISSUE);
	id[0] = m.id;
	assert_int_equal(wire_get_issue(&m, &ask), SG_OK);
	assert_true(ask.bulk && !ask.dry_run);
	assert_true(span_is(ask.identity, "who"));
	id[1] = takes();
	id[2] = takes();
	core_issues(id[2], &good);
	core_refuses(id[1], SG_REFUSED, 0);
	assert_int_equal(e->n, 0);
	core_issues(id[0], &good);
	assert_int_equal(lines(e), 3);
	expect_line(e, 0, "one", 200);
	expect_line(e, 1, "two", 422);
	expect_line(e, 2, "three", 200);
	assert_false(e->finished);
	send_end(e);
	assert_true(e->finished);
	assert_int_equal(e->took, strlen(ROW("one") ROW("two") ROW("three")));
	close_stream(e);
}

/* One bad record is one problem, never the end of the stream. */
static void test_bad_records(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	static char large[BODY_MAX + 2];
	const struct wire_issued good = issued();
	json_t *doc;

	(void)state;
	memset(large, ' ', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\n';
	send_text(e, SPAN_LIT("no json\n\n{\"id\":\"a\",\"id\":1}\n[]\n"));
	send_text(e, span_of(large, sizeof(large) / 2));
	send_text(e, span_of(large + sizeof(large) / 2,
			     sizeof(large) - sizeof(large) / 2));
	assert_int_equal(lines(e), 5);
	send_text(e, SPAN_LIT("{\"id\":\"b\",\"dcc\":{}}")); /* no line end */
	send_end(e);
	assert_int_equal(lines(e), 5);
	core_issues(takes(), &good);
	assert_true(e->finished);
	for (unsigned i = 0; i < 4; i++)
		expect_line(e, i, "", 400);
	expect_line(e, 4, "", 413);
	doc = line(e, 4);
	assert_non_null(strstr(text(doc, "detail"), "at most 65536 bytes"));
	json_decref(doc);
	expect_line(e, 5, "b", 200);
	close_stream(e);
}

static void test_empty(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);

	(void)state;
	send_end(e);
	assert_true(e->begun && e->finished);
	assert_int_equal(e->n, 0);
	close_stream(e);
}

static void test_validations(void **state)
{
	struct wire_issued verdict = {.dry_run = true,
				      .ledger_index = WIRE_NO_LEDGER_INDEX};
	struct wire_end *e = open_stream("/v1/validations", NDJSON);
	struct wire_msg m;
	struct wire_issue ask;

	(void)state;
	send_text(e, SPAN_LIT(ROW("one")));
	m = core_takes(WIRE_ISSUE);
	assert_int_equal(wire_get_issue(&m, &ask), SG_OK);
	assert_true(ask.bulk && ask.dry_run);
	core_issues(m.id, &verdict);
	assert_string_equal(e->out,
			    "{\"id\":\"one\",\"verdict\":\"accept\"}\n");
	/* A certificate is no answer to this. */
	send_text(e, SPAN_LIT(ROW("two")));
	verdict = issued();
	core_issues(takes(), &verdict);
	expect_line(e, 1, "two", 500);
	send_end(e);
	assert_true(e->finished);
	close_stream(e);
}

static void test_cbor(void **state)
{
	/* {"id": "x", "dcc": {}}, a number, and the first one once more */
	static const char in[] = "\xa2\x62id\x61x\x63"
				 "dcc\xa0\x07\xa2\x62id\x61x\x63"
				 "dcc\xa0";
	struct wire_end *e = open_stream("/v1/certificates", CBOR_SEQ);
	const struct wire_issued good = issued();
	struct cbor_reader r;
	struct cbor_item item;

	(void)state;
	for (size_t i = 0; i < sizeof(in) - 1; i++)
		send_text(e, span_of(in + i, 1));
	assert_string_equal(e->type, CBOR_SEQ);
	core_issues(takes(), &good);
	core_issues(takes(), &good);
	send_end(e);
	assert_true(e->finished);
	r = cbor_read(span_of(e->out, e->n), CBOR_DETERMINISTIC);
	for (int i = 0; i < 3; i++) {
		struct cbor_reader map = r;

		assert_int_equal(cbor_next(&map, &item), SG_OK);
		assert_int_equal(item.type, CBOR_MAP);
		/* id, cose, uvci, kid, alg, iat, exp; or a problem's four */
		assert_int_equal(item.arg, i == 1 ? 4 : 7);
		assert_int_equal(cbor_skip(&r, 8, NULL), SG_OK);
	}
	assert_true(cbor_at_end(&r));
	close_stream(e);
}

static void test_cbor_is_lost(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", CBOR_SEQ);

	(void)state;
	send_text(e, SPAN_LIT("\x01\xff\x01\x01\x01"));
	assert_true(e->finished);
	assert_int_equal(e->took, 5);
	assert_int_equal(e->out[0] & 0xff, 0xa4); /* two problems */
	core_silent();
	close_stream(e);
}

/* --- pace ---------------------------------------------------------------- */

/* A quarter of the credit is left for single requests; what is answered makes
 * room for the next. */
static void test_credit(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	const struct wire_issued good = issued();
	uint64_t id[CREDIT];
	size_t sent = 0;
	size_t done = 0;
	struct wire_msg m;

	(void)state;
	for (int i = 0; i < 4 * CREDIT; i++)
		send_text(e, SPAN_LIT(ROW("x")));
	while (core_next(&m))
		id[sent++ % CREDIT] = m.id;
	assert_int_equal(sent, CREDIT - CREDIT / 4);
	while (done < (size_t)4 * CREDIT) {
		core_issues(id[done++ % CREDIT], &good);
		run();
		while (core_next(&m))
			id[sent++ % CREDIT] = m.id;
		assert_true(sent - done <= CREDIT - CREDIT / 4);
		assert_int_equal(lines(e), done);
	}
	send_end(e);
	assert_true(e->finished);
	close_stream(e);
}

/* Two streams share what there is. */
static void test_fair(void **state)
{
	struct wire_end *e[2];
	const struct wire_issued good = issued();
	struct wire_msg m;

	(void)state;
	core_credit(64);
	for (int i = 0; i < 2; i++) {
		e[i] = open_stream("/v1/certificates", NDJSON);
		for (int k = 0; k < 100; k++)
			exchange_data(&e[i]->x, SPAN_LIT(ROW("x")));
	}
	run();
	for (int i = 0; i < 96; i++) {
		assert_true(core_next(&m));
		core_issues(m.id, &good);
		run();
	}
	assert_in_range(lines(e[0]), 40, 56);
	assert_int_equal(lines(e[0]) + lines(e[1]), 96);
	while (core_next(&m)) {
		core_issues(m.id, &good);
		run();
	}
	for (int i = 0; i < 2; i++) {
		send_end(e[i]);
		assert_true(e[i]->finished);
		close_stream(e[i]);
	}
}

/* A reader that takes nothing: up to 4 MiB wait for it, and then its requests
 * do. */
static void test_slow_reader(void **state)
{
	static char row[2000];
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	size_t sent = 0;
	size_t before;

	(void)state;
	/* A bad record that is answered with more than it is long. */
	(void)snprintf(row, sizeof(row), "%s", "x\n");
	while (e->x.owed < EXCHANGE_BACKLOG_MAX && sent < 2000000) {
		send_text(e, SPAN_LIT("x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n"
				      "x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n"));
		sent += 25;
	}
	assert_true(e->x.owed >= EXCHANGE_BACKLOG_MAX);
	assert_in_range(e->waiting, (4 << 20) - 8192, (4 << 20) + 8192);
	before = lines(e);
	pass(60 * SECOND); /* it may */
	assert_int_equal(lines(e), before);
	assert_false(e->finished);
	e->n = 0;
	read_all(e);
	pass(2 * SECOND);
	assert_true(e->x.owed < EXCHANGE_BACKLOG_MAX);
	assert_true(lines(e) > 1000);
	/* But not for ever. */
	e->n = 0;
	e->waiting = 4 << 20;
	send_text(e, SPAN_LIT("x\n"));
	pass(130 * SECOND);
	assert_true(e->finished);
	assert_int_equal(lines(e), 1);
	expect_line(e, 0, "", 408);
	assert_int_equal(e->x.owed, 0);
	close_stream(e);
}

static void test_slow_sender(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);

	(void)state;
	/* A byte now and then keeps a record from its end, not the clock. */
	for (int i = 0; i < 122 && !e->finished; i++) {
		assert_true(i < 120 || e->n == 0);
		send_text(e, SPAN_LIT("x"));
		pass(1 * SECOND);
	}
	assert_true(e->finished);
	expect_line(e, 0, "", 408);
	close_stream(e);
}

static void test_idle(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	const struct wire_issued good = issued();

	(void)state;
	pass(50 * SECOND);
	send_text(e, SPAN_LIT(ROW("one")));
	core_issues(takes(), &good);
	read_all(e);
	pass(50 * SECOND);
	assert_false(e->finished);
	pass(15 * SECOND);
	assert_true(e->finished);
	assert_int_equal(lines(e), 2);
	expect_line(e, 1, "", 408);
	close_stream(e);
}

/* --- when something fails ----------------------------------------------- */

/* What was in flight is answered, what comes then waits for the core. */
static void test_core_restarts(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	const struct wire_issued good = issued();

	(void)state;
	front->settings.request_ms = 10000;
	send_text(e, SPAN_LIT(ROW("one") ROW("two")));
	(void)takes();
	core_dies();
	assert_int_equal(lines(e), 2);
	expect_line(e, 0, "one", 503);
	expect_line(e, 1, "two", 503);
	send_text(e, SPAN_LIT(ROW("three")));
	pass(3 * SECOND);
	assert_int_equal(lines(e), 2);
	core_connect(&loop, front->link);
	core_credit(CREDIT);
	pass(2 * SECOND);
	core_issues(takes(), &good);
	expect_line(e, 2, "three", 200);
	send_end(e);
	assert_true(e->finished);
	close_stream(e);
}

static void test_core_stays_away(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);

	(void)state;
	core_dies();
	send_text(e, SPAN_LIT(ROW("one")));
	pass(1 * SECOND);
	assert_int_equal(lines(e), 0);
	pass(5 * SECOND);
	expect_line(e, 0, "", 503);
	send_end(e);
	assert_true(e->finished);
	close_stream(e);
	core_connect(&loop, front->link);
}

/* "Not now" holds the stream up for a second: it does not run through its
 * records while there is no token. */
static void test_hold(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	const struct wire_issued good = issued();

	(void)state;
	send_text(e, SPAN_LIT(ROW("one")));
	core_refuses(takes(), SG_TOKEN_DOWN, 1);
	expect_line(e, 0, "one", 503);
	send_text(e, SPAN_LIT(ROW("two")));
	core_silent();
	pass(3 * SECOND);
	core_issues(takes(), &good);
	expect_line(e, 1, "two", 200);
	send_end(e);
	close_stream(e);
}

/* The server goes: what is in flight is answered, the rest is told. */
static void test_drain(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	const struct wire_issued good = issued();
	uint64_t id;

	(void)state;
	send_text(e, SPAN_LIT(ROW("one")));
	id = takes();
	api_cut(&e->x, SG_CLOSED, NULL);
	send_text(e, SPAN_LIT(ROW("two")));
	assert_false(e->finished);
	core_issues(id, &good);
	assert_true(e->finished);
	assert_int_equal(lines(e), 2);
	expect_line(e, 0, "one", 200);
	expect_line(e, 1, "", 503);
	close_stream(e);
	/* One that is at its end anyhow just ends. */
	e = open_stream("/v1/certificates", NDJSON);
	send_text(e, SPAN_LIT(ROW("one")));
	send_end(e);
	api_cut(&e->x, SG_CLOSED, NULL);
	core_issues(takes(), &good);
	assert_true(e->finished);
	assert_int_equal(lines(e), 1);
	close_stream(e);
}

/* The client goes, with all in flight. */
static void test_gone(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	const struct wire_issued good = issued();
	uint64_t id[2];

	(void)state;
	send_text(e, SPAN_LIT(ROW("one") ROW("two") "{\"id\""));
	id[0] = takes();
	id[1] = takes();
	core_issues(id[1], &good);
	close_stream(e);
	core_issues(id[0], &good); /* nobody waits */
	assert_int_equal(core_link_in_flight(front->link), 0);
}

/* What the ledger knows stands in each line, as in a single answer. */
static void test_on_record(void **state)
{
	struct wire_end *e = open_stream("/v1/certificates", NDJSON);
	struct wire_issued m = issued();
	const json_t *part;
	json_t *doc;

	(void)state;
	m.ledger_index = INT64_C(1) << 40;
	send_text(e, SPAN_LIT(ROW("one") ROW("two")));
	core_issues(takes(), &m);
	m.ledger_index = 0;
	m.replayed = true;
	core_issues(takes(), &m);
	send_end(e);
	doc = line(e, 0);
	part = json_object_get(doc, "ledger");
	assert_string_equal(text(part, "origin"), "log.example");
	assert_true(json_integer_value(json_object_get(part, "index")) ==
		    INT64_C(1) << 40);
	assert_null(json_object_get(doc, "replayed"));
	json_decref(doc);
	doc = line(e, 1);
	part = json_object_get(doc, "ledger");
	assert_true(json_is_integer(json_object_get(part, "index")));
	assert_int_equal(json_integer_value(json_object_get(part, "index")), 0);
	assert_true(json_is_true(json_object_get(doc, "replayed")));
	json_decref(doc);
	close_stream(e);
}

static void test_cbor_on_record(void **state)
{
	static const char in[] = "\xa2\x62id\x61x\x63"
				 "dcc\xa0";
	struct wire_end *e = open_stream("/v1/certificates", CBOR_SEQ);
	struct wire_issued m = issued();

	(void)state;
	m.ledger_index = 41;
	m.replayed = true;
	send_text(e, span_of(in, sizeof(in) - 1));
	core_issues(takes(), &m);
	send_end(e);
	assert_true(e->finished);
	/* {"origin": "log.example", "index": 41}, and true */
	assert_non_null(memmem(e->out, e->n,
			       "\x66ledger\xa2\x66origin\x6blog.example"
			       "\x65index\x18\x29",
			       35));
	assert_non_null(memmem(e->out, e->n, "\x68replayed\xf5", 10));
	close_stream(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_order),
		STREAM_TEST(test_bad_records),
		STREAM_TEST(test_empty),
		STREAM_TEST(test_validations),
		STREAM_TEST(test_cbor),
		STREAM_TEST(test_on_record),
		STREAM_TEST(test_cbor_on_record),
		STREAM_TEST(test_cbor_is_lost),
		STREAM_TEST(test_credit),
		STREAM_TEST(test_fair),
		STREAM_TEST(test_slow_reader),
		STREAM_TEST(test_slow_sender),
		STREAM_TEST(test_idle),
		STREAM_TEST(test_core_restarts),
		STREAM_TEST(test_core_stays_away),
		STREAM_TEST(test_hold),
		STREAM_TEST(test_drain),
		STREAM_TEST(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
