/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "suite_fixture.h"

static double real(const json_t *j, const char *name)
{
	const json_t *value = json_object_get(j, name);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static void near(double a, double b)
{
	assert_true(a > b * 0.9999 && a < b * 1.0001);
}

static void test_figures(void **state)
{
	struct suite_result r = suite_fixture();
	const struct suite_row *row = &r.alg[0].row[SUITE_JSON];

	(void)state;
	near(suite_raw(&r.alg[0]), 20000);
	near(suite_raw(&r.alg[1]), 1250);
	near(suite_cpu_outside_hsm(row), 26);
	/* 1e8 / 10,000 a second; 1e8 times 72 us. */
	near(suite_hours(row), 10000 / 3600.0);
	near(suite_cpu_hours(row), 7200 / 3600.0);
	r.alg[0].row[SUITE_JSON].rate = 0;
	assert_true(suite_hours(row) == 0);
}

static void test_json(void **state)
{
	const struct suite_result r = suite_fixture();
	char *text = suite_written(suite_print_json, &r);
	json_t *j = json_loads(text, 0, NULL);
	const json_t *list = json_object_get(j, "algorithms");
	const json_t *one;
	const json_t *bulk;

	(void)state;
	assert_non_null(j);
	assert_int_equal(json_array_size(list), 2);
	one = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(one, "alg")),
			    "PS256");
	near(real(one, "raw_after"), 1250);
	bulk = json_object_get(one, "bulk_json");
	near(real(bulk, "rate"), 500);
	near(real(bulk, "ratio"), 0.4);
	near(real(bulk, "cost_of_100_million"), 1.0);
	near(real(json_object_get(bulk, "cpu_us_per_record"), "outside_hsm"),
	     26);
	/* Where nothing is signed there is no ratio. */
	assert_null(json_object_get(json_object_get(one, "refusal"), "ratio"));
	json_decref(j);
	free(text);
}

static void test_text(void **state)
{
	struct suite_result r = suite_fixture();
	char *text;

	(void)state;
	r.alg[0].row[SUITE_REFUSE].good = false;
	text = suite_written(suite_print_text, &r);
	assert_non_null(strstr(text, "ES256: bare token 20000/s before"));
	assert_non_null(strstr(text, "cost"));
	assert_non_null(strstr(text, "(answers were wrong)"));
	free(text);
	r.alg[0].row[SUITE_REFUSE].good = true;
	r.price = 0;
	text = suite_written(suite_print_text, &r);
	assert_null(strstr(text, "cost"));
	assert_null(strstr(text, "wrong"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
