/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tools/auditor/sheet.h"

static const char *const HEADS[] = {"name", ">number", "share"};

/* A small document; free(). */
static char *make(enum sheet_form form, const char *text)
{
	char *out;
	size_t n;
	FILE *f = open_memstream(&out, &n);
	struct sheet *s;

	assert_non_null(f);
	assert_int_equal(sheet_begin(f, form, span_str(text), &s), SG_OK);
	sheet_heading(s, "Part");
	sheet_para(s, "It says %s.", text);
	sheet_command(s, "run %s", text);
	sheet_table(s, 3, HEADS);
	sheet_cell(s, span_str(text));
	sheet_cellf(s, "%d", 1234);
	sheet_bar(s, 0.5);
	sheet_cell(s, SPAN_LIT("x"));
	sheet_cellf(s, "%d", 7);
	sheet_table_end(s);
	assert_int_equal(sheet_end(s), SG_OK);
	assert_int_equal(fclose(f), 0);
	return out;
}

static void test_text(void **state)
{
	char *out = make(SHEET_TEXT, "Bộ Y tế");

	(void)state;
	assert_string_equal(out, "Bộ Y tế\n"
				 "=======\n"
				 "\n"
				 "Part\n"
				 "----\n"
				 "\n"
				 "It says Bộ Y tế.\n"
				 "\n"
				 "    run Bộ Y tế\n"
				 "\n"
				 "  name      number   share\n"
				 "  Bộ Y tế     1234   ###############\n"
				 "  x              7   \n");
	free(out);
}

/* Neither markup nor what a terminal obeys comes through. */
static void test_harmless(void **state)
{
	char *out = make(SHEET_HTML, "<b onclick=\"a\">&\x1b[2J\xe2\x80\xae");

	(void)state;
	assert_null(strstr(out, "<b "));
	assert_null(strchr(out, '\x1b'));
	assert_null(strstr(out, "\xe2\x80\xae"));
	assert_non_null(strstr(out,
			       "<title>&lt;b onclick=&quot;a&quot;&gt;"
			       "&amp;\xef\xbf\xbd[2J\xef\xbf\xbd</title>"));
	assert_non_null(strstr(out, "<td>&lt;b onclick"));
	assert_non_null(strstr(out, "<pre>run &lt;b"));
	free(out);
	out = make(SHEET_TEXT, "a\x1b[2J\xe2\x80\xae\xff");
	assert_null(strchr(out, '\x1b'));
	assert_null(strstr(out, "\xe2\x80\xae"));
	assert_null(strchr(out, '\xff'));
	free(out);
}

static void test_html(void **state)
{
	char *out = make(SHEET_HTML, "a");

	(void)state;
	assert_non_null(strstr(out, "<!doctype html>"));
	assert_non_null(strstr(out, "<th class=\"n\">number</th>"));
	assert_non_null(strstr(out,
			       "<tr><td>a</td><td class=\"n\">1234</td>"
			       "<td class=\"b\"><span style=\"width: 50%\">"
			       "</span></td></tr>"));
	/* Nothing is run, nothing is fetched. */
	assert_null(strstr(out, "<script"));
	assert_null(strstr(out, "http"));
	assert_null(strstr(out, "url("));
	assert_null(strstr(out, "src="));
	free(out);
}

static void test_wraps(void **state)
{
	char *out;
	size_t n;
	FILE *f = open_memstream(&out, &n);
	struct sheet *s;

	(void)state;
	assert_non_null(f);
	assert_int_equal(sheet_begin(f, SHEET_TEXT, SPAN_LIT("t"), &s), SG_OK);
	sheet_para(s, "%s",
		   "one two three four five six seven eight nine ten eleven "
		   "twelve thirteen fourteen fifteen sixteen seventeen");
	assert_int_equal(sheet_end(s), SG_OK);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(
		out, "t\n=\n\n"
		     "one two three four five six seven eight nine ten eleven "
		     "twelve thirteen\n"
		     "fourteen fifteen sixteen seventeen\n");
	free(out);
}

static void test_full(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	struct sheet *s;

	(void)state;
	assert_non_null(f);
	assert_int_equal(sheet_begin(f, SHEET_TEXT, SPAN_LIT("t"), &s), SG_OK);
	assert_int_equal(sheet_end(s), SG_IO);
	(void)fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text), cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_html), cmocka_unit_test(test_wraps),
		cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
