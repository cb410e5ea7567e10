/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tools/common/printable.h"

#define ESC "\x1b"
#define CSI "\xc2\x9b"	     /* U+009B */
#define POP "\xe2\x80\xac"   /* U+202C */
#define LINE "\xe2\x80\xa8"  /* U+2028 */
#define SHOWN "\xef\xbf\xbd" /* U+FFFD */

static void assert_put(struct span text, const char *want)
{
	char *got = NULL;
	size_t n;
	FILE *f = open_memstream(&got, &n);

	assert_non_null(f);
	printable_put(f, text);
	(void)fclose(f);
	assert_string_equal(got, want);
	assert_int_equal(n, strlen(want));
	free(got);
}

static void test_put(void **state)
{
	(void)state;
	assert_put(SPAN_LIT(""), "");
	assert_put(SPAN_LIT("Bộ Y tế \xf0\x9f\x92\x89"),
		   "Bộ Y tế \xf0\x9f\x92\x89");
	assert_put(SPAN_LIT("a" ESC "[2Jb\0c\r\n\x7f"),
		   "a" SHOWN "[2Jb" SHOWN "c" SHOWN SHOWN SHOWN);
	assert_put(SPAN_LIT("VN" CSI "x" POP "y" LINE),
		   "VN" SHOWN "x" SHOWN "y" SHOWN);
	/* No UTF-8: a bare C1 byte, and one that is cut short. */
	assert_put(SPAN_LIT("a\x9b"
			    "b\xe2\x80"),
		   "a" SHOWN "b" SHOWN SHOWN);
}

/* Escaped, and read back as it was. */
static void test_json(void **state)
{
	const char text[] = "a" ESC CSI POP LINE "\x7f ế \"\\";
	json_t *j = json_pack("{s:[s]}", "k" CSI, text);
	char *got = printable_json(j, JSON_INDENT(1));
	json_t *again;

	(void)state;
	assert_non_null(got);
	assert_string_equal(got, "{\n \"k\\u009B\": [\n  \"a\\u001B\\u009B"
				 "\\u202C\\u2028\\u007F ế \\\"\\\\\"\n ]\n}");
	again = json_loads(got, 0, NULL);
	assert_true(json_equal(j, again));
	json_decref(again);
	json_decref(j);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
