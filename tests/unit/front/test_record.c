/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/record.h"

static void test_order(void **state)
{
	struct records q;
	struct record *r[3];
	struct span line;
	int owner;

	(void)state;
	assert_int_equal(records_create(&q), SG_OK);
	assert_null(records_first(&q));
	for (int i = 0; i < 3; i++)
		r[i] = records_push(&q, &owner, 7);
	assert_int_equal(records_count(&q), 3);
	assert_ptr_equal(record_owner(r[2]), &owner);
	assert_true(records_is_next(&q, r[0]));
	assert_false(records_is_next(&q, r[1]));
	record_answered(r[2], SPAN_LIT("third"));
	record_answered(r[1], SPAN_LIT("second"));
	assert_null(records_next_answered(&q, &line));
	records_pop(&q);
	assert_ptr_equal(records_next_answered(&q, &line), r[1]);
	assert_true(span_is(line, "second"));
	records_pop(&q);
	assert_ptr_equal(records_next_answered(&q, &line), r[2]);
	assert_true(span_is(line, "third"));
	records_pop(&q);
	assert_null(records_next_answered(&q, &line));
	assert_int_equal(records_count(&q), 0);
	records_free(&q);
}

/* A place is used again, and nothing of the one before is left in it. */
static void test_wrap(void **state)
{
	static uint8_t large[100000];
	struct records q;
	struct span line;

	(void)state;
	assert_int_equal(records_create(&q), SG_OK);
	q.first = q.next = UINT32_MAX - 5; /* numbers wrap, too */
	for (unsigned round = 0; round < 3 * RECORDS_MAX; round++) {
		struct record *r = records_push(&q, NULL, round);

		assert_int_equal(record_id(r).n, 0);
		assert_false(r->answered || r->asked);
		assert_int_equal(record_keep_id(r, SPAN_LIT("id")), SG_OK);
		assert_true(span_is(record_id(r), "id"));
		record_answered(r, round % 64 == 0
					   ? span_of(large, sizeof(large))
					   : SPAN_LIT("line"));
		assert_ptr_equal(records_next_answered(&q, &line), r);
		assert_int_equal(line.n, round % 64 == 0 ? sizeof(large) : 4);
		records_pop(&q);
		assert_true(r->line.cap < sizeof(large)); /* not kept */
	}
	records_free(&q);
}

/* A stream at rest keeps no texts, and goes on as before. */
static void test_shed(void **state)
{
	struct records q;
	struct record *r;

	(void)state;
	assert_int_equal(records_create(&q), SG_OK);
	records_shed(&q);
	for (int round = 0; round < 2; round++) {
		r = records_push(&q, NULL, 0);
		assert_int_equal(record_keep_id(r, SPAN_LIT("id")), SG_OK);
		record_answered(r, SPAN_LIT("line"));
		records_pop(&q);
		records_shed(&q);
		assert_null(r->id.p);
		assert_null(r->line.p);
	}
	records_free(&q);
}

static void test_full(void **state)
{
	struct records q;

	(void)state;
	assert_int_equal(records_create(&q), SG_OK);
	for (unsigned i = 0; i < RECORDS_MAX; i++)
		(void)records_push(&q, NULL, 0);
	assert_int_equal(records_count(&q), RECORDS_MAX);
	records_pop(&q);
	assert_non_null(records_push(&q, NULL, 0));
	records_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_shed),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
