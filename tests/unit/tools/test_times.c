/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/common/times.h"

static bool parses(const char *text, int64_t want)
{
	int64_t t;

	return times_parse(span_str(text), &t) && t == want;
}

static bool refuses(const char *text)
{
	int64_t t;

	return !times_parse(span_str(text), &t);
}

static void test_parse(void **state)
{
	(void)state;
	assert_true(parses("0", 0));
	assert_true(parses("1629500000", 1629500000));
	assert_true(parses("1970-01-01T00:00:00Z", 0));
	assert_true(parses("2021-08-20T22:53:20Z", 1629500000));
	assert_true(parses("2021-08-21T00:53:20+02:00", 1629500000));
	assert_true(parses("2021-08-21T00:53:20+0200", 1629500000));
	assert_true(parses("2021-08-20 17:53:20.987654321-05:00", 1629500000));
	assert_true(parses("2021-08-20t22:53:20.5", 1629500000));
	assert_true(parses("2021-08-20", 1629417600));
	assert_true(parses("2000-02-29", 951782400));
	assert_true(parses("1969-12-31T23:59:59Z", -1));
	assert_true(parses("0001-01-01", -62135596800));
}

static void test_refuse(void **state)
{
	static const char *const bad[] = {
		"",
		"-1",
		"1e9",
		"12345678901234567890",

		"2021-08",
		"2021-13-01",
		"2021-00-01",
		"2021-02-29",
		"1900-02-29",
		"2021-04-31",
		"2021-08-20T",
		"2021-08-20T22:53",
		"2021-08-20T24:00:00Z",
		"2021-08-20T22:60:00Z",
		"2021-08-20T22:53:61Z",
		"2021-08-20T22:53:20.Z",
		"2021-08-20T22:53:20+2",
		"2021-08-20T22:53:20+24:00",
		"2021-08-20T22:53:20Zx",
		"0000-01-01",
		" 2021-08-20",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!refuses(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static void test_format(void **state)
{
	char text[TIMES_TEXT];

	(void)state;
	times_format(1629500000, text);
	assert_string_equal(text, "2021-08-20T22:53:20Z");
	times_format(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59Z");
	times_format(INT64_MAX, text);
	assert_string_equal(text, "9223372036854775807");
	times_format(INT64_MIN, text);
	assert_string_equal(text, "-9223372036854775808");
	times_format(253402300799, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	times_format(253402300800, text);
	assert_string_equal(text, "253402300800");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
