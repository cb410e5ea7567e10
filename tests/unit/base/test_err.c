/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/err.h"

static void test_table(void **state)
{
	(void)state;
	assert_int_equal(err_http(SG_OK), 200);
	assert_int_equal(err_http(SG_REFUSED), 422);
	assert_string_equal(err_problem(SG_REFUSED), "policy");
	assert_false(err_retry(SG_REFUSED));
	assert_int_equal(err_http(SG_TIMED_OUT), 504);
	assert_string_equal(err_problem(SG_TIMED_OUT), "deadline");
	assert_true(err_retry(SG_TIMED_OUT));
	assert_string_equal(err_text(SG_NO_MEMORY), "out of memory");
}

/* Every row is whole, and 503 and only those with it say "try again". */
static void test_rows(void **state)
{
	(void)state;
	for (int i = 0; i < SG_ERR_COUNT; i++) {
		const enum sg_err e = (enum sg_err)i;

		assert_in_range(err_http(e), 200, 599);
		assert_non_null(err_problem(e));
		assert_true(strlen(err_text(e)) > 0);
		assert_true((strlen(err_problem(e)) > 0) == (e != SG_OK));
		if (err_http(e) == 503)
			assert_true(err_retry(e));
		if (err_http(e) == 400 || err_http(e) == 500)
			assert_false(err_retry(e));
	}
}

static void test_outside(void **state)
{
	const enum sg_err values[] = {SG_ERR_COUNT,
				      (enum sg_err)(SG_ERR_COUNT + 7)};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(err_http(values[i]), 500);
		assert_string_equal(err_problem(values[i]), "internal");
		assert_string_equal(err_text(values[i]), "internal error");
		assert_false(err_retry(values[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
