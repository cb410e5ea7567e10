/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/officer/table.h"

static struct table t;

static void expect(bool colour, const char *want)
{
	char *text = NULL;
	size_t n;

	t.to = open_memstream(&text, &n);
	assert_non_null(t.to);
	t.colour = colour;
	table_row(&t);
	table_cell(&t, TABLE_PLAIN, "KEY");
	table_cell(&t, TABLE_PLAIN, "STATE");
	table_row(&t);
	table_cell(&t, TABLE_PLAIN, "dsc-%d", 1);
	table_cell(&t, TABLE_BAD, "stopped\033[2J");
	table_row(&t);
	table_cell(&t, TABLE_PLAIN, "x");
	table_print(&t);
	assert_int_equal(fclose(t.to), 0);
	assert_string_equal(text, want);
	free(text);
}

static void test_columns(void **state)
{
	(void)state;
	expect(false, "KEY    STATE\n"
		      "dsc-1  stopped?[2J\n"
		      "x\n");
	expect(true, "KEY    STATE\n"
		     "dsc-1  \033[1;31mstopped?[2J\033[0m\n"
		     "x\n");
}

static void test_limits(void **state)
{
	FILE *null = fopen("/dev/null", "we");

	(void)state;
	assert_non_null(null);
	t.to = null;
	t.colour = table_colours(null);
	assert_false(t.colour);
	for (int row = 0; row < TABLE_ROWS_MAX + 3; row++) {
		table_row(&t);
		for (int i = 0; i < TABLE_COLUMNS_MAX + 3; i++)
			table_cell(&t, TABLE_GOOD, "%0200d", i);
	}
	assert_int_equal(t.rows, TABLE_ROWS_MAX);
	table_print(&t);
	assert_int_equal(t.rows, 0);
	assert_int_equal(fclose(null), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
