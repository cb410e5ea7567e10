/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/civil.h"

/* Every day of 800 years, there and back, against the C library's calendar. */
static void test_days(void **state)
{
	(void)state;
	for (int64_t day = civil_days(1600, 1, 1); day < civil_days(2400, 1, 1);
	     day++) {
		const time_t seconds = (time_t)day * 86400;
		const struct civil c = civil_of(day);
		struct tm tm;

		assert_non_null(gmtime_r(&seconds, &tm));
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_true(civil_days(c.year, c.month, c.day) == day);
		assert_in_range(c.day, 1, civil_month_days(c.year, c.month));
	}
	assert_true(civil_days(1970, 1, 1) == 0);
	assert_true(civil_days(2000, 3, 1) - civil_days(2000, 2, 28) == 2);
	assert_true(civil_days(1900, 3, 1) - civil_days(1900, 2, 28) == 1);
}

/* A day may lie beyond its month. */
static void test_beyond(void **state)
{
	(void)state;
	assert_true(civil_days(2021, 2, 29) == civil_days(2021, 3, 1));
	assert_true(civil_days(2021, 1, 400) == civil_days(2022, 2, 4));
	assert_true(civil_days(0, 3, 1) == -719468);
	assert_int_equal(civil_of(-719469).month, 2);
	assert_int_equal(civil_of(-719469).day, 29);
}

static void test_floor(void **state)
{
	(void)state;
	assert_true(civil_floor(0, 10) == 0 && civil_floor(9, 10) == 0);
	assert_true(civil_floor(10, 10) == 1 && civil_floor(-1, 10) == -1);
	assert_true(civil_floor(-10, 10) == -1 && civil_floor(-11, 10) == -2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_floor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
