/* SPDX-License-Identifier: Apache-2.0 */
#include "quota_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/civil.h"
#include "base/log.h"
#include "base/metrics.h"

/* FNV-1a, 32 bits. */
static const uint32_t FNV_BASIS = 2166136261U;
static const uint32_t FNV_PRIME = 16777619U;

/* --- accounts ------------------------------------------------------------- */

static struct account_list *bucket_of(struct quota *q, struct span name)
{
	uint32_t h = FNV_BASIS;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ name.p[i]) * FNV_PRIME;
	return &q->bucket[(h ^ h >> 16) % BUCKETS];
}

struct quota_account *quota_find(struct quota *q, struct span name)
{
	struct quota_account *a;

	LIST_FOREACH (a, bucket_of(q, name), entry)
		if (span_is(name, a->name))
			return a;
	return NULL;
}

void quota_drop(struct quota *q, struct quota_account *a)
{
	LIST_REMOVE(a, entry);
	q->accounts--;
	free(a);
}

static void clear_counts(struct quota_account *a)
{
	for (size_t i = 0; i < DAYS; i++)
		a->day[i] = (struct quota_day){.number = INT64_MIN};
	hours_clear(&a->hours);
	a->forgiven = INT64_MIN;
	a->alarmed = false;
}

/* The account of NAME, made if it is not there.  Errors: SG_NO_MEMORY. */
static enum sg_err account(struct quota *q, struct span name,
			   struct quota_account **out)
{
	struct quota_account *a = quota_find(q, name);

	*out = a;
	if (a != NULL)
		return SG_OK;
	if (q->accounts == QUOTA_ACCOUNTS_MAX || name.n > NAME_MAX_BYTES)
		return SG_NO_MEMORY;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return SG_NO_MEMORY;
	(void)snprintf(a->name, sizeof(a->name), "%.*s", (int)name.n,
		       (const char *)name.p);
	clear_counts(a);
	LIST_INSERT_HEAD(bucket_of(q, name), a, entry);
	q->accounts++;
	*out = a;
	return SG_OK;
}

static enum sg_err account_of(struct quota *q, const struct client *c,
			      struct quota_account **out)
{
	*out = NULL;
	if (q->uncounted)
		return SG_LEDGER_DOWN;
	return account(q, span_str(client_name(c)), out);
}

/* --- days ----------------------------------------------------------------- */

int64_t quota_day_of(const struct quota *q, int64_t wall_s)
{
	return civil_floor(wall_s + q->zone_s, DAY_S);
}

int64_t quota_day_begins(const struct quota *q, int64_t wall_s)
{
	return quota_day_of(q, wall_s) * DAY_S - q->zone_s;
}

struct quota_day *quota_slot_of(struct quota_account *a, int64_t number)
{
	return &a->day[(uint64_t)number % DAYS];
}

/* On record on day NUMBER.  Of days that a newer one has taken the place of
 * nothing is known, and nothing is left. */
static uint64_t recorded_on(struct quota_account *a, int64_t number)
{
	const struct quota_day *d = quota_slot_of(a, number);

	if (d->number > number)
		return UINT64_MAX / 2;
	return d->number == number ? d->recorded : 0;
}

static void record_on(struct quota_account *a, int64_t number)
{
	struct quota_day *d = quota_slot_of(a, number);

	if (d->number < number)
		*d = (struct quota_day){.number = number};
	if (d->number == number)
		d->recorded++;
}

/* Certificates left of LIMIT on the day of WALL_S. */
static uint64_t left(const struct quota *q, struct quota_account *a,
		     uint64_t limit, int64_t wall_s)
{
	const uint64_t used =
		recorded_on(a, quota_day_of(q, wall_s)) + a->reserved;

	return used < limit ? limit - used : 0;
}

/* --- the bucket ----------------------------------------------------------- */

/* What has flown in until NOW_US. */
static void fill(struct quota_account *a, const struct client_limits *l,
		 uint64_t now_us)
{
	const uint64_t full = (uint64_t)l->burst * TOKEN;
	const uint64_t elapsed =
		now_us > a->level_us ? now_us - a->level_us : 0;

	if (a->level_us == 0 || a->level >= full ||
	    elapsed > (full - a->level) / l->per_second)
		a->level = full;
	else
		a->level += elapsed * l->per_second;
	if (now_us > a->level_us)
		a->level_us = now_us;
}

