/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony_gap: keys that go on past their time, for nothing follows them. */
#include "ceremony_operations.h"

static void assert_issues(struct world *w, uint64_t id)
{
	const struct ask ask = {.serial = (unsigned)id};

	front_issue(&w->o->front[0], id, &ask);
	OFFICE_WAIT(w->o, front_answer(&w->o->front[0], id) != NULL);
	assert_int_equal(front_answer(&w->o->front[0], id)->type, WIRE_ISSUED);
}

static enum sg_err retire(struct world *w, int64_t at, bool last)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_RETIRE, "dsc-1", nonce);
	o.retire = at;
	o.last = last;
	return operate(w, &o, EVERYBODY);
}

/* By one officer. */
static enum sg_err stop(struct world *w, const char *key)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_STOP, key, nonce);
	return operate(w, &o, 1);
}

/* A world in which dsc-2 is to follow dsc-1 in *AT. */
static struct world *open_rollover(int64_t *at, int64_t in_s)
{
	struct world *w = world_open();

	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	*at = clock_wall_s() + in_s;
	assert_done(w, activate(w, "dsc-2", *at));
	return w;
}

static void assert_warned(struct world *w, const char *key, const char *words)
{
	const struct life *l =
		lifecycle_find(&ceremony_of(w)->life, span_str(key));
	struct ceremony_warnings warnings;

	ceremony_warn(ceremony_of(w), l, clock_wall_s(), &warnings);
	if (words == NULL) {
		assert_int_equal(warnings.n, 0);
		return;
	}
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.text[0], words));
}

/* At the time of both no HSM has the key that comes: the one that goes stays,
 * also over a restart, until one has. */
static void test_restart(void **state)
{
	int64_t at;
	struct world *w = open_rollover(&at, 2);

	(void)state;
	assert_done(w, retire(w, at, false));
	assert_warned(w, "dsc-1", NULL);
	w->token.n = 0; /* dsc-2 is nowhere to be found */
	world_restart(w);
	OFFICE_WAIT(w->o, clock_wall_s() > at);
	OFFICE_UNTIL(w->o, 500, false);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	assert_warned(w, "dsc-1", "no other active key signs vtr");
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	assert_issues(w, 1);
	/* Nothing was recorded that a start would go by, either. */
	OFFICE_UNTIL(w->o, 500, false);
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	w->token.n = 1;
	OFFICE_WAIT(w->o, state_of(w, "dsc-2") == KEY_ACTIVE);
	OFFICE_WAIT(w->o, state_of(w, "dsc-1") == KEY_RETIRED);
	assert_issues(w, 2);
	world_close(w);
}

/* One officer stops the key that is to follow: that voids its time, and not
 * those certificates for which no other key is set. */
static void test_successor_stopped(void **state)
{
	int64_t at;
	struct world *w = open_rollover(&at, 2);

	(void)state;
	assert_done(w, retire(w, at, false));
	assert_done(w, stop(w, "dsc-2"));
	assert_warned(w, "dsc-1", "nothing is to follow it for vtr");
	OFFICE_WAIT(w->o, clock_wall_s() > at);
	OFFICE_UNTIL(w->o, 500, false);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	assert_warned(w, "dsc-1", "no other active key signs vtr");
	assert_issues(w, 1);
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	assert_issues(w, 2);
	/* Until one does. */
	OFFICE_WAIT(w->o, good(w, "dsc-2") > 0);
	assert_done(w, simple(w, OPERATION_START, "dsc-2"));
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	assert_done(w, activate(w, "dsc-2", 0));
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	assert_issues(w, 3);
	world_close(w);
}

/* Officers have said that it ends whatever follows it. */
static void test_last(void **state)
{
	int64_t at;
	struct world *w = open_rollover(&at, 2);

	(void)state;
	assert_done(w, retire(w, at, true));
	assert_done(w, stop(w, "dsc-2"));
	assert_warned(w, "dsc-1", NULL);
	OFFICE_WAIT(w->o, state_of(w, "dsc-1") == KEY_RETIRED);
	world_end(w);
	office_open_desk(w->o);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	world_close(w);
}

/* Of several that are over it is the one whose time was the last: the others
 * ended while that signed, also where the process was away then. */
static void test_latest(void **state)
{
	struct world *w = world_open();
	struct ceremony *c = ceremony_of(w);
	const int64_t now = clock_wall_s();
	struct life other = {.label = "dsc-x",
			     .hsm = "three",
			     .kinds = DCC_ALL_KINDS,
			     .retire = now - 5};
	struct life *l;

	(void)state;
	assert_done(w, genesis(w));
	lifecycle_find(&c->life, SPAN_LIT("dsc-1"))->retire = now - 10;
	assert_int_equal(lifecycle_adopt(&c->life, &other), SG_OK);
	ceremony_due(c, now, true);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	l = lifecycle_find(&c->life, SPAN_LIT("dsc-x"));
	assert_int_equal(l->state, KEY_ACTIVE);
	assert_int_equal(l->retire, now - 5);
	l->last = true;
	ceremony_due(c, now, true);
	assert_int_equal(l->state, KEY_RETIRED);
	world_close(w);
}

/* The process was away for the whole time of a key that took over: it is that
 * one that goes on, as if the process had been there. */
static void test_whole_time(void **state)
{
	struct world *w = world_open();
	struct ceremony *c = ceremony_of(w);
	const int64_t now = clock_wall_s();
	struct life *l;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	lifecycle_find(&c->life, SPAN_LIT("dsc-1"))->retire = now - 10;
	l = lifecycle_find(&c->life, SPAN_LIT("dsc-2"));
	l->activate = now - 9;
	l->retire = now - 5;
	ceremony_due(c, now, false);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	assert_int_equal(l->state, KEY_ACTIVE);
	assert_int_equal(l->retire, now - 5);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_successor_stopped),
		cmocka_unit_test(test_last), cmocka_unit_test(test_latest),
		cmocka_unit_test(test_whole_time)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
