/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tools/common/args.h"

static const struct arg_option TABLE[] = {
	{"help", NULL, NULL, "help"},
	{"server", "URL", "TEST_ARGS_SERVER", "server"},
	{"json", NULL, NULL, "json"},
};
enum { HELP, SERVER, JSON, N };

static struct args args;

static enum sg_err parse(int n, const char *const *words)
{
	char *argv[ARGS_REST_MAX + 1];

	for (int i = 0; i < n; i++)
		memcpy(&argv[i], &words[i], sizeof(argv[i])); /* no const */
	return args_parse(TABLE, N, n, argv, &args);
}

#define PARSE(...)                                                             \
	parse((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),   \
	      (const char *[]){__VA_ARGS__})

static void test_takes(void **state)
{
	(void)state;
	assert_int_equal(
		PARSE("a", "--json", "--server", "u", "-", "--", "--x"), SG_OK);
	assert_null(args.value[HELP]);
	assert_string_equal(args.value[JSON], "");
	assert_string_equal(args.value[SERVER], "u");
	assert_int_equal(args.n, 3);
	assert_string_equal(args.rest[0], "a");
	assert_string_equal(args.rest[1], "-");
	assert_string_equal(args.rest[2], "--x");
	assert_int_equal(PARSE("--server=a=b"), SG_OK);
	assert_string_equal(args.value[SERVER], "a=b");
	assert_int_equal(PARSE("--server", "--json"), SG_OK);
	assert_string_equal(args.value[SERVER], "--json");
	assert_null(args.value[JSON]);
}

static void test_refuses(void **state)
{
	const char *many[ARGS_REST_MAX + 1];

	(void)state;
	assert_int_equal(PARSE("--serve", "x"), SG_CONFIG);
	assert_string_equal(args.why, "unknown option --serve");
	assert_int_equal(PARSE("--servers=x"), SG_CONFIG);
	assert_int_equal(PARSE("-j"), SG_CONFIG);
	assert_int_equal(PARSE("--server"), SG_CONFIG);
	assert_string_equal(args.why, "--server needs a value (URL)");
	assert_int_equal(PARSE("--json", "--json"), SG_CONFIG);
	assert_int_equal(PARSE("--json=1"), SG_CONFIG);
	assert_string_equal(args.why, "--json takes no value");
	for (size_t i = 0; i <= ARGS_REST_MAX; i++)
		many[i] = "x";
	assert_int_equal(parse(ARGS_REST_MAX, many), SG_OK);
	assert_int_equal(parse(ARGS_REST_MAX + 1, many), SG_CONFIG);
}

static void test_environment(void **state)
{
	/* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread */
	(void)state;
	assert_int_equal(setenv("TEST_ARGS_SERVER", "from", 1), 0);
	assert_int_equal(PARSE("x"), SG_OK);
	assert_string_equal(args.value[SERVER], "from");
	assert_int_equal(PARSE("--server", "given"), SG_OK);
	assert_string_equal(args.value[SERVER], "given");
	assert_int_equal(setenv("TEST_ARGS_SERVER", "", 1), 0);
	assert_int_equal(PARSE("x"), SG_OK);
	assert_null(args.value[SERVER]);
	assert_int_equal(unsetenv("TEST_ARGS_SERVER"), 0);
	/* NOLINTEND(concurrency-mt-unsafe) */
}

static void test_number(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_true(args_number("0", 0, 9, &v) && v == 0);
	assert_true(args_number("18446744073709551615", 0, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	v = 7;
	assert_false(args_number("18446744073709551616", 0, UINT64_MAX, &v));
	assert_false(args_number("99999999999999999999", 0, UINT64_MAX, &v));
	assert_false(args_number("", 0, 9, &v));
	assert_false(args_number("+1", 0, 9, &v));
	assert_false(args_number("1 ", 0, 9, &v));
	assert_false(args_number("-1", 0, 9, &v));
	assert_false(args_number("10", 0, 9, &v));
	assert_false(args_number("1", 2, 9, &v));
	assert_true(v == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
