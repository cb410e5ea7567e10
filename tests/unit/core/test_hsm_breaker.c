/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/hsm_breaker.h"

enum { SECOND_US = 1000 * 1000 };

/* The pause after a trip at *NOW, which goes on to its end, and a bit. */
static uint64_t trip(struct hsm_breaker *b, uint64_t *now)
{
	const uint64_t until = hsm_breaker_trip(b, *now);
	const uint64_t pause = until - *now;

	assert_true(until >= *now);
	*now = until + SECOND_US / 10;
	return pause;
}

static void test_pauses_grow(void **state)
{
	static const uint64_t want[] = {0,	 0,	 50000,	 100000,
					200000,	 400000, 800000, 1600000,
					2000000, 2000000};
	struct hsm_breaker b = {.trips = 0};
	uint64_t now = SECOND_US;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(trip(&b, &now), want[i]);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(trip(&b, &now), 2000000);
}

/* A hundred requests that fail together are one failure. */
static void test_together(void **state)
{
	struct hsm_breaker b = {.trips = 0};
	uint64_t now = SECOND_US;
	uint64_t until;

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)trip(&b, &now);
	until = hsm_breaker_trip(&b, now);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(hsm_breaker_trip(&b, now + i), until);
	assert_int_equal(b.trips, 5);
}

static void test_forgets(void **state)
{
	struct hsm_breaker b = {.trips = 0};
	uint64_t now = SECOND_US;

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)trip(&b, &now);
	now += HSM_BREAKER_FORGET_US;
	assert_int_equal(trip(&b, &now), 0);
}

static void test_retest(void **state)
{
	(void)state;
	assert_int_equal(hsm_breaker_retest_us(1), 100000);
	assert_int_equal(hsm_breaker_retest_us(2), 200000);
	assert_int_equal(hsm_breaker_retest_us(6), 2000000);
	assert_int_equal(hsm_breaker_retest_us(UINT32_MAX), 2000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_grow),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_forgets),
		cmocka_unit_test(test_retest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
