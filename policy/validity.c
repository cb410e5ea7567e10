/* SPDX-License-Identifier: Apache-2.0 */
#include "validity.h"

/* SECONDS are not negative. */
static int64_t later(int64_t time, int64_t seconds)
{
	return time > INT64_MAX - seconds ? INT64_MAX : time + seconds;
}

int64_t validity_exp(const struct client *c, const struct document *d,
		     int64_t now)
{
	if (d->has_exp)
		return d->exp;
	return later(now, d->has_kind ? c->validity_s[d->kind] : 0);
}

/* Is the time of D's certificate outside of the bounds of its signer? */
static bool is_beyond(const struct rule_context *x)
{
	const struct policy_bounds *b = &x->bounds[x->document->kind];

	return b->present && (x->exp > b->not_after || x->now < b->not_before);
}

void validity_judge(const struct rule_context *x, struct verdict *v)
{
	const struct document *d = x->document;
	const struct pointer exp = {.key = SPAN_LIT("exp")};

	if (d->asks_exp && !d->has_exp) /* refused, and no time to judge */
		return;
	if (d->has_exp && x->exp <= x->now)
		rule_report(x->profile, v, VIOLATION_VALIDITY_IN_PAST, &exp);
	if (!d->has_kind || !client_may_kind(x->client, d->kind))
		return; /* refused, and nothing says how long it might be */
	if (d->has_exp &&
	    x->exp > later(x->now, x->client->validity_s[d->kind]))
		rule_report(x->profile, v, VIOLATION_VALIDITY_TOO_LONG, &exp);
	if (is_beyond(x))
		rule_report(x->profile, v, VIOLATION_BEYOND_SIGNER_CERTIFICATE,
			    &exp);
}
