/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the ledger. */
#include "ceremony/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "lives.h"

static void make(const char *label)
{
	operation(OPERATION_GENERATE, label);
	o.hsm = SPAN_LIT("l");
	o.alg = COSE_EDDSA;
	o.kinds = 0;
	assert_null(done());
	assert_true(key(label)->ledger);
}

/* All anew, with the key of signerd.yaml. */
static void begin_with_ledger(void)
{
	const struct life l = {.label = "ledger",
			       .hsm = "l",
			       .alg = COSE_EDDSA,
			       .ledger = true};

	begin();
	assert_int_equal(lifecycle_adopt(&life, &l), SG_OK);
}

static void expect_no_due(void)
{
	struct life_event e;

	assert_false(lifecycle_due(&life, now, &e));
}

static void test_change(void **state)
{
	(void)state;
	begin_with_ledger();
	make("l2");
	assert_false(life_signs_ledger(key("l2")));
	now += 5;
	must(OPERATION_LOG_KEY, "l2");
	assert_true(life_signs_ledger(key("l2")));
	assert_true(life_signs_ledger(key("ledger")));
	assert_int_equal(key("ledger")->retire, now + LEAD);
	assert_int_equal(key("l2")->retire, 0);
	/* Not another one meanwhile. */
	make("l3");
	assert_non_null(strstr(asked(OPERATION_LOG_KEY, "l3"), "wait"));
	now += LEAD - 1;
	expect_no_due();
	now++;
	expect_due("ledger", KEY_RETIRED, now);
	expect_no_due();
	must(OPERATION_LOG_KEY, "l3");
	now += LEAD;
	expect_due("l2", KEY_RETIRED, now);
	/* Made by officers, it can be destroyed by them. */
	must(OPERATION_DESTROY, "l2");
	assert_non_null(strstr(asked(OPERATION_DESTROY, "ledger"),
			       "signerd.yaml names it"));
	assert_true(life_signs_ledger(key("l3")));
}

/* The ledger is never without a key. */
static void test_last_one_stays(void **state)
{
	(void)state;
	begin_with_ledger();
	make("l2");
	assert_non_null(asked(OPERATION_RETIRE, "ledger"));
	assert_non_null(asked(OPERATION_COMPROMISE, "ledger"));
	assert_non_null(asked(OPERATION_STOP, "ledger"));
	must(OPERATION_LOG_KEY, "l2");
	assert_non_null(asked(OPERATION_RETIRE, "l2"));
	/* The old one may go at another time, or at once. */
	operation(OPERATION_RETIRE, "ledger");
	o.retire = now + 2 * LEAD;
	assert_null(done());
	now += LEAD;
	expect_no_due();
	must(OPERATION_COMPROMISE, "ledger");
	assert_int_equal(key("ledger")->retire, 0);
	assert_non_null(asked(OPERATION_RETIRE, "l2"));
	assert_non_null(asked(OPERATION_COMPROMISE, "l2"));
	/* One that never signed can go as it likes. */
	make("l3");
	must(OPERATION_COMPROMISE, "l3");
	make("l4");
	must(OPERATION_DESTROY, "l4");
}

static void test_refused(void **state)
{
	static const enum operation_kind never[] = {
		OPERATION_REQUEST,  OPERATION_IMPORT, OPERATION_PUBLISH,
		OPERATION_ACTIVATE, OPERATION_STOP,   OPERATION_START};

	(void)state;
	begin_with_ledger();
	make("l2");
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_non_null(strstr(asked(never[i], "l2"), "of the ledger"));
	assert_non_null(asked(OPERATION_RETIRE, "l2"));
	/* Another public key than the one that was made. */
	operation(OPERATION_LOG_KEY, "l2");
	o.spki = SPAN_LIT("spkj");
	assert_non_null(strstr(lifecycle_refuses(&life, &o, now), "public"));
	assert_non_null(asked(OPERATION_LOG_KEY, "ledger"));
	assert_non_null(asked(OPERATION_LOG_KEY, "none"));
	generate("k", "a", DCC_ALL_KINDS);
	assert_non_null(strstr(asked(OPERATION_LOG_KEY, "k"), "certificates"));
}

/* The new key is good for nothing: the old one goes on. */
static void test_given_up(void **state)
{
	(void)state;
	begin_with_ledger();
	make("l2");
	must(OPERATION_LOG_KEY, "l2");
	must(OPERATION_COMPROMISE, "l2");
	assert_int_equal(key("l2")->state, KEY_COMPROMISED);
	assert_int_equal(key("ledger")->retire, 0);
	now += 2 * LEAD;
	expect_no_due();
	assert_true(life_signs_ledger(key("ledger")));
	assert_non_null(asked(OPERATION_COMPROMISE, "ledger"));
	make("l3");
	must(OPERATION_LOG_KEY, "l3");
	assert_int_equal(key("ledger")->retire, now + LEAD);
}

/* A retirement that a restart does not know of: never are there three. */
static void test_two_at_most(void **state)
{
	struct outcome out = {.spki = SPAN_LIT("spki")};

	(void)state;
	begin_with_ledger();
	make("l2");
	make("l3");
	must(OPERATION_LOG_KEY, "l2");
	now += 2 * LEAD; /* and nothing is done that is due */
	operation(OPERATION_LOG_KEY, "l3");
	out.time = now;
	assert_int_equal(lifecycle_apply(&life, &o, &out), SG_OK);
	assert_int_equal(key("ledger")->state, KEY_RETIRED);
	assert_true(life_signs_ledger(key("l2")));
	assert_int_equal(key("l2")->retire, now + LEAD);
	assert_int_equal(key("l3")->retire, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_last_one_stays),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_two_at_most),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	lifecycle_free(&life);
	return failed;
}
