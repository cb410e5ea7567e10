/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/issuer/window.h"

static struct window *make(size_t n, size_t max, uint64_t first)
{
	struct window *w;

	assert_int_equal(window_create(n, max, first, &w), SG_OK);
	return w;
}

static void admit(struct window *w, const char *text)
{
	assert_int_equal(window_admit(w, span_str(text)), SG_OK);
}

static void expect_take(struct window *w, uint64_t now, uint64_t want)
{
	uint64_t seq;

	assert_true(window_has(w, now));
	assert_true(window_take(w, now, &seq));
	assert_int_equal(seq, want);
}

static void test_order(void **state)
{
	struct window *w = make(3, 1000, 10);
	struct span line;
	uint64_t seq;

	(void)state;
	assert_false(window_take(w, 0, &seq));
	admit(w, "a");
	admit(w, "b");
	admit(w, "c");
	assert_false(window_room(w));
	assert_true(span_is(window_text(w, 11), "b\n"));
	expect_take(w, 0, 10);
	expect_take(w, 0, 11);
	assert_int_equal(window_answer(w, 11, SPAN_LIT("B")), SG_OK);
	assert_false(window_open(w, 11));
	assert_false(window_front(w, &line));
	assert_true(window_done(w, 11, &line) && span_is(line, "B"));
	assert_int_equal(window_answer(w, 10, SPAN_LIT("A")), SG_OK);
	assert_true(window_front(w, &line) && span_is(line, "A"));
	window_pop(w);
	assert_true(window_front(w, &line) && span_is(line, "B"));
	window_pop(w);
	assert_int_equal(window_base(w), 12);
	assert_true(window_room(w));
	admit(w, "d");
	expect_take(w, 0, 12);
	expect_take(w, 0, 13);
	assert_false(window_take(w, 0, &seq));
	window_free(w);
}

static void test_again(void **state)
{
	struct window *w = make(8, 1000, 0);
	uint64_t seq;

	(void)state;
	for (int i = 0; i < 6; i++)
		admit(w, "x");
	for (uint64_t i = 0; i < 5; i++)
		expect_take(w, 0, i);
	window_again(w, 4, 50);
	window_again(w, 2, 30);
	window_again(w, 0, 50);
	window_again(w, 3, 40);
	window_again(w, 1, 30);
	assert_int_equal(window_due(w), 30);
	expect_take(w, 29, 5); /* not due: the fresh one */
	assert_false(window_take(w, 29, &seq));
	expect_take(w, 100, 1);
	expect_take(w, 100, 2);
	expect_take(w, 100, 3);
	expect_take(w, 100, 0);
	expect_take(w, 100, 4);
	assert_int_equal(window_due(w), UINT64_MAX);
	window_free(w);
}

static void test_answered_before_it_was_sent(void **state)
{
	struct window *w = make(8, 1000, 0);

	(void)state;
	admit(w, "a");
	admit(w, "b");
	admit(w, "c");
	assert_int_equal(window_answer(w, 1, SPAN_LIT("B")), SG_OK);
	expect_take(w, 0, 0);
	expect_take(w, 0, 2);
	assert_false(window_has(w, 0));
	window_free(w);
}

static void test_bytes(void **state)
{
	struct window *w = make(100, 10, 0);

	(void)state;
	admit(w, "0123456789abcdef"); /* one always fits */
	assert_false(window_room(w));
	assert_int_equal(window_answer(w, 0, SPAN_LIT("answer")), SG_OK);
	window_pop(w);
	assert_true(window_room(w));
	admit(w, "0123");
	assert_true(window_room(w));
	assert_int_equal(window_keep(w, 1, SPAN_LIT("for now")), SG_OK);
	assert_false(window_room(w)); /* answers count */
	assert_int_equal(window_answer(w, 1, SPAN_LIT("y")), SG_OK);
	assert_true(window_room(w));
	window_free(w);
}

static void test_settle(void **state)
{
	struct window *w = make(8, 1000, 0);
	struct span line;

	(void)state;
	admit(w, "a");
	admit(w, "b");
	expect_take(w, 0, 0);
	expect_take(w, 0, 1);
	assert_int_equal(window_keep(w, 0, SPAN_LIT("later")), SG_OK);
	window_again(w, 0, 9);
	assert_false(window_settle(w));
	assert_false(window_front(w, &line));
	assert_int_equal(window_answer(w, 1, SPAN_LIT("B")), SG_OK);
	window_mark(w, 0)->tries++;
	assert_int_equal(window_mark(w, 0)->tries, 1);
	assert_true(window_settle(w));
	assert_true(window_front(w, &line) && span_is(line, "later"));
	assert_false(window_has(w, 100));
	window_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_answered_before_it_was_sent),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_settle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
