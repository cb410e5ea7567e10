/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/deadlines.h"

enum { N = 5000, START_US = 123456789, SPAN_US = 200 * 1000 * 1000 };

/* Never early, at most a tick late, each once, whatever the order. */
static void test_times(void **state)
{
	static struct deadline node[N];
	static uint64_t at[N];
	struct deadlines *w;
	struct deadline *d;
	size_t left = N;

	(void)state;
	assert_int_equal(deadlines_create(START_US, &w), SG_OK);
	for (size_t i = 0; i < N; i++) {
		at[i] = START_US + i * UINT64_C(2654435761) % SPAN_US;
		deadlines_add(w, &node[i], at[i]);
	}
	for (uint64_t now = START_US; left > 0; now += 5000) {
		while ((d = deadlines_expired(w, now)) != NULL) {
			const uint64_t due = at[d - node];

			assert_int_equal(d->tick, 0);
			assert_true(due <= now);
			assert_true(now - due <= DEADLINE_TICK_US + 5000);
			left--;
		}
		assert_true(now < START_US + UINT64_C(201) * 1000 * 1000);
	}
	deadlines_free(w);
}

static void test_remove(void **state)
{
	struct deadline a = {.tick = 0};
	struct deadline b = {.tick = 0};
	struct deadlines *w;

	(void)state;
	assert_int_equal(deadlines_create(START_US, &w), SG_OK);
	deadlines_add(w, &a, START_US + 50000);
	deadlines_add(w, &b, START_US + 50000);
	deadlines_remove(&a);
	deadlines_remove(&a); /* twice is allowed */
	assert_ptr_equal(deadlines_expired(w, START_US + 100000), &b);
	assert_null(deadlines_expired(w, START_US + 100000));
	/* In the past already, and after a stop of many turns. */
	deadlines_add(w, &a, 5);
	assert_null(deadlines_expired(w, START_US + 100000));
	assert_ptr_equal(deadlines_expired(w, START_US + 130000), &a);
	deadlines_add(w, &b, START_US + UINT64_C(10000000));
	assert_ptr_equal(deadlines_expired(w, UINT64_C(1) << 50), &b);
	deadlines_free(w);
	deadlines_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
