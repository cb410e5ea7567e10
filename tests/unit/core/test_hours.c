/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_usual(void **state)
{
	struct hours h;

	(void)state;
	hours_clear(&h);
	assert_int_equal(hours_count(&h, 0), 0);
	assert_true(hours_add(&h, 1000, 10));
	assert_int_equal(h.usual, 0);
	assert_false(hours_add(&h, 1000, 5));
	assert_true(hours_add(&h, 1003, 1));
	assert_int_equal(h.usual, 15); /* idle hours do not count */
	assert_false(hours_add(&h, 1001, 5));
	assert_true(hours_add(&h, 1004, 1));
	assert_int_equal(h.usual, 7); /* of 15, 5 and 1 */
	assert_int_equal(hours_count(&h, 1000), 15);
	assert_int_equal(hours_count(&h, 1002), 0);
	assert_int_equal(hours_count(&h, 1005), 0);
}

static void test_week(void **state)
{
	struct hours h;

	(void)state;
	hours_clear(&h);
	(void)hours_add(&h, 1000, 7);
	assert_true(hours_add(&h, 1000 + HOURS_KEPT - 1, 1));
	assert_int_equal(h.usual, 7);
	assert_int_equal(hours_count(&h, 1000), 7);
	assert_true(hours_add(&h, 1000 + HOURS_KEPT, 1));
	assert_int_equal(hours_count(&h, 1000), 0);
	assert_int_equal(h.usual, 1);
	/* Too old, and much later. */
	assert_false(hours_add(&h, 1000, 100));
	assert_int_equal(hours_count(&h, 1000 + HOURS_KEPT), 1);
	assert_true(hours_add(&h, INT64_MAX / 2, 1));
	assert_int_equal(h.usual, 0);
	assert_int_equal(hours_count(&h, 1000 + HOURS_KEPT), 0);
}

static void test_bounds(void **state)
{
	struct hours h;

	(void)state;
	hours_clear(&h);
	hours_take(&h, 5);
	(void)hours_add(&h, -3, 1); /* before 1970 */
	assert_int_equal(hours_count(&h, -3), 1);
	hours_take(&h, -3);
	hours_take(&h, -3);
	assert_int_equal(hours_count(&h, -3), 0);
	(void)hours_add(&h, -3, UINT32_MAX);
	(void)hours_add(&h, -3, UINT32_MAX);
	assert_true(hours_count(&h, -3) == UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_week),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
