/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fake_core.h"

enum { CREDIT = 4, ASKERS = 8, PATIENCE_US = 5000000, DEADLINE_US = 2000000 };

struct asker {
	int calls;
	enum sg_err err;
	enum wire_type type; /* of the answer; 0 without one */
	int64_t exp;
};

static uv_loop_t loop;
static struct core_link *front_end;
static struct asker asker[ASKERS];
static struct {
	int calls, changes, bad;
	bool ready;
} seen;

static void on_status(void *ctx, const struct wire_status *s, bool changed)
{
	(void)ctx;
	seen.calls++;
	seen.changes += changed;
	seen.ready = s->ready;
}

static void on_bad(void *ctx)
{
	(void)ctx;
	seen.bad++;
}

static void on_answer(void *ctx, const struct wire_msg *m, enum sg_err err)
{
	struct asker *a = (struct asker *)ctx;
	struct wire_issued issued;

	a->calls++;
	a->err = err;
	if (m == NULL)
		return;
	a->type = m->type;
	if (m->type == WIRE_ISSUED) {
		assert_int_equal(wire_get_issued(m, &issued), SG_OK);
		a->exp = issued.exp;
	}
}

static void issues(uint64_t id, int64_t exp)
{
	const struct wire_issued m = {.exp = exp,
				      .alg = -7,
				      .ledger_index = WIRE_NO_LEDGER_INDEX,
				      .cose = SPAN_LIT("cose"),
				      .uvci = SPAN_LIT("uvci")};

	core_issues(id, &m);
}

static void connect_core(void)
{
	core_connect(&loop, front_end);
}

static enum sg_err issue(struct asker *a, uint64_t after_us, uint64_t *question)
{
	const struct wire_issue m = {.deadline_us = clock_mono_us() + after_us,
				     .identity = SPAN_LIT("identity"),
				     .request = SPAN_LIT("\xa0")};

	return core_link_issue(front_end, &m, on_answer, a, question);
}

static enum sg_err ask(struct asker *a, uint64_t *question)
{
	const struct wire_ask m = {.question = WIRE_ASK_KEYS,
				   .identity = SPAN_LIT("identity")};

	return core_link_ask(front_end, &m, on_answer, a, question);
}