/* Take a token; else *WAIT_US is the time until there is one. */
static bool take_token(struct quota_account *a, const struct client_limits *l,
		       uint64_t now_us, uint64_t *wait_us)
{
	fill(a, l, now_us);
	if (a->level < TOKEN) {
		*wait_us =
			(TOKEN - a->level + l->per_second - 1) / l->per_second;
		return false;
	}
	a->level -= TOKEN;
	return true;
}

/* --- hours and the alarm -------------------------------------------------- */

static void count_hours(struct quota_account *a, int64_t hour, uint32_t n)
{
	if (hours_add(&a->hours, hour, n))
		a->alarmed = false;
}

static uint64_t usual_of(const struct hours *h, const struct client_limits *l)
{
	return h->usual > l->alarm_minimum ? h->usual : l->alarm_minimum;
}

/* What is more in an hour raises the alarm of L. */
static uint64_t alarm_limit(const struct hours *h,
			    const struct client_limits *l)
{
	return usual_of(h, l) * l->alarm_factor;
}

/* Does the newest hour raise the alarm of L? */
static void watch(struct quota *q, struct quota_account *a,
		  const struct client_limits *l)
{
	const struct hours *h = &a->hours;
	const uint64_t n = hours_count(h, h->newest);
	const uint64_t usual = usual_of(h, l);

	if (l->alarm_factor == 0 || a->alarmed || a->forgiven == h->newest ||
	    n <= alarm_limit(h, l))
		return;
	a->alarmed = true;
	metric_add(METRIC_ALARMS, 1);
	log_event(LOG_WARNING, "client-alarm",
		  "client=\"%s\" signed=%llu usual=%llu factor=%u stopped=%d "
		  "text=\"it has signed more in this hour than it usually "
		  "does\"",
		  a->name, (unsigned long long)n, (unsigned long long)usual,
		  l->alarm_factor, l->alarm_stop);
	if (!l->alarm_stop || a->stopped)
		return;
	a->stopped = true;
	metric_set(METRIC_CLIENTS_STOPPED, ++q->stopped);
}

/* --- requests ------------------------------------------------------------- */

/* Are so many on record in this hour, and on their way, that the alarm of L
 * comes with them and stops A?  Then none more. */
static bool nears_alarm(struct quota_account *a, const struct client_limits *l,
			int64_t wall_s)
{
	const int64_t hour = civil_floor(wall_s, HOUR_S);
	const struct hours *h = &a->hours;
	const uint64_t n = hours_count(h, hour) + a->reserved;

	return l->alarm_stop && l->alarm_factor > 0 && a->forgiven != hour &&
	       n > alarm_limit(h, l);
}

enum sg_err quota_ask(struct quota *q, const struct client *c,
		      const struct quota_time *now, struct quota_answer *out)
{
	const struct client_limits *l = client_limits(c);
	struct quota_account *a;
	const enum sg_err err = account_of(q, c, &a);

	*out = (struct quota_answer){.word = QUOTA_ROOM};
	if (err != SG_OK)
		return err;
	if (a->stopped || nears_alarm(a, l, now->wall_s)) {
		out->word = QUOTA_STOPPED;
		out->wait_us = (uint64_t)STOPPED_S * US_PER_S;
	} else if (l->per_day > 0 && left(q, a, l->per_day, now->wall_s) == 0) {
		out->word = QUOTA_USED_UP;
		out->wait_us = (uint64_t)(quota_day_begins(q, now->wall_s) +
					  DAY_S - now->wall_s) *
			       US_PER_S;
	} else if (l->per_second > 0 &&
		   !take_token(a, l, now->mono_us, &out->wait_us)) {
		out->word = QUOTA_TOO_FAST;
	}
	return SG_OK;
}

enum sg_err quota_reserve(struct quota *q, const struct client *c,
			  int64_t wall_s, struct quota_account **out)
{
	const struct client_limits *l = client_limits(c);
	struct quota_account *a;
	const enum sg_err err = account_of(q, c, &a);

	*out = NULL;
	if (err != SG_OK)
		return err;
	if (l->per_day > 0 && left(q, a, l->per_day, wall_s) == 0)
		return SG_RATE;
	a->reserved++;
	*out = a;
	return SG_OK;
}

