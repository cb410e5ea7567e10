/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hush.h"

enum { SECOND_US = 1000000 };

static void test_few_lines_then_one_a_minute(void **state)
{
	struct hush h = {0};
	uint64_t now = 1000 * (uint64_t)SECOND_US;
	uint64_t left_out = 99;
	unsigned lines = 0;

	(void)state;
	for (int i = 0; i < HUSH_LINES; i++, now += SECOND_US) {
		assert_true(hush_allows(&h, now, &left_out));
		assert_int_equal(left_out, 0);
	}
	/* Ten minutes of one a second. */
	for (int i = 0; i < 600; i++, now += SECOND_US) {
		if (!hush_allows(&h, now, &left_out))
			continue;
		lines++;
		assert_int_equal(left_out, 59);
	}
	assert_int_equal(lines, 10);
}

static void test_calm_ends_it(void **state)
{
	struct hush h = {0};
	uint64_t now = 1000 * (uint64_t)SECOND_US;
	uint64_t left_out = 99;

	(void)state;
	for (int i = 0; i < HUSH_LINES; i++)
		assert_true(hush_allows(&h, now, &left_out));
	assert_false(hush_allows(&h, now, &left_out));
	now += HUSH_CALM_US - 1;
	assert_false(hush_allows(&h, now, &left_out));
	now += HUSH_CALM_US;
	assert_true(hush_allows(&h, now, &left_out));
	assert_int_equal(left_out, 2);
	for (int i = 1; i < HUSH_LINES; i++)
		assert_true(hush_allows(&h, now, &left_out));
	assert_false(hush_allows(&h, now, &left_out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_lines_then_one_a_minute),
		cmocka_unit_test(test_calm_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
