/* SPDX-License-Identifier: Apache-2.0 */
#include "outage.h"

static enum outage_news next(struct outage *o, const struct outage_view *v,
			     uint64_t now_us)
{
	if (o->state != OUTAGE_AWAY) {
		if (v->up > 0)
			o->state = OUTAGE_NONE;
		if (v->up > 0 || !v->died)
			return OUTAGE_NO_NEWS;
		o->state = OUTAGE_AWAY;
		o->since_us = now_us;
		return OUTAGE_BEGINS;
	}
	if (v->steady_us != 0) {
		o->state = OUTAGE_NONE;
		return OUTAGE_ENDS;
	}
	return now_us - o->told_us >= OUTAGE_AGAIN_US ? OUTAGE_LASTS
						      : OUTAGE_NO_NEWS;
}

enum outage_news outage_look(struct outage *o, const struct outage_view *v,
			     uint64_t now_us, uint64_t *starts,
			     uint64_t *away_us)
{
	const enum outage_news news = next(o, v, now_us);

	if (news == OUTAGE_NO_NEWS)
		return news;
	*starts = v->starts - o->starts;
	*away_us = now_us - o->since_us;
	/* One that never went, while we thought so, was away for no time. */
	if (news == OUTAGE_ENDS)
		*away_us = v->steady_us > o->since_us
				   ? v->steady_us - o->since_us
				   : 0;
	o->told_us = now_us;
	o->starts = v->starts;
	return news;
}
