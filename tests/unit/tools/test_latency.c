/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/bench/latency.h"

static void test_percentiles(void **state)
{
	static struct latency l;

	(void)state;
	assert_int_equal(latency_at(&l, 500), 0);
	for (uint64_t us = 1; us <= 10000; us++)
		latency_add(&l, us);
	assert_int_equal(l.n, 10000);
	assert_int_equal(l.max_us, 10000);
	assert_in_range(latency_at(&l, 500), 5000, 5080);
	assert_in_range(latency_at(&l, 990), 9900, 10000);
	assert_int_equal(latency_at(&l, 1000), 10000);
	assert_int_equal(latency_at(&l, 1), 10);
}

static void test_every_value_is_covered(void **state)
{
	(void)state;
	for (uint64_t us = 0; us < UINT64_MAX / 16; us += us / 8 + 1) {
		static struct latency l;
		uint64_t at;

		l = (struct latency){0};
		latency_add(&l, us);
		latency_add(&l, UINT64_MAX); /* so that nothing is cut */
		at = latency_at(&l, 500);
		if (us <= UINT32_MAX)
			assert_true(at >= us && at - us <= us / 64);
		assert_int_equal(l.n, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_every_value_is_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
