/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "restart.h"

enum { SECOND_US = 1000000, GOOD_LIFE_US = 60 * SECOND_US };

/* It starts, lives LIFE_US, dies: the wait. */
static uint32_t live(struct restart *r, uint64_t *now, uint64_t life_us)
{
	uint32_t wait;

	restart_started(r, *now);
	*now += life_us;
	wait = restart_died(r, *now);
	*now += (uint64_t)wait * 1000;
	return wait;
}

static void test_back_off(void **state)
{
	static const uint32_t want[] = {0,    0,    0,	  200,	 400,  800,
					1600, 3200, 6400, 10000, 10000};
	struct restart r = {0};
	uint64_t now = SECOND_US;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(live(&r, &now, SECOND_US), want[i]);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(live(&r, &now, 1), 10000);
}

static void test_longest(void **state)
{
	struct restart r = {.longest_ms = 1000};
	uint64_t now = SECOND_US;

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)live(&r, &now, SECOND_US);
	assert_int_equal(live(&r, &now, SECOND_US), 800);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(live(&r, &now, 1), 1000);
}

static void test_good_life(void **state)
{
	struct restart r = {0};
	uint64_t now = SECOND_US;

	(void)state;
	for (int i = 0; i < 6; i++)
		(void)live(&r, &now, SECOND_US);
	assert_int_equal(live(&r, &now, GOOD_LIFE_US - 1), 1600);
	assert_int_equal(live(&r, &now, GOOD_LIFE_US), 0);
	assert_int_equal(live(&r, &now, SECOND_US), 0);
	assert_int_equal(live(&r, &now, SECOND_US), 0);
	assert_int_equal(live(&r, &now, SECOND_US), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_good_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
