/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/sign_queue.h"

static struct sign_queue q;

static struct op op_of(size_t key, uint64_t submitted_us)
{
	return (struct op){
		.key = key, .submitted_us = submitted_us, .avoid = -1};
}

static void test_order(void **state)
{
	struct op a = op_of(0, 10);
	struct op b = op_of(0, 20);
	struct op c = op_of(63, 15);

	(void)state;
	sign_queue_init(&q);
	sign_queue_append(&q, &a);
	sign_queue_append(&q, &b);
	sign_queue_append(&q, &c);
	assert_int_equal(q.n, 3);
	assert_true(q.waiting == (UINT64_C(1) << 63 | 1));
	/* The oldest of the keys asked for, in order within a key. */
	assert_null(sign_queue_take(&q, 2, 0, 0));
	assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0), &a);
	assert_ptr_equal(sign_queue_take(&q, 1, 0, 0), &b);
	assert_true(q.waiting == UINT64_C(1) << 63);
	sign_queue_append(&q, &a);
	b.submitted_us = 5;
	sign_queue_prepend(&q, &b);
	assert_ptr_equal(sign_queue_take(&q, 1, 0, 0), &b);
	sign_queue_remove(&q, &a);
	assert_int_equal(a.place, OP_OUT);
	assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0), &c);
	assert_int_equal(q.n, 0);
	assert_true(q.waiting == 0);
}

static void test_avoid(void **state)
{
	struct op a = op_of(0, 10);
	struct op b = op_of(0, 20);

	(void)state;
	sign_queue_init(&q);
	a.avoid = 3;
	sign_queue_append(&q, &a);
	/* Alone, it goes even where it failed, if nobody else has the key. */
	assert_null(sign_queue_take(&q, 1, 3, 1));
	assert_ptr_equal(sign_queue_take(&q, 1, 3, 0), &a);
	sign_queue_append(&q, &a);
	sign_queue_append(&q, &b);
	assert_ptr_equal(sign_queue_take(&q, 1, 3, 1), &b);
	assert_ptr_equal(sign_queue_take(&q, 1, 4, 1), &a);
}

/* Single requests first, but streams go on. */
static void test_singles_go_first(void **state)
{
	struct op single[2 * SIGN_QUEUE_TURNS];
	struct op bulk[2] = {op_of(0, 1), op_of(1, 2)};
	size_t taken = 0;

	(void)state;
	sign_queue_init(&q);
	for (size_t i = 0; i < 2; i++) {
		bulk[i].bulk = true;
		sign_queue_append(&q, &bulk[i]);
	}
	for (size_t i = 0; i < 2 * SIGN_QUEUE_TURNS; i++) {
		single[i] = op_of(0, 100 + i);
		sign_queue_append(&q, &single[i]);
	}
	assert_ptr_equal(sign_queue_first(&q, 0), &single[0]);
	assert_ptr_equal(sign_queue_first(&q, 1), &bulk[1]);
	for (size_t turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i + 1 < SIGN_QUEUE_TURNS; i++)
			assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0),
					 &single[taken++]);
		assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0),
				 &bulk[turn]);
	}
	assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0),
			 &single[taken++]);
	assert_null(sign_queue_take(&q, 2, 0, 0)); /* key 1 has none left */
	while (sign_queue_take(&q, UINT64_MAX, 0, 0) != NULL)
		taken++;
	assert_int_equal(taken, 2 * SIGN_QUEUE_TURNS);
	assert_int_equal(q.n, 0);
}

/* A handshake has one turn in eight, and all where there is nothing else. */
static void test_handshakes_have_a_turn(void **state)
{
	struct op bulk[5 * SIGN_QUEUE_TURNS];
	struct op hello[2] = {op_of(1, 900), op_of(1, 901)};
	size_t taken = 0;

	(void)state;
	sign_queue_init(&q);
	for (size_t i = 0; i < 2; i++) {
		hello[i].handshake = true;
		sign_queue_append(&q, &hello[i]);
	}
	assert_ptr_equal(sign_queue_first(&q, 1), &hello[0]);
	for (size_t i = 0; i < 5 * SIGN_QUEUE_TURNS; i++) {
		bulk[i] = op_of(0, i);
		bulk[i].bulk = true;
		sign_queue_append(&q, &bulk[i]);
	}
	/* What another hsm takes, which has not this key, is no turn. */
	for (size_t i = 0; i < SIGN_QUEUE_TURNS; i++)
		assert_ptr_equal(sign_queue_take(&q, 1, 0, 0), &bulk[taken++]);
	for (size_t turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i + 1 < SIGN_QUEUE_TURNS; i++)
			assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0),
					 &bulk[taken++]);
		assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0),
				 &hello[turn]);
		/* Too late to be sent: the next one has the turn. */
		if (turn > 0)
			continue;
		sign_queue_append(&q, &hello[0]);
		sign_queue_untake(&q, &hello[0]);
		assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0),
				 &hello[1]);
		assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0),
				 &bulk[taken++]);
		sign_queue_remove(&q, &hello[0]);
		sign_queue_append(&q, &hello[1]);
		for (size_t i = 0; i + 2 < SIGN_QUEUE_TURNS; i++)
			assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0),
					 &bulk[taken++]);
		assert_ptr_equal(sign_queue_take(&q, UINT64_MAX, 0, 0),
				 &hello[1]);
		sign_queue_append(&q, &hello[1]);
	}
	sign_queue_append(&q, &hello[1]);
	sign_queue_append(&q, &hello[0]);
	assert_ptr_equal(sign_queue_take(&q, 2, 0, 0), &hello[1]);
	assert_ptr_equal(sign_queue_take(&q, 2, 0, 0), &hello[0]);
	while (sign_queue_take(&q, UINT64_MAX, 0, 0) != NULL)
		taken++;
	assert_int_equal(taken, 5 * SIGN_QUEUE_TURNS);
	assert_int_equal(q.n, 0);
	assert_int_equal(q.handshakes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_avoid),
		cmocka_unit_test(test_singles_go_first),
		cmocka_unit_test(test_handshakes_have_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
