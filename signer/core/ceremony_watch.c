/* SPDX-License-Identifier: Apache-2.0 */
/* What runs out: a key's period, its certificate, its signatures; and what it
 * has signed. */
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/metrics.h"
#include "ceremony_state.h"

enum {
	DAY_S = 86400,
	AHEAD_S = 30 * DAY_S,
	SOON_S = 7 * DAY_S,
	PERCENT = 100,
	WARN_PERCENT = 90
};

/* --- what a key has signed ------------------------------------------------ */

struct signed_by {
	uint64_t count;
	int64_t exp;
};

static struct signed_by signed_by(const struct ceremony *c,
				  const struct life *l)
{
	struct signed_by s = {.count = 0};
	size_t k;

	if (ceremony_find_key(c, l, &k) && c->part.keys->key[k].has_dsc)
		key_usage_of(c->usage, c->part.keys->key[k].dsc.kid, &s.count,
			     &s.exp);
	return s;
}

uint64_t ceremony_signed(const struct ceremony *c, const struct life *l)
{
	return signed_by(c, l).count;
}

static bool is_known(void *ctx, const uint8_t kid[COSE_KID_BYTES])
{
	const struct ceremony *c = ctx;
	size_t k;

	return keyring_find_kid(c->part.keys, kid, &k);
}

int64_t ceremony_last_expiry(struct ceremony *c, const struct life *l)
{
	const int64_t own = signed_by(c, l).exp;
	int64_t others;

	/* A certificate that was renewed in signerd.yaml has left a kid of
	 * which nobody knows whose it was. */
	if (!l->configured)
		return own;
	others = key_usage_others(c->usage, is_known, c);
	return others > own ? others : own;
}

bool ceremony_used_up(const struct ceremony *c, const struct life *l)
{
	return l->signatures > 0 && ceremony_signed(c, l) >= l->signatures;
}

void ceremony_limit(struct ceremony *c, int64_t now)
{
	for (size_t i = 0; i < c->life.n; i++) {
		struct life *l = &c->life.key[i];

		if (l->state != KEY_ACTIVE || l->signatures == 0 ||
		    (l->retire != 0 && l->retire <= now))
			continue;
		/* Once it was: what it has signed is counted later. */
		if (!ceremony_used_up(c, l) &&
		    !ceremony_store_event(c->store, l->label, KEY_RETIRED))
			continue;
		log_event(LOG_WARNING, "key-used-up",
			  "key=\"%s\" signatures=%llu", l->label,
			  (unsigned long long)l->signatures);
		l->retire = now; /* by lifecycle_due() */
	}
}

/* --- warnings ------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void add(
	struct ceremony_warnings *out, int64_t left_s, const char *fmt, ...)
{
	va_list ap;

	if (out->n == CEREMONY_WARNINGS_MAX)
		return;
	out->soon |= left_s < SOON_S;
	va_start(ap, fmt);
	(void)vsnprintf(out->text[out->n++], sizeof(out->text[0]), fmt, ap);
	va_end(ap);
}

static long long days(int64_t left_s)
{
	return left_s > 0 ? (long long)(left_s / DAY_S) : 0;
}

static const char *plural(int64_t left_s)
{
	return days(left_s) == 1 ? "" : "s";
}

/* Seconds that L may sign yet, by what ends first; INT64_MAX: nothing does. */
static int64_t left(const struct ceremony *c, const struct life *l, int64_t now,
		    int64_t *period, int64_t *dsc)
{
	size_t k;

	*period = *dsc = INT64_MAX;
	if (l->period_s > 0 && l->activated > 0)
		*period = l->activated + l->period_s - now;
	/* From then on what it signs is shorter than it may be. */
	if (ceremony_find_key(c, l, &k) && c->part.keys->key[k].has_dsc)
		*dsc = c->part.keys->key[k].dsc.not_after - c->longest_s - now;
	return *period < *dsc ? *period : *dsc;
}

/* L is to be retired at a time, and what was to follow it is not: the key goes
 * on. */
static void warn_of_end(const struct ceremony *c, const struct life *l,
			int64_t now, struct ceremony_warnings *out)
{
	char text[CEREMONY_KINDS_TEXT];
	unsigned kinds;

	if (l->state != KEY_ACTIVE || l->ledger || l->retire == 0 || l->last)
		return;
	kinds = lifecycle_unsigned(&c->life, l, l->retire, now);
	if (kinds == 0)
		return;
	if (l->retire <= now)
		add(out, 0,
		    "its time is over, and it goes on: no other active key "
		    "signs %s",
		    ceremony_kinds(kinds, text));
	else
		add(out, l->retire - now,
		    "nothing is to follow it for %s: it will go on past its "
		    "time",
		    ceremony_kinds(kinds, text));
}

void ceremony_warn(const struct ceremony *c, const struct life *l, int64_t now,
		   struct ceremony_warnings *out)
{
	const uint64_t count = ceremony_signed(c, l);
	int64_t period;
	int64_t dsc;

	*out = (struct ceremony_warnings){.n = 0};
	if (ceremony_is_stopped(c, l))
		add(out, 0,
		    "its stop is not on record and ends with a restart: the "
		    "state directory is full");
	if (l->state != KEY_ACTIVE && l->state != KEY_PUBLISHED)
		return;
	(void)left(c, l, now, &period, &dsc);
	warn_of_end(c, l, now, out);
	if (period < AHEAD_S)
		add(out, period, "its period ends in %lld day%s", days(period),
		    plural(period));
	if (dsc < 0)
		add(out, dsc,
		    "its certificate ends before the longest certificate that "
		    "it may sign");
	else if (dsc < AHEAD_S)
		add(out, dsc,
		    "in %lld day%s its certificate will end before what it "
		    "signs",
		    days(dsc), plural(dsc));
	if (l->signatures > 0 &&
	    count >= l->signatures / PERCENT * WARN_PERCENT)
		add(out, 0,
		    "it has made %llu of the %llu signatures that it may",
		    (unsigned long long)count,
		    (unsigned long long)l->signatures);
}

void ceremony_watch(struct ceremony *c, int64_t now)
{
	struct ceremony_warnings w;
	int64_t soonest = INT64_MAX;
	uint64_t active = 0;
	uint64_t warned = 0;
	int64_t period;
	int64_t dsc;

	for (size_t i = 0; i < c->life.n; i++) {
		const struct life *l = &c->life.key[i];
		const int64_t ends = left(c, l, now, &period, &dsc);

		ceremony_warn(c, l, now, &w);
		warned += w.n > 0;
		if (l->state != KEY_ACTIVE || l->ledger)
			continue;
		active++;
		soonest = ends < soonest ? ends : soonest;
	}
	metric_set(METRIC_KEYS_ACTIVE, active);
	metric_set(METRIC_KEYS_WARNED, warned);
	metric_set(METRIC_KEYS_END, soonest == INT64_MAX || now + soonest < 0
					    ? 0
					    : (uint64_t)(now + soonest));
	if (now / DAY_S == c->warned_day)
		return;
	c->warned_day = now / DAY_S;
	for (size_t i = 0; i < c->life.n; i++) {
		ceremony_warn(c, &c->life.key[i], now, &w);
		for (size_t n = 0; n < w.n; n++)
			log_event(w.soon ? LOG_ERROR : LOG_WARNING,
				  "key-runs-out", "key=\"%s\" text=\"%s\"",
				  c->life.key[i].label, w.text[n]);
	}
}