void quota_give_back(struct quota_account *a)
{
	assert(a->reserved > 0);
	a->reserved--;
}

void quota_record(struct quota *q, struct quota_account *a,
		  const struct client *c, int64_t time_ms)
{
	const int64_t time_s = civil_floor(time_ms, MS_PER_S);

	quota_give_back(a);
	record_on(a, quota_day_of(q, time_s));
	count_hours(a, civil_floor(time_s, HOUR_S), 1);
	watch(q, a, client_limits(c));
}

void quota_lost(const struct quota *q, struct quota_account *a, int64_t time_ms)
{
	const int64_t time_s = civil_floor(time_ms, MS_PER_S);
	const int64_t number = quota_day_of(q, time_s);
	struct quota_day *d = quota_slot_of(a, number);

	if (d->number == number && d->recorded > 0)
		d->recorded--;
	hours_take(&a->hours, civil_floor(time_s, HOUR_S));
}

enum sg_err quota_count(struct quota *q, struct span name, int64_t time_ms)
{
	const int64_t time_s = civil_floor(time_ms, MS_PER_S);
	struct quota_account *a;
	enum sg_err err;

	if (name.n > NAME_MAX_BYTES)
		return SG_OK; /* no policy can name it */
	err = account(q, name, &a);
	if (err != SG_OK)
		return err;
	record_on(a, quota_day_of(q, time_s));
	count_hours(a, civil_floor(time_s, HOUR_S), 1);
	return SG_OK;
}

enum sg_err quota_count_hour(struct quota *q, struct span name, int64_t hour,
			     uint32_t n)
{
	struct quota_account *a;
	enum sg_err err;

	if (name.n > NAME_MAX_BYTES)
		return SG_OK; /* no policy can name it */
	err = account(q, name, &a);
	if (err == SG_OK)
		count_hours(a, hour, n);
	return err;
}

void quota_each_hour(const struct quota *q,
		     void (*each)(void *ctx, const char *name, int64_t hour,
				  uint32_t n),
		     void *ctx)
{
	const struct quota_account *a;

	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH (a, &q->bucket[i], entry) {
			const int64_t newest = a->hours.newest;

			if (newest == INT64_MIN)
				continue;
			for (int64_t h = newest - HOURS_KEPT + 1; h <= newest;
			     h++)
				if (hours_count(&a->hours, h) > 0)
					each(ctx, a->name, h,
					     hours_count(&a->hours, h));
		}
}

bool quota_usage(struct quota *q, const struct client *c, int64_t wall_s,
		 struct policy_usage *out)
{
	const uint64_t limit = client_limits(c)->per_day;
	struct quota_account *a;

	if (limit == 0 || q->uncounted)
		return false;
	a = quota_find(q, span_str(client_name(c)));
	out->left = a != NULL ? left(q, a, limit, wall_s) : limit;
	out->ends = quota_day_begins(q, wall_s) + DAY_S;
	return true;
}

/* --- life ----------------------------------------------------------------- */

void quota_set_counted(struct quota *q, bool counted)
{
	q->uncounted = !counted;
}

bool quota_counted(const struct quota *q)
{
	return !q->uncounted;
}

void quota_forget(struct quota *q)
{
	struct quota_account *a;

	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH (a, &q->bucket[i], entry) {
			assert(a->reserved == 0);
			clear_counts(a);
		}
}

enum sg_err quota_create(const struct policy *p, struct quota **out)
{
	struct quota *q = calloc(1, sizeof(*q));

	*out = q;
	if (q == NULL)
		return SG_NO_MEMORY;
	q->zone_s = policy_zone_s(p);
	memcpy(q->policy_hash, policy_hash(p), sizeof(q->policy_hash));
	return SG_OK;
}

void quota_free(struct quota *q)
{
	struct quota_account *next;
	struct quota_account *a;

	if (q == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (a = LIST_FIRST(&q->bucket[i]); a != NULL; a = next) {
			next = LIST_NEXT(a, entry);
			free(a);
		}
	}
	free(q);
}
