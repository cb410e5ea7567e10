/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accusation.h"

enum { START_US = 5000 };

static void test_counts(void **state)
{
	const uint64_t again = (uint64_t)START_US + ACCUSATION_AGAIN_US;

	(void)state;
	assert_true(accusation_counts(0, 1));
	assert_true(accusation_counts(0, again));
	assert_false(accusation_counts(START_US, START_US));
	assert_false(accusation_counts(START_US, again - 1));
	assert_true(accusation_counts(START_US, again));
	assert_true(accusation_counts(START_US, UINT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
