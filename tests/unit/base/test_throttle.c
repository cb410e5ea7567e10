/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/throttle.h"

static void test_counts_what_it_drops(void **state)
{
	struct throttle t = {0};
	uint64_t dropped = 99;
	int written = 0;

	(void)state;
	for (int i = 0; i < 25; i++)
		written += throttle_allows(&t, 1000, &dropped) ? 1 : 0;
	assert_int_equal(written, THROTTLE_LINES);
	assert_int_equal(dropped, 0);
	assert_true(throttle_allows(&t, 1001, &dropped));
	assert_int_equal(dropped, 25 - THROTTLE_LINES);
	assert_true(throttle_allows(&t, 1001, &dropped));
	assert_int_equal(dropped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_what_it_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
