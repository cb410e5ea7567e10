/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony_watch: what keys have signed, and what runs out. */
#include "ceremony_operations.h"

static enum wire_type issue(struct world *w, unsigned serial)
{
	const struct ask ask = {.serial = serial};

	front_issue(&w->o->front[0], serial, &ask);
	OFFICE_WAIT(w->o, front_answer(&w->o->front[0], serial) != NULL);
	return front_answer(&w->o->front[0], serial)->type;
}

static struct life *life(struct world *w, const char *key)
{
	return lifecycle_find(&ceremony_of(w)->life, span_str(key));
}

/* Not before the last certificate has run out; but what has signed nothing, at
 * once. */
static void test_destroy(void **state)
{
	struct world *w = world_open();

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	assert_done(w, activate(w, "dsc-2", 0));
	assert_int_equal(issue(w, 1), WIRE_ISSUED);
	assert_int_equal(ceremony_signed(ceremony_of(w), life(w, "dsc-2")), 1);
	assert_refused(w, simple(w, OPERATION_DESTROY, "dsc-2"), SG_CONFLICT,
		       "it signs");
	assert_done(w, simple(w, OPERATION_RETIRE, "dsc-2"));
	assert_refused(w, simple(w, OPERATION_DESTROY, "dsc-2"), SG_CONFLICT,
		       "more days");
	/* Also after an end that nobody expected. */
	world_end(w);
	place_remove(w->p, "key-usage");
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	add_hsms(w);
	link_smith(w);
	OFFICE_WAIT(w->o, key_usage_complete(ceremony_of(w)->usage));
	OFFICE_UNTIL(w->o, 500, false);
	assert_int_equal(ceremony_signed(ceremony_of(w), life(w, "dsc-2")), 1);
	assert_refused(w, simple(w, OPERATION_DESTROY, "dsc-2"), SG_CONFLICT,
		       "more days");
	/* The other one has signed nothing. */
	assert_int_equal(w->smith.asked, 2);
	assert_done(w, simple(w, OPERATION_DESTROY, "dsc-1"));
	assert_int_equal(state_of(w, "dsc-1"), KEY_DESTROYED);
	world_close(w);
}

static void test_signatures(void **state)
{
	struct world *w = world_open();
	struct ceremony_warnings warnings;
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	(void)state;
	assert_done(w, genesis(w));
	begin_operation(w, &o, OPERATION_GENERATE, "dsc-2", nonce);
	o.hsm = SPAN_LIT("one");
	o.alg = COSE_ES256;
	o.kinds = DCC_ALL_KINDS;
	o.country = SPAN_LIT("VN");
	o.signatures = 2;
	assert_done(w, operate(w, &o, EVERYBODY));
	assert_done(w, request(w, "dsc-2"));
	assert_done(w, import(w, "dsc-2", made(w, SPAN_LIT("dsc-2"))));
	OFFICE_WAIT(w->o, good(w, "dsc-2") > 0);
	assert_done(w, simple(w, OPERATION_PUBLISH, "dsc-2"));
	assert_done(w, activate(w, "dsc-2", 0));
	assert_int_equal(issue(w, 1), WIRE_ISSUED);
	assert_int_equal(issue(w, 2), WIRE_ISSUED);
	ceremony_warn(ceremony_of(w), life(w, "dsc-2"), clock_wall_s(),
		      &warnings);
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.text[0], "2 of the 2"));
	OFFICE_WAIT(w->o, state_of(w, "dsc-2") == KEY_RETIRED);
	assert_int_equal(issue(w, 3), WIRE_PROBLEM);
	OFFICE_UNTIL(w->o, 300, false);
	world_end(w);
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	add_hsms(w);
	OFFICE_WAIT(w->o, state_of(w, "dsc-2") == KEY_RETIRED);
	world_close(w);
}

static void test_warnings(void **state)
{
	struct world *w = world_open();
	struct ceremony *c;
	struct ceremony_warnings warnings;
	struct life *l;
	const int64_t now = clock_wall_s();

	(void)state;
	assert_done(w, genesis(w));
	c = ceremony_of(w);
	l = life(w, "dsc-1");
	ceremony_warn(c, l, now, &warnings);
	assert_int_equal(warnings.n, 0);
	l->period_s = 86400;
	l->activated = now - 3600;
	ceremony_warn(c, l, now, &warnings);
	assert_int_equal(warnings.n, 1);
	assert_true(warnings.soon);
	assert_string_equal(warnings.text[0], "its period ends in 0 days");
	l->period_s = 2 * INT64_C(86400);
	ceremony_warn(c, l, now, &warnings);
	assert_string_equal(warnings.text[0], "its period ends in 1 day");
	l->period_s = 20 * INT64_C(86400);
	ceremony_warn(c, l, now, &warnings);
	assert_int_equal(warnings.n, 1);
	assert_false(warnings.soon);
	l->period_s = 0;
	/* The DSC is good for two years; what it signs, for nearly as long. */
	c->longest_s = 715 * INT64_C(86400);
	ceremony_warn(c, l, now, &warnings);
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.text[0], "before what it signs"));
	c->longest_s = 800 * INT64_C(86400);
	ceremony_warn(c, l, now, &warnings);
	assert_int_equal(warnings.n, 1);
	ceremony_watch(c, now);
	assert_int_equal(office_metric(w->o, METRIC_KEYS_ACTIVE), 1);
	assert_int_equal(office_metric(w->o, METRIC_KEYS_WARNED), 1);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_destroy),
					   cmocka_unit_test(test_signatures),
					   cmocka_unit_test(test_warnings)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
