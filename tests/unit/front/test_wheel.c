/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/wheel.h"

enum { TIMERS = 64 };

static struct wheel wheel;
static struct timer {
	struct wheel_timer t; /* first */
	uint64_t fired_at;
	unsigned fired;
} timers[TIMERS];
static uint64_t now;

static void on_fire(struct wheel_timer *t)
{
	struct timer *own = (struct timer *)t;

	own->fired++;
	own->fired_at = now;
}

static int setup(void **state)
{
	(void)state;
	now = 123456;
	wheel_init(&wheel, now);
	for (size_t i = 0; i < TIMERS; i++)
		timers[i] = (struct timer){.t.fire = on_fire};
	return 0;
}

static void pass(uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 10) {
		now += 10;
		wheel_advance(&wheel, now);
	}
}

static void test_never_early_and_hardly_late(void **state)
{
	static const uint64_t after[] = {0,	 1,	 249,	 250,
					 251,	 1000,	 10000,	 127999,
					 128000, 128250, 128251, 300000};
	const uint64_t start = now;

	(void)state;
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		wheel_set(&wheel, &timers[i].t, after[i]);
	pass(301000);
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		assert_int_equal(timers[i].fired, 1);
		assert_false(wheel_is_set(&timers[i].t));
		assert_in_range(timers[i].fired_at - start, after[i],
				after[i] + 2ULL * WHEEL_TICK_MS + 10);
	}
}

static void test_cleared_does_not_fire(void **state)
{
	(void)state;
	for (size_t i = 0; i < TIMERS; i++)
		wheel_set(&wheel, &timers[i].t, 1000);
	for (size_t i = 0; i < TIMERS; i += 2)
		wheel_clear(&timers[i].t);
	wheel_clear(&timers[0].t); /* once more does not matter */
	pass(2000);
	for (size_t i = 0; i < TIMERS; i++)
		assert_int_equal(timers[i].fired, i % 2);
}

static void test_set_again_moves(void **state)
{
	(void)state;
	wheel_set(&wheel, &timers[0].t, 1000);
	pass(900);
	wheel_set(&wheel, &timers[0].t, 1000);
	pass(900);
	assert_int_equal(timers[0].fired, 0);
	pass(700);
	assert_int_equal(timers[0].fired, 1);
}

/* A connection that is dropped by one timer takes others along. */
static void on_fire_clear_all(struct wheel_timer *t)
{
	on_fire(t);
	for (size_t i = 0; i < TIMERS; i++)
		wheel_clear(&timers[i].t);
}

static void test_fire_may_clear_others(void **state)
{
	unsigned fired = 0;

	(void)state;
	for (size_t i = 0; i < TIMERS; i++) {
		timers[i].t.fire = on_fire_clear_all;
		wheel_set(&wheel, &timers[i].t, 1000);
	}
	pass(2000);
	for (size_t i = 0; i < TIMERS; i++)
		fired += timers[i].fired;
	assert_int_equal(fired, 1);
}

static void on_fire_again(struct wheel_timer *t)
{
	on_fire(t);
	wheel_set(&wheel, t, 0);
}

static void test_fire_may_set_itself(void **state)
{
	(void)state;
	timers[0].t.fire = on_fire_again;
	wheel_set(&wheel, &timers[0].t, 0);
	pass(10000);
	assert_in_range(timers[0].fired, 10, 40);
}

/* The machine has slept: all that is due fires, once. */
static void test_long_sleep(void **state)
{
	(void)state;
	for (size_t i = 0; i < TIMERS; i++)
		wheel_set(&wheel, &timers[i].t, i * 5000);
	now += 1000000000;
	wheel_advance(&wheel, now);
	for (size_t i = 0; i < TIMERS; i++)
		assert_int_equal(timers[i].fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_never_early_and_hardly_late, setup),
		cmocka_unit_test_setup(test_cleared_does_not_fire, setup),
		cmocka_unit_test_setup(test_set_again_moves, setup),
		cmocka_unit_test_setup(test_fire_may_clear_others, setup),
		cmocka_unit_test_setup(test_fire_may_set_itself, setup),
		cmocka_unit_test_setup(test_long_sleep, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
