/* SPDX-License-Identifier: Apache-2.0 */
#include "certlogic_time.h"

#include <assert.h>

#include "base/civil.h"

enum {
	MS = 1000, /* a second */
	MINUTE_S = 60,
	HOUR_S = 3600,
	DAY_S = 86400,
	YEAR_MONTHS = 12,
	FRACTION_DIGITS = 3, /* that count */
	OFFSET_HOURS_MAX = 23
};
#define DAY_MS ((int64_t)DAY_S * MS)
/* Date-times end this far from 1970, well beyond the year 9999. */
#define DAYS_LIMIT ((int64_t)4000000)

static const char *const UNIT[CERTLOGIC_UNITS] = {
	[CERTLOGIC_YEAR] = "year",
	[CERTLOGIC_MONTH] = "month",
	[CERTLOGIC_DAY] = "day",
	[CERTLOGIC_HOUR] = "hour",
};

const char *certlogic_unit_name(enum certlogic_unit unit)
{
	assert(unit < CERTLOGIC_UNITS);
	return UNIT[unit];
}

/* --- reading -------------------------------------------------------------- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Take N digits. */
static bool take_number(struct span *s, size_t n, int *out)
{
	int value = 0;

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(s->p[i]))
			return false;
		value = value * 10 + (s->p[i] - '0');
	}
	*s = span_of(s->p + n, s->n - n);
	*out = value;
	return true;
}

static bool take_char(struct span *s, char c)
{
	if (s->n == 0 || s->p[0] != (uint8_t)c)
		return false;
	*s = span_of(s->p + 1, s->n - 1);
	return true;
}

/* Take a date, maybe a partial one; of that, the last day that it may mean. */
static bool take_date(struct span *s, int64_t *days, bool *partial)
{
	int year;
	int month = YEAR_MONTHS;
	int day;

	*partial = true;
	if (!take_number(s, 4, &year))
		return false;
	if (s->n > 0 && (!take_char(s, '-') || !take_number(s, 2, &month) ||
			 month < 1 || month > YEAR_MONTHS))
		return false;
	day = civil_month_days(year, month);
	if (s->n > 0) {
		const int last = day;

		*partial = false;
		if (!take_char(s, '-') || !take_number(s, 2, &day) || day < 1 ||
		    day > last)
			return false;
	}
	*days = civil_days(year, month, day);
	return true;
}

/* Take ".S", any number of digits, the first three as milliseconds. */
static bool take_fraction(struct span *s, int *ms)
{
	int digit;
	int scale = MS;

	*ms = 0;
	if (!take_char(s, '.'))
		return true;
	if (!take_number(s, 1, &digit))
		return false;
	do {
		scale /= 10;
		*ms += digit * scale;
	} while (take_number(s, 1, &digit));
	return true;
}

/* Take what ends a date-time: nothing, Z, or + or - and h, hh, hmm, hhmm, h:mm,
 * hh:mm. */
static bool take_offset(struct span *s, int *offset_s)
{
	const int sign = s->n > 0 && s->p[0] == '-' ? -1 : 1;
	size_t digits = 0;
	bool has_minutes;
	int hours;
	int minutes = 0;

	*offset_s = 0;
	if (s->n == 0 || span_is(*s, "Z"))
		return true;
	if (!take_char(s, '+') && !take_char(s, '-'))
		return false;
	while (digits < s->n && is_digit(s->p[digits]))
		digits++;
	if (digits < 1 || digits > 4 ||
	    !take_number(s, digits % 2 == 0 ? 2 : 1, &hours))
		return false;
	has_minutes = digits > 2 || take_char(s, ':');
	if (has_minutes && !take_number(s, 2, &minutes))
		return false;
	*offset_s = sign * (hours * HOUR_S + minutes * MINUTE_S);
	return s->n == 0 && hours <= OFFSET_HOURS_MAX && minutes < MINUTE_S;
}

