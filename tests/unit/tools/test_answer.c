/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "tools/issuer/answer.h"

static struct answer read_line(const char *line)
{
	struct answer a;

	answer_read(span_str(line), &a);
	return a;
}

static void test_kinds(void **state)
{
	struct answer a;

	(void)state;
	a = read_line("{\"id\":\"7\",\"hcert\":\"HC1:6B\",\"uvci\":\"U\","
		      "\"replayed\":true,\"warnings\":[{}]}");
	assert_int_equal(a.kind, ANSWER_GOOD);
	assert_int_equal(a.status, 200);
	assert_true(a.replayed);
	assert_true(span_is(a.id, "7"));
	assert_true(span_is(a.uvci, "U"));
	assert_true(span_is(a.violations, "[{}]"));
	assert_int_equal(read_line("{\"verdict\":\"accept\"}").kind,
			 ANSWER_GOOD);
	a = read_line("{\"type\":\"/problems/policy\",\"status\":422,"
		      "\"violations\":[{\"code\":\"x\"}]}");
	assert_int_equal(a.kind, ANSWER_PROBLEM);
	assert_false(a.again);
	assert_true(span_is(a.type, "/problems/policy"));
}

static void test_no_answers(void **state)
{
	static const char *const bad[] = {
		"",
		"hello",
		"{}",
		"{\"hcert\":1}",
		"{\"verdict\":\"refuse\"}",
		"{\"status\":200}",
		"{\"status\":\"503\"}",
		"{\"status\":600}",
		"{\"hcert\":\"HC1:\"",
		"{\"hcert\":\"HC1:\",\"status\":422}x",
		"{\"dcc\":{\"hcert\":\"x\",\"status\":422}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_line(bad[i]).kind != ANSWER_NONE)
			fail_msg("taken: %s", bad[i]);
}

static void test_again(void **state)
{
	static const int codes[] = {400, 403, 408, 409, 413,
				    422, 429, 500, 503, 504};
	static const bool want[] = {false, false, true,	 false, false,
				    false, true,  false, true,	true};
	char line[32];

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		(void)snprintf(line, sizeof(line), "{\"status\":%d}", codes[i]);
		assert_int_equal(read_line(line).again, want[i]);
		assert_false(read_line(line).quota);
	}
	assert_true(read_line("{\"status\":429,\"violations\":"
			      "[{\"code\":\"quota-exceeded\"}]}")
			    .quota);
	assert_false(read_line("{\"status\":429,\"violations\":"
			       "[{\"code\":\"rate-exceeded\"}]}")
			     .quota);
}

static bool fits(const char *line, const char *request)
{
	const struct answer a = read_line(line);

	return answer_fits(&a, span_str(request));
}

static void test_fits(void **state)
{
	(void)state;
	assert_true(fits("{\"status\":422,\"id\":\"a\"}", "{\"id\":\"a\"}"));
	assert_true(fits("{\"status\":422}", "{\"id\":\"a\"}"));
	assert_false(fits("{\"status\":422,\"id\":\"b\"}", "{\"id\":\"a\"}"));
	assert_false(fits("{\"status\":422,\"id\":\"b\"}", "{\"dcc\":{}}"));
	/* An id deeper down is none. */
	assert_false(fits("{\"status\":422,\"id\":\"b\"}",
			  "{\"dcc\":{\"id\":\"b\"}}"));
	assert_true(fits("{\"hcert\":\"\",\"uvci\":\"U1\"}",
			 "{\"dcc\":{\"v\":[{\"ci\":\"U1\"}]}}"));
	assert_false(fits("{\"hcert\":\"\",\"uvci\":\"U2\"}",
			  "{\"dcc\":{\"v\":[{\"ci\":\"U1\"}]}}"));
	/* The text of a certificate hides it. */
	assert_true(fits("{\"hcert\":\"\",\"uvci\":\"U1\"}",
			 "{\"hcert\":\"HC1:A\"}"));
	assert_false(fits("{\"hcert\":\"\",\"uvci\":\"U1\"}",
			  "{\"hcert\":\"HC1:A\",\"uvci\":\"U2\"}"));
	/* Escapes are not compared. */
	assert_true(fits("{\"hcert\":\"\",\"uvci\":\"U/2\"}",
			 "{\"dcc\":{\"v\":[{\"ci\":\"U\\/2\"}]}}"));
	assert_true(
		fits("{\"status\":422,\"id\":\"b\"}", "{\"id\":\"\\u0062\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_no_answers),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
