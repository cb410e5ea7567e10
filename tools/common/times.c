/* SPDX-License-Identifier: Apache-2.0 */
#include "times.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	DAY_S = 86400,
	ERA_YEARS = 400,	/* after which the calendar repeats */
	ERA_DAYS = 146097,	/* in ERA_YEARS */
	EPOCH_DAYS = 719468,	/* 0000-03-01 to 1970-01-01 */
	MARCH_MONTHS_DAYS = 153 /* five months from March or August on */
};

int64_t times_days(int64_t year, int month, int day)
{
	/* Years begin in March here, so that a leap day is a year's last. */
	const int64_t y = month <= 2 ? year - 1 : year;
	const int64_t era = (y >= 0 ? y : y - (ERA_YEARS - 1)) / ERA_YEARS;
	const int64_t yoe = y - era * ERA_YEARS;
	const int64_t m = month <= 2 ? month + 9 : month - 3;
	const int64_t doy = (MARCH_MONTHS_DAYS * m + 2) / 5 + day - 1;

	return era * ERA_DAYS + yoe * 365 + yoe / 4 - yoe / 100 + doy -
	       EPOCH_DAYS;
}

void times_date(int64_t days, int64_t *year, int *month, int *day)
{
	const int64_t z = days + EPOCH_DAYS;
	const int64_t era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	const int64_t doe = z - era * ERA_DAYS;
	/* Leap days come every 1461 and leave out every 36524 days. */
	const int64_t yoe =
		(doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int64_t m = (5 * doy + 2) / MARCH_MONTHS_DAYS;

	*day = (int)(doy - (MARCH_MONTHS_DAYS * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = yoe + era * ERA_YEARS + (*month <= 2 ? 1 : 0);
}

/* N digits at *S, taken. */
static bool take_digits(struct span *s, size_t n, int *out)
{
	int v = 0;

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = span_of(s->p + n, s->n - n);
	*out = v;
	return true;
}

/* One of the characters of SET at *S, taken. */
static bool take_one(struct span *s, const char *set)
{
	if (s->n == 0 || strchr(set, s->p[0]) == NULL || s->p[0] == '\0')
		return false;
	*s = span_of(s->p + 1, s->n - 1);
	return true;
}

static bool take_day(struct span *s, int64_t *days)
{
	int year;
	int month;
	int day;
	int64_t check_year;
	int check_month;
	int check_day;

	if (!take_digits(s, 4, &year) || !take_one(s, "-") ||
	    !take_digits(s, 2, &month) || !take_one(s, "-") ||
	    !take_digits(s, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1)
		return false;
	*days = times_days(year, month, day);
	times_date(*days, &check_year, &check_month, &check_day);
	return check_year == year && check_month == month && check_day == day;
}

static bool take_offset(struct span *s, int *seconds)
{
	int hours;
	int minutes;
	bool minus;

	*seconds = 0;
	if (s->n == 0 || take_one(s, "Zz"))
		return true;
	minus = s->p[0] == '-';
	if (!take_one(s, "+-") || !take_digits(s, 2, &hours))
		return false;
	(void)take_one(s, ":");
	if (!take_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = (hours * 60 + minutes) * 60 * (minus ? -1 : 1);
	return true;
}

static bool take_clock(struct span *s, int *seconds)
{
	int h;
	int m;
	int sec;
	int digit;

	if (!take_digits(s, 2, &h) || !take_one(s, ":") ||
	    !take_digits(s, 2, &m) || !take_one(s, ":") ||
	    !take_digits(s, 2, &sec))
		return false;
	if (h > 23 || m > 59 || sec > 60) /* 60: a leap second */
		return false;
	if (take_one(s, ".")) {
		if (!take_digits(s, 1, &digit))
			return false;
		while (take_digits(s, 1, &digit))
			;
	}
	*seconds = (h * 60 + m) * 60 + sec;
	return true;
}

static bool parse_seconds(struct span text, int64_t *out)
{
	int64_t v = 0;
	int digit;

	if (text.n == 0 || text.n > 18)
		return false;
	while (take_digits(&text, 1, &digit))
		v = v * 10 + digit;
	*out = v;
	return text.n == 0;
}

bool times_parse(struct span text, int64_t *out)
{
	int64_t days;
	int clock = 0;
	int offset = 0;

	if (parse_seconds(text, out))
		return true;
	if (!take_day(&text, &days))
		return false;
	if (text.n > 0 &&
	    (!take_one(&text, "Tt ") || !take_clock(&text, &clock) ||
	     !take_offset(&text, &offset)))
		return false;
	if (text.n > 0)
		return false;
	*out = days * DAY_S + clock - offset;
	return true;
}

void times_format(int64_t t, char out[TIMES_TEXT])
{
	int64_t days = t / DAY_S;
	int64_t second = t % DAY_S;
	int64_t year;
	int month;
	int day;

	if (second < 0) {
		second += DAY_S;
		days--;
	}
	if (days < times_days(0, 1, 1) || days >= times_days(10000, 1, 1)) {
		(void)snprintf(out, TIMES_TEXT, "%" PRId64, t);
		return;
	}
	times_date(days, &year, &month, &day);
	(void)snprintf(out, TIMES_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ",
		       (int)year, month, day, (int)(second / 3600),
		       (int)(second / 60 % 60), (int)(second % 60));
}
