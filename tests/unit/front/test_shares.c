/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/shares.h"

static void test_index(void **state)
{
	uint8_t identity[64] = {0};
	size_t different = 0;
	uint16_t last = shares_index(span_of(identity, sizeof(identity)));

	(void)state;
	assert_int_equal(shares_index(span_of(identity, sizeof(identity))),
			 last);
	assert_true(shares_index(SPAN_LIT("")) < SHARES_CLIENTS);
	for (unsigned i = 1; i < 256; i++) {
		uint16_t index;

		identity[5] = (uint8_t)i;
		index = shares_index(span_of(identity, sizeof(identity)));
		assert_true(index < SHARES_CLIENTS);
		different += index != last;
		last = index;
	}
	assert_true(different > 250);
}

/* Who knows the program does not know whose share is whose. */
static void test_seed(void **state)
{
	enum { N = 256 };
	uint8_t identity[8] = {0};
	uint16_t before[N];
	size_t different = 0;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(shares_seed(), SG_OK);
		for (unsigned i = 0; i < N; i++) {
			uint16_t index;

			identity[7] = (uint8_t)i;
			index = shares_index(
				span_of(identity, sizeof(identity)));
			different += round == 1 && index != before[i];
			before[i] = index;
		}
	}
	assert_true(different > N - 16);
}

static void test_bounds(void **state)
{
	static struct shares s = {.owed = {[7] = 13}, .abandoned = {[8] = 4}};

	(void)state;
	assert_false(shares_used_up(&s, 7, 16));
	s.owed[7]++;
	assert_true(shares_used_up(&s, 7, 16));
	assert_false(shares_used_up(&s, 9, 16));
	assert_false(shares_used_up(&s, 8, 16));
	s.abandoned[8]++;
	assert_true(shares_used_up(&s, 8, 16));
	/* With no more than one, somebody gets it. */
	assert_false(shares_used_up(&s, 9, 1));
	s.owed[9] = 1;
	assert_true(shares_used_up(&s, 9, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
