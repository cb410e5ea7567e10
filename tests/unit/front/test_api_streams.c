/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream_world.h"

/* Many streams at a time: what they leave to each other and to others. */

static uint8_t other_identity[] = "other";
static const struct peer OTHER = {
	.identity_n = 5, .identity = other_identity, .not_after = INT64_MAX};

/* Answer N questions of the core, or all there are. */
static void answer_some(unsigned n)
{
	const struct wire_issued good = issued();
	struct wire_msg m;

	for (unsigned i = 0; i < n && core_next(&m); i++) {
		core_issues(m.id, &good);
		run();
	}
}

/* More streams than there is room for: none of them is always the last, and
 * another client need not wait behind all of them. */
static void test_fair_clients(void **state)
{
	enum { STREAMS_N = 8, ROWS = 40, CREDIT_N = 64 };
	struct wire_end *e[STREAMS_N];
	struct wire_end *other;

	(void)state;
	core_credit(CREDIT_N);
	for (int i = 0; i < STREAMS_N; i++) {
		e[i] = open_stream("/v1/certificates", NDJSON);
		for (int k = 0; k < ROWS; k++)
			exchange_data(&e[i]->x, SPAN_LIT(ROW("x")));
	}
	run();
	other = open_stream_of(&OTHER, "/v1/certificates", NDJSON);
	send_text(other, SPAN_LIT(ROW("y")));
	answer_some(CREDIT_N + CREDIT_N / 4);
	assert_int_equal(lines(other), 1);
	answer_some(CREDIT_N);
	for (int i = 0; i < STREAMS_N; i++)
		assert_true(lines(e[i]) > 0);
	answer_some(STREAMS_N * ROWS);
	for (int i = 0; i < STREAMS_N; i++) {
		assert_int_equal(lines(e[i]), ROWS);
		close_stream(e[i]);
	}
	close_stream(other);
	assert_int_equal(front->api->nclients, 0);
}

/* Bad records until no more of them are taken. */
static void fill(struct wire_end *e)
{
	static char rows[EXCHANGE_BACKLOG_MAX];

	for (size_t i = 0; i < sizeof(rows); i++)
		rows[i] = i % 2 == 0 ? 'x' : '\n';
	while (e->x.owed < EXCHANGE_BACKLOG_MAX) {
		exchange_data(&e->x, span_of(rows, sizeof(rows)));
		for (int i = 0; i < 300; i++)
			run();
	}
}

/* Readers that take nothing, as many as a client likes: it does not cost
 * others theirs, and all together have a limit. */
static void test_many_slow_readers(void **state)
{
	enum { STREAMS_N = 24, MIB = 1 << 20 };
	struct wire_end *e[STREAMS_N];
	struct wire_end *other;
	size_t waiting = 0;

	(void)state;
	for (int i = 0; i < STREAMS_N; i++) {
		e[i] = open_stream("/v1/certificates", NDJSON);
		fill(e[i]);
		waiting += e[i]->waiting;
		assert_true(e[i]->waiting > 8192);
	}
	assert_int_equal(front->api->answers, waiting);
	assert_in_range(waiting, 60 * MIB, 69 * MIB);
	other = open_stream_of(&OTHER, "/v1/certificates", NDJSON);
	fill(other);
	assert_true(other->waiting > 4 * MIB - 8192);
	for (int i = 0; i < STREAMS_N; i++) {
		exchange_gone(&e[i]->x);
		free(e[i]->out);
		free(e[i]);
	}
	close_stream(other);
	assert_int_equal(front->api->answers, 0);
}

/* Requests that nobody has looked at: a client has its share of the memory,
 * and what has no place is paid back. */
static void test_many_senders(void **state)
{
	enum { STREAMS_N = 65, MIB = 1 << 20, ALL = 256 * MIB };
	static char rows[MIB];
	struct wire_end *e[STREAMS_N];
	struct wire_end *other;

	(void)state;
	memset(rows, '\n', sizeof(rows));
	for (int i = 0; i < STREAMS_N; i++) {
		e[i] = open_stream("/v1/certificates", NDJSON);
		exchange_data(&e[i]->x, span_of(rows, sizeof(rows)));
		assert_int_equal(e[i]->finished, i == STREAMS_N - 1);
	}
	expect_line(e[STREAMS_N - 1], 0, "", 503);
	assert_int_equal(e[STREAMS_N - 1]->took, MIB);
	other = open_stream_of(&OTHER, "/v1/certificates", NDJSON);
	exchange_data(&other->x, span_of(rows, sizeof(rows)));
	assert_false(other->finished);
	front->body_bytes += ALL - 65 * MIB;
	exchange_data(&other->x, SPAN_LIT("x\n"));
	expect_line(other, 0, "", 503);
	assert_int_equal(other->took, MIB + 2);
	front->body_bytes -= ALL - 65 * MIB;
	for (int i = 0; i < STREAMS_N; i++) {
		exchange_gone(&e[i]->x);
		free(e[i]->out);
		free(e[i]);
	}
	close_stream(other);
}

/* What a front finds wrong has its violation, in its place. */
static void test_renewals(void **state)
{
	const struct wire_issued good = issued();
	struct wire_end *e = open_stream("/v1/renewals", NDJSON);
	struct wire_issue ask;
	struct wire_msg m;
	json_t *doc;

	(void)state;
	send_text(e, SPAN_LIT(ROW("one")));
	send_text(e, SPAN_LIT("{\"id\":\"two\",\"hcert\":\"HC1:?\"}\n"));
	m = core_takes(WIRE_ISSUE);
	core_silent();
	assert_int_equal(wire_get_issue(&m, &ask), SG_OK);
	assert_true(ask.bulk && ask.renew && !ask.dry_run);
	assert_int_equal(e->n, 0);
	core_issues(m.id, &good);
	assert_int_equal(lines(e), 2);
	expect_line(e, 0, "one", 200);
	expect_line(e, 1, "two", 422);
	doc = line(e, 1);
	assert_string_equal(
		text(json_array_get(json_object_get(doc, "violations"), 0),
		     "pointer"),
		"/hcert");
	json_decref(doc);
	send_end(e);
	assert_true(e->finished);
	close_stream(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_fair_clients),
		STREAM_TEST(test_many_slow_readers),
		STREAM_TEST(test_many_senders),
		STREAM_TEST(test_renewals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
