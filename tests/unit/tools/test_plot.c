/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "suite_fixture.h"
#include "tools/bench/plot.h"

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

/* Every element that is opened is closed, and attributes are quoted. */
static void check_markup(const char *text)
{
	size_t depth = 0;

	for (const char *at = strchr(text, '<'); at != NULL;
	     at = strchr(at, '<')) {
		const char *end = strchr(at, '>');
		size_t quotes = 0;

		assert_non_null(end);
		for (const char *p = at + 1; p < end; p++) {
			assert_true(*p != '<');
			quotes += *p == '"';
		}
		assert_int_equal(quotes % 2, 0);
		if (at[1] == '/')
			assert_true(depth-- > 0);
		else if (end[-1] != '/')
			depth++;
		at = end;
	}
	assert_int_equal(depth, 0);
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	assert_null(strchr(text, '&'));
}

static void test_chart(void **state)
{
	const struct suite_result r = suite_fixture();
	char *text = suite_written(plot_write, &r);

	(void)state;
	check_markup(text);
	assert_int_equal(strncmp(text, "<svg xmlns=", 11), 0);
	assert_non_null(strstr(text, ">PS256</text>"));
	assert_non_null(strstr(text, "bare token 20 000/s"));
	assert_non_null(strstr(text, "bare token 1 250/s"));
	assert_non_null(strstr(text, ">50 000/s</text>"));
	assert_non_null(strstr(text, "10 000/s"));
	/* Four bars are cut: those that do not sign. */
	assert_int_equal(count(text, "stroke=\"#fff\""), 2 * 4);
	/* CPU: three roles a row. */
	assert_int_equal(count(text, "fill=\"#e0862e\""),
			 r.n * SUITE_STEPS + 1);
	free(text);
}

/* Nothing measured is nothing drawn, and no division by it. */
static void test_empty(void **state)
{
	struct suite_result r = {.n = 1};
	char *text;

	(void)state;
	r.alg[0].alg = COSE_ES256;
	text = suite_written(plot_write, &r);
	check_markup(text);
	assert_null(strstr(text, "bare token "));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chart),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
