/* SPDX-License-Identifier: Apache-2.0 */
/* What a client may have signed, and how fast: see quota.h. */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/request_id.h"
#include "base/throttle.h"
#include "issue_state.h"

enum { US_PER_MS = 1000, US_PER_S = 1000000 };

/* --- the clock ---------------------------------------------------------- */

bool limits_clock_sane(struct issuer *s, int64_t now)
{
	const bool behind = !release_clock_sane(s->part.release, now);

	if (behind != s->clock_behind)
		log_event(behind ? LOG_ERROR : LOG_INFO,
			  behind ? "clock-behind" : "clock-sane",
			  "now=%lld reason=\"the clock against the newest "
			  "certificate\"",
			  (long long)now);
	s->clock_behind = behind;
	return !behind;
}

/* --- answers ------------------------------------------------------------ */

static void log_limited(const struct asked *a, const char *limit)
{
	static struct throttle throttle;
	char name[REQUEST_ID_TEXT];
	uint64_t dropped;

	if (!throttle_allows(&throttle, clock_wall_s(), &dropped))
		return;
	log_event(LOG_WARNING, "client-limited",
		  "request=%s client=\"%s\" limit=%s unlogged=%llu",
		  request_id_text(a->name, a->line, name),
		  client_name(a->client), limit, (unsigned long long)dropped);
}

/* Count a refusal of A by WORD, and make s->decision's verdict say so. */
static struct span refusal(struct issuer *s, const struct asked *a,
			   enum quota_word word, uint8_t language)
{
	static const struct {
		enum violation_code code;
		enum metric_id metric;
		const char *name;
	} kind[] = {
		[QUOTA_USED_UP] = {VIOLATION_QUOTA_EXCEEDED,
				   METRIC_QUOTA_REFUSED, "quota"},
		[QUOTA_TOO_FAST] = {VIOLATION_RATE_EXCEEDED,
				    METRIC_RATE_REFUSED, "rate"},
		[QUOTA_STOPPED] = {VIOLATION_CLIENT_STOPPED,
				   METRIC_ALARM_REFUSED, "alarm"},
	};
	struct verdict *v = &s->decision.verdict;

	assert(word != QUOTA_ROOM);
	metric_add(METRIC_REFUSED, 1);
	metric_add(kind[word].metric, 1);
	log_limited(a, kind[word].name);
	verdict_add_at(v, kind[word].code, false, NULL);
	diary_refused(s->part.diary, client_name(a->client), v);
	asked_refused(a, SG_RATE, v);
	return violations_encode(v, language, s->violations,
				 sizeof(s->violations));
}

static uint32_t seconds(uint64_t wait_us)
{
	return (uint32_t)(wait_us / US_PER_S + 1);
}

static void say_later(const struct limited *r, uint64_t wait_us)
{
	const struct wire_later m = {
		.wait_ms = (uint32_t)(wait_us / US_PER_MS + 1),
		.per_second = client_limits(r->client)->per_second,
		.request = r->m->request,
		.presented = r->m->presented,
		.signature = r->m->signature};

	metric_add(METRIC_RATE_DELAYED, 1);
	front_link_later(r->front, r->id, &m);
}

enum sg_err limits_admit(struct issuer *s, const struct limited *r,
			 bool *admitted)
{
	struct quota_answer a = {.word = QUOTA_ROOM};
	enum sg_err err = SG_OK;
	struct span violations;

	if (s->part.quota != NULL)
		err = quota_ask(s->part.quota, r->client, &r->now, &a);
	*admitted = err == SG_OK && a.word == QUOTA_ROOM;
	if (err != SG_OK || *admitted)
		return err;
	/* A stream is not refused for it, but read more slowly. */
	if (a.word == QUOTA_TOO_FAST && r->m->bulk) {
		say_later(r, a.wait_us);
		return SG_OK;
	}
	violations = refusal(s, r->asked, a.word, r->m->language);
	front_link_limited(r->front, r->id, seconds(a.wait_us), violations);
	return SG_OK;
}

/* --- what is reserved --------------------------------------------------- */

enum sg_err limits_reserve(struct issue *i)
{
	struct quota *q = i->issuer->part.quota;

	assert(i->reserved == NULL && i->recorded == NULL);
	if (q == NULL)
		return SG_OK;
	return quota_reserve(q, i->client, clock_wall_s(), &i->reserved);
}

void limits_give_back(struct issue *i)
{
	if (i->reserved != NULL)
		quota_give_back(i->reserved);
	i->reserved = NULL;
}

void limits_record(struct issue *i)
{
	i->item.time_ms = clock_wall_ms();
	if (i->reserved == NULL)
		return;
	quota_record(i->issuer->part.quota, i->reserved, i->client,
		     i->item.time_ms);
	i->recorded = i->reserved;
	i->reserved = NULL;
}

void limits_lost(struct issue *i)
{
	if (i->recorded != NULL)
		quota_lost(i->issuer->part.quota, i->recorded, i->item.time_ms);
	i->recorded = NULL;
}

void limits_fail(struct issue *i)
{
	struct issuer *s = i->issuer;
	const int64_t now = clock_wall_s();
	const struct asked a = issue_asked(i);
	struct policy_usage usage = {.ends = now};
	struct span violations;

	verdict_init(&s->decision.verdict);
	violations = refusal(s, &a, QUOTA_USED_UP, i->language);
	(void)quota_usage(s->part.quota, i->client, now, &usage);
	if (i->front != NULL)
		front_link_limited(
			i->front, i->id,
			seconds((uint64_t)(usage.ends - now) * US_PER_S),
			violations);
	issue_put(i);
}
