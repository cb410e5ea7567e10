/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"
#include "quota_state.h"

/* Is nothing of A reserved, and nothing on record since the day before
 * yesterday (of WALL_S)?  Of what has just been recorded more may come:
 * quota_lost(). */
static bool is_idle(const struct quota *q, struct quota_account *a,
		    int64_t wall_s)
{
	const int64_t day = quota_day_of(q, wall_s) - 2;

	return a->reserved == 0 && !a->stopped && a->day[0].number < day &&
	       a->day[1].number < day;
}

/* Let go of accounts that P does not know, and nobody will miss. */
static void sweep(struct quota *q, const struct policy *p, int64_t wall_s)
{
	struct quota_account *next;
	struct quota_account *a;

	for (size_t i = 0; i < policy_clients(p); i++) {
		a = quota_find(q,
			       span_str(client_name(policy_client_at(p, i))));
		if (a != NULL)
			a->known = true;
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		for (a = LIST_FIRST(&q->bucket[i]); a != NULL; a = next) {
			next = LIST_NEXT(a, entry);
			if (!a->known && is_idle(q, a, wall_s))
				quota_drop(q, a);
			else
				a->known = false;
		}
	}
}

/* Whoever an alarm has stopped goes on. */
static void forgive(struct quota *q)
{
	struct quota_account *a;

	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH (a, &q->bucket[i], entry) {
			if (a->alarmed || a->stopped)
				a->forgiven = a->hours.newest;
			a->stopped = false;
		}
	q->stopped = 0;
	metric_set(METRIC_CLIENTS_STOPPED, 0);
}

/* Days begin at another time from now on.  Nobody gets a second quota by it:
 * what is on record of today and yesterday counts as today's, until the next
 * start counts it as it was. */
static void move_zone(struct quota *q, int32_t zone_s, int64_t wall_s)
{
	const int64_t before = quota_day_of(q, wall_s);
	struct quota_account *a;

	q->zone_s = zone_s;
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH (a, &q->bucket[i], entry) {
			const int64_t today = quota_day_of(q, wall_s);
			uint64_t n = 0;

			for (size_t k = 0; k < DAYS; k++)
				if (a->day[k].number >= before - 1)
					n += a->day[k].recorded;
			for (size_t k = 0; k < DAYS; k++)
				a->day[k] =
					(struct quota_day){.number = INT64_MIN};
			*quota_slot_of(a, today) = (struct quota_day){
				.number = today, .recorded = n};
		}
}

void quota_set_policy(struct quota *q, const struct policy *p, int64_t wall_s)
{
	if (memcmp(q->policy_hash, policy_hash(p), sizeof(q->policy_hash)) == 0)
		return;
	memcpy(q->policy_hash, policy_hash(p), sizeof(q->policy_hash));
	if (q->zone_s != policy_zone_s(p))
		move_zone(q, policy_zone_s(p), wall_s);
	forgive(q);
	if (q->accounts > QUOTA_ACCOUNTS_MAX / 2)
		sweep(q, p, wall_s);
}
