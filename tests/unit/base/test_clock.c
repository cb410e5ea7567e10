/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "base/clock.h"

static void test_mono(void **state)
{
	const struct timespec nap = {.tv_nsec = 5000000};
	const uint64_t before = clock_mono_us();
	uint64_t after;

	(void)state;
	assert_int_equal(nanosleep(&nap, NULL), 0);
	after = clock_mono_us();
	assert_true(after >= before + 5000);
	assert_true(after < before + 60000000);
}

/* Bracketed by time(), which truncates in the same way. */
static void test_wall(void **state)
{
	const time_t before = time(NULL);
	const int64_t s = clock_wall_s();
	const int64_t ms = clock_wall_ms();
	const time_t after = time(NULL);

	(void)state;
	/* time() may be served from a coarser clock, a tick behind. */
	assert_true(s >= before && s <= after + 1);
	assert_true(ms / 1000 >= s && ms / 1000 <= after + 1);
}

static void test_timespec(void **state)
{
	struct timespec t = clock_timespec(1999999);

	(void)state;
	assert_int_equal(t.tv_sec, 1);
	assert_int_equal(t.tv_nsec, 999999000);
	t = clock_timespec(UINT64_C(86400000000));
	assert_int_equal(t.tv_sec, 86400);
	assert_int_equal(t.tv_nsec, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mono),
		cmocka_unit_test(test_wall),
		cmocka_unit_test(test_timespec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
