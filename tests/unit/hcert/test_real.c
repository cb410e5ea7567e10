/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "hcert/real.h"

static void test_values(void **state)
{
	static const struct {
		double v;
		size_t bytes;
	} cases[] = {
		{0.0, 2},
		{-0.0, 2},
		{1.0, 2},
		{1.5, 2},
		{65504.0, 2},
		{65505.0, 4},
		{65536.0, 4},
		{2049.0, 4},
		{0x1p-24, 2},
		{0x1p-25, 4},
		{0x1.8p-24, 4},
		{0x1p-14, 2},
		{0x1.004p-14, 2},
		{0x1.002p-14, 4},
		{100000.0, 4},
		{0x1.fffffep+127, 4},
		{0x1p+128, 8},
		{0x1p-149, 4},
		{0x1p-150, 8},
		{1.1, 8},
		{-4.1, 8},
		{1e300, 8},
		{16777216.0, 4},
		{16777217.0, 8},
		{0x1.0000000000001p0, 8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(real_shortest_bytes(cases[i].v),
				 cases[i].bytes);
		assert_int_equal(real_shortest_bytes(-cases[i].v),
				 cases[i].bytes);
	}
	assert_int_equal(real_shortest_bytes((double)INFINITY), 2);
	assert_int_equal(real_shortest_bytes((double)-INFINITY), 2);
	assert_int_equal(real_shortest_bytes((double)NAN), 2);
}

static void test_half(void **state)
{
	static const struct {
		double v;
		uint16_t half;
	} cases[] = {
		{0.0, 0x0000},	     {1.0, 0x3c00},
		{1.5, 0x3e00},	     {65504.0, 0x7bff},
		{0x1p-24, 0x0001},   {0x3p-24, 0x0003},
		{0x3ffp-24, 0x03ff}, {0x1p-14, 0x0400},
		{0x401p-24, 0x0401}, {(double)INFINITY, 0x7c00},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(real_half(cases[i].v), cases[i].half);
		assert_int_equal(real_half(-cases[i].v),
				 cases[i].half | 0x8000);
	}
	assert_int_equal(real_half((double)NAN), 0x7e00);
	assert_int_equal(real_half(-(double)NAN), 0x7e00);
}

/* Of all singles in a wide range as many fit a half as there are halves. */
static void test_halves(void **state)
{
	size_t n = 0;

	(void)state;
	/* Every multiple of 2^-24 below 2: all halves there, and others. */
	for (uint32_t i = 0; i < UINT32_C(1) << 25; i++)
		n += real_shortest_bytes(ldexp((double)i, -24)) == 2;
	/* Subnormal halves and zero, then 1,024 for each of 15 exponents. */
	assert_int_equal(n, 1024 + 15 * 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
