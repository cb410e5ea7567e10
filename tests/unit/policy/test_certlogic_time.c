/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/certlogic_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static int64_t ms_of(const char *text)
{
	int64_t ms;

	if (!certlogic_time_read(span_str(text), &ms))
		fail_msg("%s is no date-time", text);
	return ms;
}

/* Figures of `date -u -d ... +%s`. */
static const struct reading {
	const char *text;
	int64_t ms;
} GOOD[] = {
	{"1970-01-01", 0},
	{"2021-06-01", 1622505600000},
	{"2021-06", 1625011200000},  /* 2021-06-30 */
	{"2020-02", 1582934400000},  /* 2020-02-29 */
	{"1900-02", -2203977600000}, /* 1900-02-28, no leap year */
	{"2021", 1640908800000},     /* 2021-12-31 */
	{"2021-06-01T00:00:00", 1622505600000},
	{"2021-06-01T23:59:59Z", 1622591999000},
	{"2021-06-01T00:00:00+02:00", 1622498400000},
	{"2021-06-01T00:00:00-7", 1622530800000},
	{"2021-06-01T00:00:00-07", 1622530800000},
	{"2021-06-01T00:00:00+130", 1622500200000},
	{"2021-06-01T00:00:00+0130", 1622500200000},
	{"2021-06-01T00:00:00+1:30", 1622500200000},
	{"2021-06-01T00:00:00.5", 1622505600500},
	{"2021-06-01T00:00:00.1239Z", 1622505600123},
	{"2021-06-01T00:00:00.000999999999999999+00", 1622505600000},
	{"0000-03-01", -62162035200000},
	{"9999-12-31T23:59:59Z", 253402300799000},
};

static const char *const BAD[] = {
	"",
	"202",
	"20211",
	"2021-",
	"2021-6",
	"2021-13",
	"2021-00",
	"2021-02-30",
	"2021-02-29",
	"2021-06-00",
	"2021-06-1",
	"2021-06-01 ",
	" 2021-06-01",
	"2021-06-01T",
	"2021-06-01T00:00",
	"2021-06-01T24:00:00",
	"2021-06-01T00:60:00",
	"2021-06-01T00:00:60",
	"2021-06-01 00:00:00",
	"2021-06-01T00:00:00z",
	"2021-06-01T00:00:00.Z",
	"2021-06-01T00:00:00+",
	"2021-06-01T00:00:00+24",
	"2021-06-01T00:00:00+0060",
	"2021-06-01T00:00:00+01:3",
	"2021-06-01T00:00:00+01:",
	"2021-06-01T00:00:00+130:00",
	"2021-06-01T00:00:00+12345",
	"2021-06-01T00:00:00ZZ",
	"2021-06T00:00:00",
	"-021-06-01",
	"2021/06/01",
};

static void test_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
		if (ms_of(GOOD[i].text) != GOOD[i].ms)
			fail_msg("%s: %lld", GOOD[i].text,
				 (long long)ms_of(GOOD[i].text));
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		int64_t ms;

		if (certlogic_time_read(span_str(BAD[i]), &ms))
			fail_msg("'%s' was read", BAD[i]);
	}
}

static void test_birth(void **state)
{
	int64_t ms;

	(void)state;
	assert_true(certlogic_birth_read(SPAN_LIT("1999"), &ms));
	assert_int_equal(ms, ms_of("1999-12-31"));
	assert_true(certlogic_birth_read(SPAN_LIT("1999-02"), &ms));
	assert_int_equal(ms, ms_of("1999-02-28"));
	assert_true(certlogic_birth_read(SPAN_LIT("1999-02-03"), &ms));
	assert_false(
		certlogic_birth_read(SPAN_LIT("1999-02-03T00:00:00Z"), &ms));
	assert_false(certlogic_birth_read(SPAN_LIT(""), &ms));
}

static void check_plus(const char *from, int64_t amount,
		       enum certlogic_unit unit, const char *to)
{
	int64_t ms;

	assert_true(certlogic_time_plus(ms_of(from), amount, unit, &ms));
	if (ms != ms_of(to))
		fail_msg("%s + %lld", from, (long long)amount);
}

static void test_plus(void **state)
{
	static const int64_t far[] = {INT64_MIN, INT64_MAX, -400000000,
				      400000000};
	int64_t ms;

	(void)state;
	check_plus("2020-02-29", 1, CERTLOGIC_DAY, "2020-03-01");
	check_plus("2020-02-29", 1, CERTLOGIC_MONTH, "2020-03-29");
	check_plus("2020-02-29", 1, CERTLOGIC_YEAR, "2021-03-01");
	check_plus("2020-02-29", -1, CERTLOGIC_YEAR, "2019-03-01");
	check_plus("2020-02-29", 4, CERTLOGIC_YEAR, "2024-02-29");
	check_plus("2021-01-31", 1, CERTLOGIC_MONTH, "2021-03-03");
	check_plus("2021-01-31", -1, CERTLOGIC_MONTH, "2020-12-31");
	check_plus("2021-01-31", -14, CERTLOGIC_MONTH, "2019-12-01");
	check_plus("2021-06-15T10:20:30.456Z", 3, CERTLOGIC_MONTH,
		   "2021-09-15T10:20:30.456Z");
	check_plus("2021-03-28T01:00:00Z", 40, CERTLOGIC_HOUR,
		   "2021-03-29T17:00:00Z");
	check_plus("1969-12-31T23:00:00Z", 1, CERTLOGIC_HOUR, "1970-01-01");
	check_plus("2000-01-01", -36524, CERTLOGIC_DAY, "1900-01-01");
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		for (unsigned u = 0; u < CERTLOGIC_UNITS; u++)
			assert_false(certlogic_time_plus(
				0, far[i], (enum certlogic_unit)u, &ms));
	assert_false(certlogic_time_plus(INT64_MAX, 1, CERTLOGIC_MONTH, &ms));
	assert_false(certlogic_time_plus(INT64_MIN, 1, CERTLOGIC_DAY, &ms));
}

/* Every day of 900 years, there and back. */
static void test_text(void **state)
{
	char buf[CERTLOGIC_TIME_TEXT];

	(void)state;
	for (int64_t day = -200000; day < 130000; day++) {
		const int64_t seconds = day * 86400 + (day & 0xFFFF);
		int64_t ms;

		assert_true(certlogic_time_read(
			certlogic_time_text(seconds, buf), &ms));
		assert_int_equal(ms, seconds * 1000);
	}
	assert_true(span_is(certlogic_time_text(253402300799, buf),
			    "9999-12-31T23:59:59Z"));
	assert_int_equal(certlogic_time_text(253402300800, buf).n, 0);
	assert_int_equal(certlogic_time_text(INT64_MAX, buf).n, 0);
	assert_int_equal(certlogic_time_text(INT64_MIN, buf).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_birth),
		cmocka_unit_test(test_plus),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
