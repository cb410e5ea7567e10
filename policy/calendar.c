/* SPDX-License-Identifier: Apache-2.0 */
#include "calendar.h"

enum {
	MONTHS = 12,
	DATE_CHARS = 10, /* YYYY-MM-DD */
	TIME_CHARS = 19, /* and THH:MM:SS */
	DAY_S = 86400,
	HOUR_S = 3600,
	MINUTE_S = 60
};

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int calendar_month_days(int64_t year, int month)
{
	static const int days[MONTHS] = {31, 28, 31, 30, 31, 30,
					 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

/* Days from 1970-01-01 to the day, which may lie beyond its month.  Years begin
 * in March here, so that a leap day is a year's last one. */
int64_t calendar_days(int64_t year, int month, int64_t day)
{
	const int64_t y = month > 2 ? year : year - 1;
	const int m = month > 2 ? month - 3 : month + 9;
	const int64_t leaps =
		floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400);

	/* 306 days from March 1 to the end of the year; 719468 from 0000-03-01
	 * to 1970-01-01. */
	return 365 * y + leaps + (153 * m + 2) / 5 + day - 1 - 719468;
}

struct calendar_civil calendar_civil(int64_t days)
{
	const int64_t shifted = days + 719468;
	const int64_t era = floor_div(shifted, 146097); /* 400 years */
	const int64_t of_era = shifted - era * 146097;
	const int64_t year =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
		365;
	const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	const int m = (int)((5 * of_year + 2) / 153);

	return (struct calendar_civil){
		.year = year + era * 400 + (m >= 10 ? 1 : 0),
		.month = m < 10 ? m + 3 : m - 9,
		.day = (int)(of_year - (153 * m + 2) / 5) + 1};
}

/* The N digits of TEXT at AT; -1 if they are not there. */
static int number(struct span text, size_t at, size_t n)
{
	int value = 0;

	if (text.n < at + n)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -1;
		value = value * 10 + (text.p[i] - '0');
	}
	return value;
}

/* The number of two digits from AT on, behind the character MARK. */
static int part(struct span text, size_t at, char mark)
{
	if (text.n <= at || text.p[at] != (uint8_t)mark)
		return -1;
	return number(text, at + 1, 2);
}

enum calendar_word calendar_partial(struct span text, int32_t *first,
				    int32_t *last)
{
	const int year = number(text, 0, 4);
	const bool has_month = text.n > 4;
	const bool has_day = text.n == DATE_CHARS;
	const int month = has_month ? part(text, 4, '-') : 1;
	const int day = has_day ? part(text, 7, '-') : 1;
	const int last_month = has_month ? month : MONTHS;

	if (year < 0 || month < 0 || day < 0 ||
	    (text.n != 4 && text.n != 7 && !has_day))
		return CALENDAR_FORM;
	if (month < 1 || month > MONTHS || day < 1 ||
	    day > calendar_month_days(year, month))
		return CALENDAR_NO_SUCH;
	*first = (int32_t)calendar_days(year, month, day);
	*last = has_day ? *first
			: (int32_t)calendar_days(
				  year, last_month,
				  calendar_month_days(year, last_month));
	return CALENDAR_OK;
}

enum calendar_word calendar_date(struct span text, int32_t *days)
{
	int32_t last;

	return text.n == DATE_CHARS ? calendar_partial(text, days, &last)
				    : CALENDAR_FORM;
}

/* The distance to UTC that TEXT is, in seconds. */
static enum calendar_word read_zone(struct span text, int *seconds)
{
	const bool colon = text.n == 6 && text.p[3] == ':';
	int hours;
	int minutes = 0;

	if (text.n == 1 && text.p[0] == 'Z') {
		*seconds = 0;
		return CALENDAR_OK;
	}
	if ((text.n != 3 && text.n != 5 && !colon) ||
	    (text.p[0] != '+' && text.p[0] != '-'))
		return CALENDAR_FORM;
	hours = number(text, 1, 2);
	if (text.n > 3)
		minutes = number(text, text.n - 2, 2);
	if (hours < 0 || minutes < 0)
		return CALENDAR_FORM;
	if (hours > 23 || minutes > 59)
		return CALENDAR_NO_SUCH;
	*seconds = (hours * HOUR_S + minutes * MINUTE_S) *
		   (text.p[0] == '-' ? -1 : 1);
	return CALENDAR_OK;
}

/* Drop the decimals of a second at the start of *TEXT. */
static bool drop_decimals(struct span *text)
{
	size_t n = 1;

	if (text->n == 0 || text->p[0] != '.')
		return true;
	while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9')
		n++;
	*text = span_of(text->p + n, text->n - n);
	return n > 1;
}

enum calendar_word calendar_time(struct span text, int64_t *seconds,
				 int32_t *days)
{
	const int hour = part(text, DATE_CHARS, 'T');
	const int minute = part(text, DATE_CHARS + 3, ':');
	const int second = part(text, DATE_CHARS + 6, ':');
	enum calendar_word word;
	struct span rest;
	int zone = 0;

	if (hour < 0 || minute < 0 || second < 0)
		return CALENDAR_FORM;
	rest = span_of(text.p + TIME_CHARS, text.n - TIME_CHARS);
	if (!drop_decimals(&rest))
		return CALENDAR_FORM;
	word = read_zone(rest, &zone);
	if (word != CALENDAR_FORM && (hour > 23 || minute > 59 || second > 60))
		word = CALENDAR_NO_SUCH;
	if (word != CALENDAR_FORM) {
		const enum calendar_word day =
			calendar_date(span_of(text.p, DATE_CHARS), days);

		word = day != CALENDAR_OK ? day : word;
	}
	if (word == CALENDAR_OK)
		*seconds = (int64_t)*days * DAY_S + (int64_t)hour * HOUR_S +
			   (int64_t)minute * MINUTE_S + second - zone;
	return word;
}

int64_t calendar_day_of(int64_t seconds, int32_t zone_s)
{
	/* In two steps: SECONDS may be any number. */
	return seconds / DAY_S + floor_div(seconds % DAY_S + zone_s, DAY_S);
}
