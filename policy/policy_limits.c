/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_limits.h"

#include "literal.h"

/* The number TEXT (NULL: absent) at PATH.KEY, from 1 to MAX; 0 if there is
 * none. */
static int64_t read_number(struct reading *r, const char *path, const char *key,
			   const char *text, int64_t max)
{
	char inner[READING_PATH_BYTES];
	int64_t value = 0;

	if (text == NULL || literal_count(text, max, &value))
		return value;
	reading_path(inner, "%s.%s", path, key);
	reading_fault(r, inner, "must be an integer from 1 to %lld",
		      (long long)max);
	return 0;
}

static void read_rate(struct reading *r, const char *path,
		      const struct source_rate *s, struct client_limits *l)
{
	if (s->per_second == NULL && s->burst != NULL)
		reading_missing(r, path, "rate.per_second");
	l->per_second = (uint32_t)read_number(r, path, "rate.per_second",
					      s->per_second, POLICY_RATE_MAX);
	l->burst = (uint32_t)read_number(r, path, "rate.burst", s->burst,
					 POLICY_RATE_MAX);
	if (s->burst == NULL)
		l->burst = l->per_second;
}

/* Is there any of S? */
static bool has_alarm(const struct source_alarm *s)
{
	return s->factor != NULL || s->minimum != NULL || s->stop != NULL;
}

static bool read_stop(struct reading *r, const char *path, const char *text)
{
	char inner[READING_PATH_BYTES];

	if (text == NULL || strcmp(text, "false") == 0)
		return false;
	if (strcmp(text, "true") == 0)
		return true;
	reading_path(inner, "%s.stop", path);
	reading_fault(r, inner, "must be true or false");
	return false;
}

/* S lies at PATH ("alarm", "clients[3].alarm"). */
static void read_alarm(struct reading *r, const char *path,
		       const struct source_alarm *s, struct client_limits *l)
{
	if (!has_alarm(s))
		return;
	if (s->factor == NULL)
		reading_missing(r, path, "factor");
	l->alarm_factor = (uint32_t)read_number(r, path, "factor", s->factor,
						POLICY_ALARM_FACTOR_MAX);
	l->alarm_minimum = (uint32_t)read_number(r, path, "minimum", s->minimum,
						 POLICY_ALARM_MINIMUM_MAX);
	if (s->minimum == NULL)
		l->alarm_minimum = POLICY_ALARM_MINIMUM;
	l->alarm_stop = read_stop(r, path, s->stop);
}

void policy_limits_read(struct reading *r, const char *path,
			const struct source_client *source, struct client *out)
{
	/* Its faults are told by policy_limits_check_alarm(), once. */
	struct faults unheard = {.n = 0};
	struct reading quiet = {
		.name = r->name, .faults = &unheard, .out = r->out};
	char inner[READING_PATH_BYTES];

	read_rate(r, path, &source->rate, &out->limits);
	out->limits.per_day =
		(uint64_t)read_number(r, path, "quota.per_day",
				      source->quota.per_day, POLICY_QUOTA_MAX);
	if (has_alarm(&source->alarm)) {
		reading_path(inner, "%s.alarm", path);
		read_alarm(r, inner, &source->alarm, &out->limits);
	} else {
		read_alarm(&quiet, "alarm", &r->out->source->alarm,
			   &out->limits);
	}
}

void policy_limits_check_alarm(struct reading *r)
{
	struct client_limits unused;

	read_alarm(r, "alarm", &r->out->source->alarm, &unused);
}
