/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/issuer/scan.h"

static bool whole(const char *text)
{
	return scan_is_object(span_str(text));
}

static void test_walks(void **state)
{
	const struct span text =
		SPAN_LIT(" {\"a\" : 1,\"b\":\"x\\\"}\", \"\":[{\"]\":\"[\"}] ,"
			 "\"c\":{\"d\":{}}, \"e\":null}\r\n");
	static const char *const want[][2] = {{"a", "1"},
					      {"b", "\"x\\\"}\""},
					      {"", "[{\"]\":\"[\"}]"},
					      {"c", "{\"d\":{}}"},
					      {"e", "null"}};
	struct scan s = scan_object(text);
	struct span key;
	struct span value;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(scan_next(&s, &key, &value), SCAN_MEMBER);
		assert_true(span_is(key, want[i][0]));
		assert_true(span_is(value, want[i][1]));
	}
	assert_int_equal(scan_next(&s, &key, &value), SCAN_END);
	assert_true(whole("{}"));
	assert_true(whole(" { } "));
	assert_true(whole("{\"a\\\\\":1}"));
}

static void test_faults(void **state)
{
	const struct span text = SPAN_LIT("{\"a\":[\"\\\\\",{\"b\":-1}]}");
	static const char *const bad[] = {"",
					  " ",
					  "[]",
					  "{",
					  "{\"a\"",
					  "{\"a\":",
					  "{\"a\":}",
					  "{\"a\":1",
					  "{\"a\":1,}",
					  "{,}",
					  "{a:1}",
					  "{\"a\":1 2}",
					  "{\"a\":\"b}",
					  "{\"a\":[1}",
					  "{\"a\" 1}",
					  "{\"a\":1}{",
					  "{\"a\":\"\\\"}",
					  "{\"a\":1}x",
					  "{\"a\":{}",
					  "<html>"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (whole(bad[i]))
			fail_msg("taken: %s", bad[i]);
	/* Cut anywhere, it is none. */
	for (size_t n = 0; n < text.n; n++)
		assert_false(scan_is_object(span_of(text.p, n)));
	assert_true(scan_is_object(text));
}

static void test_finds(void **state)
{
	struct span v;
	struct span t;
	int64_t n;

	(void)state;
	assert_true(scan_find(SPAN_LIT("{\"x\":{\"id\":1},\"id\":\"y\"}"), "id",
			      &v));
	assert_true(scan_string(v, &t));
	assert_true(span_is(t, "y"));
	assert_false(scan_find(SPAN_LIT("{\"x\":{\"id\":1}}"), "id", &v));
	assert_false(scan_string(SPAN_LIT("12"), &t));
	assert_true(scan_first(SPAN_LIT("[ {\"a\":1}, 2]"), &v));
	assert_true(span_is(v, "{\"a\":1}"));
	assert_false(scan_first(SPAN_LIT("[]"), &v));
	assert_false(scan_first(SPAN_LIT("{}"), &v));
	assert_true(scan_integer(SPAN_LIT("-42"), &n) && n == -42);
	assert_false(scan_integer(SPAN_LIT("-"), &n));
	assert_false(scan_integer(SPAN_LIT("4.0"), &n));
	assert_false(scan_integer(SPAN_LIT("1234567890123456789"), &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