static int setup(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	memset(asker, 0, sizeof(asker));
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(core_link_create(&loop, on_status, NULL, &front_end),
			 SG_OK);
	core_link_on_bad(front_end, on_bad, NULL);
	connect_core();
	core_credit(CREDIT);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	core_link_free(front_end);
	(void)close(core.fd);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void test_answers_reach_their_askers(void **state)
{
	uint64_t q[3];
	uint64_t id[3];

	(void)state;
	assert_int_equal(issue(&asker[0], DEADLINE_US, &q[0]), SG_OK);
	assert_int_equal(issue(&asker[1], DEADLINE_US, &q[1]), SG_OK);
	assert_int_equal(ask(&asker[2], &q[2]), SG_OK);
	assert_int_equal(core_link_in_flight(front_end), 3);
	id[0] = core_takes(WIRE_ISSUE).id;
	id[1] = core_takes(WIRE_ISSUE).id;
	id[2] = core_takes(WIRE_ASK).id;
	/* in another order than asked */
	core_tells(id[2], SPAN_LIT("\xa0"));
	issues(id[1], 77);
	core_refuses(id[0], SG_REFUSED, 0);
	assert_int_equal(core_link_in_flight(front_end), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(asker[i].calls, 1);
		assert_int_equal(asker[i].err, SG_OK);
	}
	assert_int_equal(asker[0].type, WIRE_PROBLEM);
	assert_int_equal(asker[1].type, WIRE_ISSUED);
	assert_int_equal(asker[1].exp, 77);
	assert_int_equal(asker[2].type, WIRE_ANSWER);
	assert_int_equal(seen.bad, 0);
}

static void test_message_arrives_whole(void **state)
{
	struct wire_issue got;
	struct wire_msg m;
	uint64_t q;

	(void)state;
	assert_int_equal(issue(&asker[0], DEADLINE_US, &q), SG_OK);
	assert_true(core_next(&m));
	assert_int_equal(wire_get_issue(&m, &got), SG_OK);
	assert_true(span_is(got.identity, "identity"));
	assert_true(span_is(got.request, "\xa0"));
	assert_true(got.deadline_us > clock_mono_us());
}

static void test_credit(void **state)
{
	uint64_t q;
	uint64_t id = 0;

	(void)state;
	for (int i = 0; i < CREDIT; i++) {
		assert_int_equal(issue(&asker[i], DEADLINE_US, &q), SG_OK);
		id = core_takes(WIRE_ISSUE).id;
	}
	assert_int_equal(issue(&asker[4], DEADLINE_US, &q), SG_BUSY);
	assert_int_equal(ask(&asker[4], &q), SG_BUSY);
	assert_int_equal(asker[4].calls, 0);
	issues(id, 1);
	assert_int_equal(issue(&asker[4], DEADLINE_US, &q), SG_OK);
	core_credit(CREDIT + 1);
	assert_int_equal(issue(&asker[5], DEADLINE_US, &q), SG_OK);
}

/* What was forgotten takes up room in the core until it is answered. */
static void test_forgotten(void **state)
{
	uint64_t q[CREDIT];
	uint64_t id[CREDIT];

	(void)state;
	for (int i = 0; i < CREDIT; i++) {
		assert_int_equal(issue(&asker[i], DEADLINE_US, &q[i]), SG_OK);
		id[i] = core_takes(WIRE_ISSUE).id;
	}
	core_link_forget(front_end, q[1]);
	core_link_forget(front_end, q[1]); /* twice does no harm */
	assert_int_equal(core_link_in_flight(front_end), CREDIT - 1);
	assert_int_equal(issue(&asker[4], DEADLINE_US, &q[1]), SG_BUSY);
	issues(id[1], 1);
	assert_int_equal(asker[1].calls, 0);
	assert_int_equal(issue(&asker[4], DEADLINE_US, &q[1]), SG_OK);
	assert_int_equal(seen.bad, 0);
}

static enum sg_err issue_as(const char *identity, uint64_t *question)
{
	const struct wire_issue m = {.deadline_us =
					     clock_mono_us() + DEADLINE_US,
				     .identity = span_str(identity),
				     .request = SPAN_LIT("\xa0")};

	return core_link_issue(front_end, &m, on_answer, &asker[0], question);
}

/* A client that walks away from its requests does not use up the credit. */
static void test_abandoned(void **state)
{
	enum { SHARE = 4 }; /* of a credit of 16 */
	uint64_t id[SHARE + 1];
	uint64_t q;

	(void)state;
	core_credit(16);
	for (int i = 0; i <= SHARE; i++) {
		assert_int_equal(issue_as("walks away", &q), SG_OK);
		id[i] = core_takes(WIRE_ISSUE).id;
		core_link_forget(front_end, q);
	}
	assert_int_equal(issue_as("walks away", &q), SG_BUSY);
	assert_int_equal(issue_as("stays", &q), SG_OK);
	issues(core_takes(WIRE_ISSUE).id, 1);
	assert_int_equal(asker[0].calls, 1);
	issues(id[0], 1);
	assert_int_equal(asker[0].calls, 1);
	assert_int_equal(issue_as("walks away", &q), SG_OK);
	assert_int_equal(core_link_room(front_end), 16 - SHARE - 1);
	/* A new core knows nothing of the old one's. */
	core_dies();
	connect_core();
	core_credit(16);
	assert_int_equal(core_link_room(front_end), 16);
	for (int i = 0; i <= SHARE; i++) {
		assert_int_equal(issue_as("walks away", &q), SG_OK);
		core_link_forget(front_end, q);
	}
	assert_int_equal(issue_as("walks away", &q), SG_BUSY);
}

/* Nor does one that waits for all of them. */
static void test_room_for_others(void **state)
{
	uint64_t q;

	(void)state;
	core_credit(16);
	for (int i = 0; i < 14; i++)
		assert_int_equal(issue_as("greedy", &q), SG_OK);
	assert_int_equal(issue_as("greedy", &q), SG_BUSY);
	assert_int_equal(issue_as("other", &q), SG_OK);
	issues(core_takes(WIRE_ISSUE).id, 1);
	assert_int_equal(issue_as("greedy", &q), SG_OK);
}

static void test_answered_twice(void **state)
{
	uint64_t q;
	uint64_t id;

	(void)state;
	assert_int_equal(issue(&asker[0], DEADLINE_US, &q), SG_OK);
	assert_int_equal(issue(&asker[1], DEADLINE_US, &q), SG_OK);
	id = core_takes(WIRE_ISSUE).id;
	issues(id, 1);
	issues(id, 1);
	assert_int_equal(asker[0].calls, 1);
	assert_int_equal(seen.bad, 1);
	assert_int_equal(asker[1].err, SG_CORE_DOWN);
}

static void test_deadline_and_late_answer(void **state)
{
	const uint64_t end = clock_mono_us() + PATIENCE_US;
	uint64_t q;
	uint64_t id;

	(void)state;
	assert_int_equal(issue(&asker[0], 1000, &q), SG_OK);
	assert_int_equal(issue(&asker[1], 60000000, &q), SG_OK);
	id = core_takes(WIRE_ISSUE).id;
	while (asker[0].calls == 0 && clock_mono_us() < end)
		(void)uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(asker[0].calls, 1);
	assert_int_equal(asker[0].err, SG_TIMED_OUT);
	assert_int_equal(asker[1].calls, 0);
	issues(id, 1); /* late: it finds nobody */
	assert_int_equal(asker[0].calls, 1);
	assert_int_equal(asker[1].calls, 0);
	assert_int_equal(seen.bad, 0);
	issues(core_takes(WIRE_ISSUE).id, 2);
	assert_int_equal(asker[1].calls, 1);
}

static void test_death_and_restart(void **state)
{
	uint64_t q;
	uint64_t old;

	(void)state;
	core_status_is(true, 1);
	assert_non_null(core_link_status(front_end));
	assert_int_equal(issue(&asker[0], DEADLINE_US, &q), SG_OK);
	assert_int_equal(ask(&asker[1], &q), SG_OK);
	old = core_takes(WIRE_ISSUE).id;
	core_dies();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(asker[i].calls, 1);
		assert_int_equal(asker[i].err, SG_CORE_DOWN);
	}
	assert_null(core_link_status(front_end));
	assert_int_equal(issue(&asker[2], DEADLINE_US, &q), SG_CORE_DOWN);
	assert_int_equal(seen.bad, 0);
	connect_core();
	/* no credit yet: the new core is still starting */
	assert_int_equal(issue(&asker[2], DEADLINE_US, &q), SG_CORE_DOWN);
	core_credit(CREDIT);
	assert_int_equal(issue(&asker[2], DEADLINE_US, &q), SG_OK);
	assert_int_not_equal(core_takes(WIRE_ISSUE).id, old);
}

