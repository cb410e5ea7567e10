/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outage.h"

enum { SECOND_US = 1000000 };

static struct outage o;
static uint64_t now, starts, away_us;

static enum outage_news look(struct outage_view v)
{
	return outage_look(&o, &v, now, &starts, &away_us);
}

static int begin(void **state)
{
	(void)state;
	o = (struct outage){0};
	now = 1000 * (uint64_t)SECOND_US;
	return 0;
}

static void test_goes_and_comes_back(void **state)
{
	(void)state;
	/* Not there yet is not away. */
	assert_int_equal(look((struct outage_view){.starts = 2}),
			 OUTAGE_NO_NEWS);
	assert_int_equal(o.state, OUTAGE_UNKNOWN);
	assert_int_equal(look((struct outage_view){.up = 2, .starts = 2}),
			 OUTAGE_NO_NEWS);
	assert_int_equal(o.state, OUTAGE_NONE);
	/* One of two, and one that was told to end. */
	assert_int_equal(
		look((struct outage_view){.up = 1, .died = true, .starts = 2}),
		OUTAGE_NO_NEWS);
	assert_int_equal(look((struct outage_view){.starts = 2}),
			 OUTAGE_NO_NEWS);
	assert_int_equal(o.state, OUTAGE_NONE);
	/* All. */
	assert_int_equal(look((struct outage_view){.died = true, .starts = 3}),
			 OUTAGE_BEGINS);
	assert_int_equal(starts, 3);
	for (int i = 0; i < 59; i++, now += SECOND_US)
		assert_int_equal(
			look((struct outage_view){.died = true, .starts = 9}),
			OUTAGE_NO_NEWS);
	now += SECOND_US;
	assert_int_equal(look((struct outage_view){.died = true, .starts = 9}),
			 OUTAGE_LASTS);
	assert_int_equal(starts, 6);
	assert_int_equal(away_us, 60 * SECOND_US);
	assert_int_equal(look((struct outage_view){.died = true, .starts = 9}),
			 OUTAGE_NO_NEWS);
	/* Up is not yet back: it may die of its first signature. */
	now += SECOND_US;
	assert_int_equal(look((struct outage_view){.up = 1, .starts = 10}),
			 OUTAGE_NO_NEWS);
	assert_int_equal(o.state, OUTAGE_AWAY);
	now += SECOND_US;
	assert_int_equal(look((struct outage_view){.up = 1,
						   .steady_us = now - SECOND_US,
						   .starts = 11}),
			 OUTAGE_ENDS);
	assert_int_equal(starts, 2);
	assert_int_equal(away_us, 61 * SECOND_US);
	assert_int_equal(o.state, OUTAGE_NONE);
}

/* At the start of all. */
static void test_was_never_there(void **state)
{
	(void)state;
	assert_int_equal(look((struct outage_view){.died = true, .starts = 1}),
			 OUTAGE_BEGINS);
	assert_int_equal(o.state, OUTAGE_AWAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_goes_and_comes_back, begin),
		cmocka_unit_test_setup(test_was_never_there, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
