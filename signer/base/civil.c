/* SPDX-License-Identifier: Apache-2.0 */
#include "civil.h"

#include <stdbool.h>

enum { MONTHS = 12 };

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int civil_month_days(int64_t year, int month)
{
	static const int days[MONTHS] = {31, 28, 31, 30, 31, 30,
					 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

int64_t civil_floor(int64_t a, int64_t unit)
{
	return a / unit - (a % unit < 0 ? 1 : 0);
}

/* Days from 1970-01-01 to the day, which may lie beyond its month.  Years begin
 * in March here, so that a leap day is a year's last one. */
int64_t civil_days(int64_t year, int month, int64_t day)
{
	const int64_t y = month > 2 ? year : year - 1;
	const int m = month > 2 ? month - 3 : month + 9;
	const int64_t leaps =
		civil_floor(y, 4) - civil_floor(y, 100) + civil_floor(y, 400);

	/* 306 days from March 1 to the end of the year; 719468 from 0000-03-01
	 * to 1970-01-01. */
	return 365 * y + leaps + (153 * m + 2) / 5 + day - 1 - 719468;
}

struct civil civil_of(int64_t days)
{
	const int64_t shifted = days + 719468;
	const int64_t era = civil_floor(shifted, 146097); /* 400 years */
	const int64_t of_era = shifted - era * 146097;
	const int64_t year =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
		365;
	const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	const int m = (int)((5 * of_year + 2) / 153);

	return (struct civil){.year = year + era * 400 + (m >= 10 ? 1 : 0),
			      .month = m < 10 ? m + 3 : m - 9,
			      .day = (int)(of_year - (153 * m + 2) / 5) + 1};
}
