/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/calendar.h"

#include <time.h>

#include "base/civil.h"
#include "request.h"

/* Every day of 800 years, against the C library's own calendar. */
static void test_days(void **state)
{
	(void)state;
	for (int64_t day = -135140; day < 157054; day++) {
		const time_t seconds = (time_t)day * 86400;
		struct civil civil;
		struct tm tm;
		char text[32];
		int32_t days;

		assert_non_null(gmtime_r(&seconds, &tm));
		assert_int_equal(civil_days(tm.tm_year + 1900, tm.tm_mon + 1,
					    tm.tm_mday),
				 day);
		civil = civil_of(day);
		assert_int_equal(civil.year, tm.tm_year + 1900);
		assert_int_equal(civil.month, tm.tm_mon + 1);
		assert_int_equal(civil.day, tm.tm_mday);
		(void)strftime(text, sizeof(text), "%Y-%m-%d", &tm);
		assert_int_equal(calendar_date(span_str(text), &days),
				 CALENDAR_OK);
		assert_int_equal(days, day);
	}
}

static void test_no_dates(void **state)
{
	static const char *const form[] = {
		"",	      "2021",	    "2021-05",	   "2021-1-01",
		"21-01-01",   "2021/01/01", "2021-01-01 ", " 2021-01-01",
		"2021-01-1a", "-021-01-01", "2021-01-01T", "20210101",
		"٢٠٢١-01",    "2021--1-01", "+021-01-01",
	};
	static const char *const none[] = {
		"2021-02-29", "2100-02-29", "2021-04-31", "2021-13-01",
		"2021-00-01", "2021-01-00", "2021-01-32", "1900-02-29",
	};
	int32_t days;

	(void)state;
	for (size_t i = 0; i < sizeof(form) / sizeof(form[0]); i++)
		assert_int_equal(calendar_date(span_str(form[i]), &days),
				 CALENDAR_FORM);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(calendar_date(span_str(none[i]), &days),
				 CALENDAR_NO_SUCH);
	assert_int_equal(calendar_date(SPAN_LIT("2000-02-29"), &days),
			 CALENDAR_OK);
}

static void test_partial(void **state)
{
	int32_t first;
	int32_t last;

	(void)state;
	assert_int_equal(calendar_partial(SPAN_LIT("1970"), &first, &last),
			 CALENDAR_OK);
	assert_int_equal(first, 0);
	assert_int_equal(last, 364);
	assert_int_equal(calendar_partial(SPAN_LIT("1972-02"), &first, &last),
			 CALENDAR_OK);
	assert_int_equal(first, 365 + 365 + 31);
	assert_int_equal(last, first + 28);
	assert_int_equal(
		calendar_partial(SPAN_LIT("1970-01-02"), &first, &last),
		CALENDAR_OK);
	assert_int_equal(first, 1);
	assert_int_equal(last, 1);
	assert_int_equal(calendar_partial(SPAN_LIT("1972-13"), &first, &last),
			 CALENDAR_NO_SUCH);
	assert_int_equal(calendar_partial(SPAN_LIT("1972-00"), &first, &last),
			 CALENDAR_NO_SUCH);
	assert_int_equal(calendar_partial(SPAN_LIT("1972-"), &first, &last),
			 CALENDAR_FORM);
	assert_int_equal(calendar_partial(SPAN_LIT("197"), &first, &last),
			 CALENDAR_FORM);
	assert_int_equal(calendar_partial(SPAN_LIT(""), &first, &last),
			 CALENDAR_FORM);
}

static void check_time(const char *text, enum calendar_word word)
{
	int64_t seconds;
	int32_t days;

	assert_int_equal(calendar_time(span_str(text), &seconds, &days), word);
}

static void test_time(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		int32_t days;
	} times[] = {
		{"1970-01-01T00:00:00Z", 0, 0},
		{"1970-01-01T00:00:00.999Z", 0, 0},
		{"1970-01-02T03:04:05+00:00", 86400 + 11045, 1},
		{"1970-01-02T03:04:05+07:00", 86400 + 11045 - 25200, 1},
		{"1970-01-01T00:00:00-0930", 34200, 0},
		{"1970-01-01T00:00:00+01", -3600, 0},
		{"2021-06-30T23:59:60Z", 1625097600, 18808},
	};
	static const char *const form[] = {
		"2021-06-01T08:00:00",
		"2021-06-01T08:00Z",
		"2021-06-01 08:00:00Z",
		"2021-06-01t08:00:00z",
		"2021-06-01T08:00:00.Z",
		"2021-06-01T08:00:00+7",
		"2021-06-01T08:00:00+07:0",
		"2021-06-01T08:00:00Zz",
		"2021-06-01",
		"",
		"2021-06-01T08:00:00+07.00",
		"2021-06-01T08:00:00+07-00",
		"2021-06-01T08:00:00+-7:00",
		"2021/06/01T08:00:00Z",
		"2021-06-31T08:00:00",
	};
	static const char *const none[] = {
		"2021-06-01T24:00:00Z",	     "2021-06-01T08:60:00Z",
		"2021-06-01T08:00:61Z",	     "2021-06-31T08:00:00Z",
		"2021-06-01T08:00:00+24:00", "2021-06-01T08:00:00+07:60",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t seconds;
		int32_t days;

		assert_int_equal(
			calendar_time(span_str(times[i].text), &seconds, &days),
			CALENDAR_OK);
		assert_int_equal(seconds, times[i].seconds);
		assert_int_equal(days, times[i].days);
	}
	for (size_t i = 0; i < sizeof(form) / sizeof(form[0]); i++)
		check_time(form[i], CALENDAR_FORM);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		check_time(none[i], CALENDAR_NO_SUCH);
}

static void test_day_of(void **state)
{
	(void)state;
	assert_int_equal(calendar_day_of(0, 0), 0);
	assert_int_equal(calendar_day_of(-1, 0), -1);
	assert_int_equal(calendar_day_of(86399, 0), 0);
	assert_int_equal(calendar_day_of(86400, 0), 1);
	assert_int_equal(calendar_day_of(86400 - 25200, 25200), 1);
	assert_int_equal(calendar_day_of(86400 - 25201, 25200), 0);
	assert_int_equal(calendar_day_of(3599, -3600), -1);
	assert_int_equal(calendar_day_of(INT64_MAX, 50400),
			 INT64_MAX / 86400 +
				 (INT64_MAX % 86400 + 50400) / 86400);
	assert_true(calendar_day_of(INT64_MIN, -50400) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),	cmocka_unit_test(test_no_dates),
		cmocka_unit_test(test_partial), cmocka_unit_test(test_time),
		cmocka_unit_test(test_day_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