static void test_new_link_replaces_old(void **state)
{
	const int old = core.fd;
	uint64_t q;
	char byte;

	(void)state;
	assert_int_equal(issue(&asker[0], DEADLINE_US, &q), SG_OK);
	connect_core();
	assert_int_equal(asker[0].err, SG_CORE_DOWN);
	turn();
	assert_int_equal(recv(old, &byte, 1, 0) > 0 ? 1 : 0, 0);
	(void)close(old);
	core_credit(CREDIT);
	assert_int_equal(issue(&asker[1], DEADLINE_US, &q), SG_OK);
	issues(core_takes(WIRE_ISSUE).id, 1);
	assert_int_equal(asker[1].calls, 1);
}

static void test_status(void **state)
{
	const struct wire_status *s;

	(void)state;
	assert_null(core_link_status(front_end));
	core_status_is(false, 1);
	s = core_link_status(front_end);
	assert_non_null(s);
	assert_false(s->ready);
	assert_true(span_is(s->reason, "no signing key"));
	assert_true(span_is(s->ledger_origin, "log.example"));
	assert_int_equal(seen.changes, 0);
	core_status_is(true, 1);
	assert_int_equal(seen.changes, 0);
	assert_true(core_link_status(front_end)->ready);
	core_status_is(true, 2);
	assert_int_equal(seen.changes, 1);
	core_dies();
	connect_core();
	core_status_is(true, 2);
	assert_int_equal(seen.changes, 1);
	core_dies();
	connect_core();
	core_status_is(true, 3); /* changed while the core was down */
	assert_int_equal(seen.changes, 2);
	assert_int_equal(seen.calls, 5);
}