/* Take "Thh:mm:ss", its fraction and its offset: milliseconds of the day. */
static bool take_clock(struct span *s, int64_t *ms)
{
	int hour;
	int minute;
	int second;
	int fraction;
	int offset_s;

	if (!take_char(s, 'T') || !take_number(s, 2, &hour) ||
	    !take_char(s, ':') || !take_number(s, 2, &minute) ||
	    !take_char(s, ':') || !take_number(s, 2, &second) ||
	    !take_fraction(s, &fraction) || !take_offset(s, &offset_s))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*ms = ((int64_t)hour * HOUR_S + (int64_t)minute * MINUTE_S + second -
	       offset_s) *
		      MS +
	      fraction;
	return true;
}

static bool starts_clock(struct span text)
{
	enum { DATE_BYTES = sizeof("YYYY-MM-DD") - 1 };

	return text.n > DATE_BYTES && text.p[DATE_BYTES] == 'T';
}

bool certlogic_time_read(struct span text, int64_t *ms)
{
	struct span date = text;
	struct span clock = span_of(NULL, 0);
	int64_t of_day = 0;
	int64_t days;
	bool partial;

	if (starts_clock(text)) {
		date.n = sizeof("YYYY-MM-DD") - 1;
		clock = span_of(text.p + date.n, text.n - date.n);
	}
	if (!take_date(&date, &days, &partial) || date.n > 0)
		return false;
	if (clock.n > 0 && (partial || !take_clock(&clock, &of_day)))
		return false;
	*ms = days * DAY_MS + of_day;
	return true;
}

bool certlogic_birth_read(struct span text, int64_t *ms)
{
	return !starts_clock(text) && certlogic_time_read(text, ms);
}

/* --- adding --------------------------------------------------------------- */

static bool in_range(int64_t days)
{
	return days >= -DAYS_LIMIT && days <= DAYS_LIMIT;
}

static bool plus_months(int64_t ms, int64_t months, int64_t *out)
{
	const int64_t days = civil_floor(ms, DAY_MS);
	const struct civil c = civil_of(days);
	const int64_t sum = c.year * YEAR_MONTHS + (c.month - 1) + months;
	const int64_t year = civil_floor(sum, YEAR_MONTHS);
	const int64_t moved =
		civil_days(year, (int)(sum - year * YEAR_MONTHS) + 1, c.day);

	*out = moved * DAY_MS + (ms - days * DAY_MS);
	return in_range(moved);
}

bool certlogic_time_plus(int64_t ms, int64_t amount, enum certlogic_unit unit,
			 int64_t *out)
{
	/* As many hours reach any date-time from any other one. */
	const int64_t limit = 2 * DAYS_LIMIT * (DAY_S / HOUR_S);

	if (amount < -limit || amount > limit ||
	    !in_range(civil_floor(ms, DAY_MS)))
		return false;
	switch (unit) {
	case CERTLOGIC_YEAR: return plus_months(ms, amount * YEAR_MONTHS, out);
	case CERTLOGIC_MONTH: return plus_months(ms, amount, out);
	case CERTLOGIC_DAY: *out = ms + amount * DAY_MS; break;
	case CERTLOGIC_HOUR:
	case CERTLOGIC_UNITS:
	default: *out = ms + amount * HOUR_S * MS; break;
	}
	return in_range(civil_floor(*out, DAY_MS));
}

/* --- writing -------------------------------------------------------------- */

/* Write NUMBER as N digits at *P, and AFTER. */
static void put(char **p, int number, size_t n, char after)
{
	for (size_t i = n; i > 0; i--, number /= 10)
		(*p)[i - 1] = (char)('0' + number % 10);
	(*p)[n] = after;
	*p += n + 1;
}

struct span certlogic_time_text(int64_t seconds, char buf[CERTLOGIC_TIME_TEXT])
{
	const int64_t days = civil_floor(seconds, DAY_S);
	const int of_day = (int)(seconds - days * DAY_S);
	char *p = buf;
	struct civil c;

	if (!in_range(days))
		return span_of(NULL, 0);
	c = civil_of(days);
	if (c.year < 0 || c.year > 9999)
		return span_of(NULL, 0);
	put(&p, (int)c.year, 4, '-');
	put(&p, c.month, 2, '-');
	put(&p, c.day, 2, 'T');
	put(&p, of_day / HOUR_S, 2, ':');
	put(&p, of_day % HOUR_S / MINUTE_S, 2, ':');
	put(&p, of_day % MINUTE_S, 2, 'Z');
	return span_of(buf, (size_t)(p - buf));
}
