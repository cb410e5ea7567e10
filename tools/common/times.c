/* SPDX-License-Identifier: Apache-2.0 */
#include "times.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/civil.h"

enum { DAY_S = 86400 };

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

	if (!take_digits(s, 4, &year) || !take_one(s, "-") ||
	    !take_digits(s, 2, &month) || !take_one(s, "-") ||
	    !take_digits(s, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > civil_month_days(year, month))
		return false;
	*days = civil_days(year, month, day);
	return true;
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
	const int64_t days = civil_floor(t, DAY_S);
	const int64_t second = t % DAY_S < 0 ? t % DAY_S + DAY_S : t % DAY_S;
	const struct civil c = civil_of(days);

	if (days < civil_days(0, 1, 1) || days >= civil_days(10000, 1, 1)) {
		(void)snprintf(out, TIMES_TEXT, "%" PRId64, t);
		return;
	}
	(void)snprintf(out, TIMES_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ",
		       (int)c.year, c.month, c.day, (int)(second / 3600),
		       (int)(second / 60 % 60), (int)(second % 60));
}
