/* SPDX-License-Identifier: Apache-2.0 */
#include "calendar.h"

#include "base/civil.h"

enum {
	MONTHS = 12,
	DATE_CHARS = 10, /* YYYY-MM-DD */
	TIME_CHARS = 19, /* and THH:MM:SS */
	DAY_S = 86400,
	HOUR_S = 3600,
	MINUTE_S = 60
};

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
	    day > civil_month_days(year, month))
		return CALENDAR_NO_SUCH;
	*first = (int32_t)civil_days(year, month, day);
	*last = has_day ? *first
			: (int32_t)civil_days(
				  year, last_month,
				  civil_month_days(year, last_month));
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
	return seconds / DAY_S + civil_floor(seconds % DAY_S + zone_s, DAY_S);
}
