/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slots.h"

struct op {
	int n;
};

static struct op ops[3];

static void test_create(void **state)
{
	struct slots *s = (struct slots *)ops;

	(void)state;
	assert_int_equal(slots_create(0, &s), SG_INTERNAL);
	assert_null(s);
	assert_int_equal(slots_create((size_t)SLOTS_CAP_MAX + 1, &s),
			 SG_INTERNAL);
	assert_int_equal(slots_create(SLOTS_CAP_MAX, &s), SG_OK);
	assert_int_equal(slots_used(s), 0);
	slots_free(s);
	slots_free(NULL);
}

static void test_full(void **state)
{
	struct slots *s;
	op_id id[3];

	(void)state;
	assert_int_equal(slots_create(2, &s), SG_OK);
	assert_int_equal(slots_put(s, &ops[0], &id[0]), SG_OK);
	assert_int_equal(slots_put(s, &ops[1], &id[1]), SG_OK);
	assert_int_equal(slots_put(s, &ops[2], &id[2]), SG_BUSY);
	assert_int_equal(slots_used(s), 2);
	assert_ptr_equal(slots_find(s, id[1]), &ops[1]);
	assert_int_equal(slots_used(s), 2);
	assert_ptr_equal(slots_take(s, id[1]), &ops[1]);
	assert_null(slots_find(s, id[1]));
	assert_int_equal(slots_put(s, &ops[2], &id[2]), SG_OK);
	assert_ptr_equal(slots_take(s, id[2]), &ops[2]);
	assert_ptr_equal(slots_take(s, id[0]), &ops[0]);
	assert_int_equal(slots_used(s), 0);
	slots_free(s);
}

/* An answer that comes twice, late, or to nobody finds nothing. */
static void test_false_ids(void **state)
{
	struct slots *s;
	op_id id;
	op_id again;

	(void)state;
	assert_int_equal(slots_create(1, &s), SG_OK);
	assert_null(slots_take(s, 0));
	assert_null(slots_find(s, 0));
	assert_null(slots_find(s, 7));
	assert_int_equal(slots_put(s, &ops[0], &id), SG_OK);
	assert_true(id != 0);
	assert_null(slots_take(s, 0));
	assert_null(slots_take(s, UINT64_MAX));
	assert_null(slots_take(s, id + 1));
	assert_ptr_equal(slots_take(s, id), &ops[0]);
	assert_null(slots_take(s, id));
	assert_int_equal(slots_put(s, &ops[1], &again), SG_OK);
	assert_true(again != id);
	assert_null(slots_take(s, id));
	assert_ptr_equal(slots_take(s, again), &ops[1]);
	slots_free(s);
}

/* Many turns: never the same id, never the wrong operation. */
static void test_turnover(void **state)
{
	struct slots *s;
	op_id id[3];
	op_id last = 0;

	(void)state;
	assert_int_equal(slots_create(3, &s), SG_OK);
	for (int turn = 0; turn < 1000; turn++) {
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(slots_put(s, &ops[i], &id[i]), SG_OK);
		assert_true(id[0] != last);
		last = id[0];
		for (size_t i = 0; i < 3; i++) {
			const size_t k = (i + (size_t)turn) % 3;

			assert_ptr_equal(slots_take(s, id[k]), &ops[k]);
		}
	}
	slots_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_false_ids),
		cmocka_unit_test(test_turnover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
