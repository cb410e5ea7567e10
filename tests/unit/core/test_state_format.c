/* SPDX-License-Identifier: Apache-2.0 */
#include "core/state_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], file[80];

static int open_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_state_format.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(file, sizeof(file), "%s/format", dir);
	return 0;
}

static int close_dir(void **state)
{
	(void)state;
	(void)unlink(file);
	return rmdir(dir);
}

static void put(const char *text)
{
	FILE *f = fopen(file, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void expect_text(const char *text)
{
	char found[128] = "";
	FILE *f = fopen(file, "re");

	assert_non_null(f);
	assert_true(fread(found, 1, sizeof(found) - 1, f) < sizeof(found));
	assert_int_equal(fclose(f), 0);
	assert_string_equal(found, text);
}

static void test_new(void **state)
{
	(void)state;
	assert_int_equal(state_format_check(dir), SG_OK);
	expect_text("signerd state 1\n");
	assert_int_equal(state_format_check(dir), SG_OK);
}

/* It is refused, and left as it was. */
static void expect_refused(const char *text)
{
	put(text);
	assert_int_equal(state_format_check(dir), SG_LEDGER_DOWN);
	expect_text(text);
}

static void test_newer(void **state)
{
	(void)state;
	expect_refused("signerd state 2\n");
	expect_refused("signerd state 999999\n");
}

static void test_not_ours(void **state)
{
	static const char *const text[] = {
		"",
		"\n",
		"signerd state \n",
		"signerd state 1",
		"signerd state 0\n",
		"signerd state 01\n",
		"signerd state 1 \n",
		"signerd state -1\n",
		"signerd state 1000000\n",
		"signerd state 4294967297\n",
		"signerd hours 1\n",
		"signerd state 1\nand more than any such file ever has\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		expect_refused(text[i]);
}

static void test_no_directory(void **state)
{
	(void)state;
	assert_int_equal(state_format_check("/nonexistent/state"), SG_IO);
}

static void test_unreadable(void **state)
{
	(void)state;
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_not_equal(state_format_check(dir), SG_OK);
	assert_int_equal(rmdir(file), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new, open_dir, close_dir),
		cmocka_unit_test_setup_teardown(test_newer, open_dir,
						close_dir),
		cmocka_unit_test_setup_teardown(test_not_ours, open_dir,
						close_dir),
		cmocka_unit_test_setup_teardown(test_no_directory, open_dir,
						close_dir),
		cmocka_unit_test_setup_teardown(test_unreadable, open_dir,
						close_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