static void expect_bad(void)
{
	uint64_t q;

	turn();
	assert_int_equal(seen.bad, 1);
	assert_int_equal(issue(&asker[7], DEADLINE_US, &q), SG_CORE_DOWN);
}

static void test_bad_unasked_answer(void **state)
{
	(void)state;
	issues(12345, 1);
	expect_bad();
}

static void test_bad_answer_of_wrong_kind(void **state)
{
	uint64_t q;

	(void)state;
	assert_int_equal(issue(&asker[0], DEADLINE_US, &q), SG_OK);
	core_tells(core_takes(WIRE_ISSUE).id, SPAN_LIT("\xa0"));
	expect_bad();
	assert_int_equal(asker[0].calls, 1);
	assert_int_equal(asker[0].err, SG_CORE_DOWN);
}

static void test_bad_message(void **state)
{
	struct wire_packet w = core_packet();
	uint64_t q;

	(void)state;
	assert_int_equal(issue(&asker[0], DEADLINE_US, &q), SG_OK);
	assert_int_equal(wire_put_bare(&w, WIRE_DRAIN), SG_OK);
	core_send(&w);
	expect_bad();
	assert_int_equal(asker[0].err, SG_CORE_DOWN);
}

static void test_bad_bytes(void **state)
{
	uint8_t junk[64];
	const struct wire_packet w = {.buf = junk, .len = sizeof(junk)};

	(void)state;
	memset(junk, 0xa5, sizeof(junk));
	core_send(&w);
	expect_bad();
}

static void test_too_big(void **state)
{
	static uint8_t big[WIRE_REQUEST_MAX + 1];
	struct wire_issue m = {.deadline_us = clock_mono_us() + DEADLINE_US,
			       .identity = SPAN_LIT("identity"),
			       .request = span_of(big, sizeof(big))};
	uint64_t q;

	(void)state;
	assert_int_equal(
		core_link_issue(front_end, &m, on_answer, &asker[0], &q),
		SG_TOO_BIG);
	m.request.n = WIRE_REQUEST_MAX;
	assert_int_equal(
		core_link_issue(front_end, &m, on_answer, &asker[0], &q),
		SG_OK);
	issues(core_takes(WIRE_ISSUE).id, 5);
	assert_int_equal(asker[0].exp, 5);
}

/* An answer may lead to the next question, and to another being forgotten. */
static uint64_t to_forget;

static void on_answer_forget(void *ctx, const struct wire_msg *m,
			     enum sg_err err)
{
	uint64_t q;

	on_answer(ctx, m, err);
	core_link_forget(front_end, to_forget);
	(void)issue(&asker[6], DEADLINE_US, &q);
}

static void test_calls_from_inside_an_answer(void **state)
{
	const struct wire_ask m = {.question = WIRE_ASK_KEYS,
				   .identity = SPAN_LIT("identity")};
	uint64_t q;

	(void)state;
	assert_int_equal(
		core_link_ask(front_end, &m, on_answer_forget, &asker[0], &q),
		SG_OK);
	assert_int_equal(ask(&asker[1], &to_forget), SG_OK);
	core_dies();
	assert_int_equal(asker[0].calls, 1);
	assert_int_equal(asker[1].calls, 0);
	assert_int_equal(asker[6].calls, 0);
	assert_int_equal(core_link_in_flight(front_end), 0);
	connect_core();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_answers_reach_their_askers),
		TEST(test_message_arrives_whole),
		TEST(test_credit),
		TEST(test_forgotten),
		TEST(test_abandoned),
		TEST(test_room_for_others),
		TEST(test_answered_twice),
		TEST(test_deadline_and_late_answer),
		TEST(test_death_and_restart),
		TEST(test_new_link_replaces_old),
		TEST(test_status),
		TEST(test_bad_unasked_answer),
		TEST(test_bad_answer_of_wrong_kind),
		TEST(test_bad_message),
		TEST(test_bad_bytes),
		TEST(test_too_big),
		TEST(test_calls_from_inside_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
