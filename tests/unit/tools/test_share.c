/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/bench/share.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int value; /* -1: refused */
	} cases[] = {
		{"0", 0},	   {"1", 1000000},  {"0.35", 350000},
		{"1.0", 1000000},  {"0.000001", 1}, {"0.123456", 123456},
		{"", -1},	   {".5", -1},	    {"0.", -1},
		{"1.000001", -1},  {"2", -1},	    {"-0", -1},
		{"0.1234567", -1}, {"0.5x", -1},    {"0,5", -1},
		{"00.5", -1},	   {"1e-1", -1},    {"0.5 ", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned value = 7;

		assert_int_equal(share_parse(cases[i].text, &value),
				 cases[i].value >= 0);
		if (cases[i].value >= 0)
			assert_int_equal(value, cases[i].value);
	}
}

static void test_of(void **state)
{
	(void)state;
	assert_int_equal(share_of(0, 100), 0);
	assert_int_equal(share_of(SHARE_ALL, 100), 100);
	assert_int_equal(share_of(350000, 100), 35);
	assert_int_equal(share_of(333333, 3), 1);
	assert_int_equal(share_of(500000, 1), 1);
	assert_int_equal(share_of(499999, 1), 0);
	assert_true(share_of(SHARE_ALL, UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
