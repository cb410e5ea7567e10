/* SPDX-License-Identifier: Apache-2.0 */
/* What runs out: a key's period, its certificate, its signatures. */
#include <stdarg.h>
#include <stdio.h>

#include "ceremony_state.h"

enum { DAY_S = 86400, AHEAD_S = 30 * DAY_S };

__attribute__((format(printf, 2, 3))) static void add(
	struct ceremony_warnings *out, const char *fmt, ...)
{
	va_list ap;

	if (out->n == CEREMONY_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(out->text[out->n++], sizeof(out->text[0]), fmt, ap);
	va_end(ap);
}

uint64_t ceremony_signed(const struct ceremony *c, const struct life *l)
{
	(void)c;
	(void)l;
	return 0;
}

/* Days from NOW until AT, at least 0. */
static long long days(int64_t at, int64_t now)
{
	return at > now ? (long long)((at - now) / DAY_S) : 0;
}

void ceremony_warn(const struct ceremony *c, const struct life *l, int64_t now,
		   struct ceremony_warnings *out)
{
	int64_t end;
	size_t k;

	out->n = 0;
	if (l->state != KEY_ACTIVE && l->state != KEY_PUBLISHED)
		return;
	end = l->activated + l->period_s;
	if (l->period_s > 0 && l->activated > 0 && end - now < AHEAD_S)
		add(out, "its period ends in %lld days", days(end, now));
	if (!keyring_find(c->part.keys, span_str(l->label), &k) ||
	    !c->part.keys->key[k].has_dsc)
		return;
	/* From then on its certificates are shorter than they may be. */
	end = c->part.keys->key[k].dsc.not_after - c->longest_s;
	if (end - now < AHEAD_S)
		add(out,
		    "in %lld days its certificate ends before what it signs",
		    days(end, now));
}
