/* SPDX-License-Identifier: Apache-2.0 */
/* Which kinds nothing signs once a key is gone, by what is set for the others.
 */
#include "hcert/dsc.h"
#include "lifecycle_state.h"

/* When a key signs: from BEGIN on, until END. */
struct stretch {
	int64_t begin, end;
};

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* K's, by its own times; what is due at NOW has been done. */
static struct stretch own_stretch(const struct life *k, int64_t now)
{
	struct stretch s = {.begin = INT64_MAX, .end = INT64_MAX};
	int64_t first = k->activated;

	if (k->state == KEY_ACTIVE) {
		s.begin = INT64_MIN;
	} else if (k->state == KEY_PUBLISHED && k->activate != 0) {
		/* One whose time has come, and that no HSM can sign with yet,
		 * does not sign now. */
		s.begin = k->activate > now ? k->activate : now + 1;
		first = s.begin;
	}
	if (k->retire != 0)
		s.end = k->retire;
	if (k->period_s > 0)
		s.end = sooner(s.end, first + k->period_s);
	return s;
}

/* K's for KIND, a bit: another key of its HSM may take that over. */
static struct stretch stretch(const struct lifecycle *l, const struct life *k,
			      unsigned kind, int64_t now)
{
	struct stretch s = own_stretch(k, now);

	if ((k->kinds & kind) == 0)
		s.end = INT64_MIN;
	for (size_t i = 0; i < l->n; i++) {
		const struct life *other = &l->key[i];
		struct stretch o;

		if (other == k || (other->kinds & kind) == 0 ||
		    strcmp(other->hsm, k->hsm) != 0)
			continue;
		o = own_stretch(other, now);
		if (o.begin > s.begin && o.begin < INT64_MAX)
			s.end = sooner(s.end, o.begin);
	}
	return s;
}

/* Does a key but K sign KIND at AT? */
static bool is_signed(const struct lifecycle *l, const struct life *k,
		      unsigned kind, int64_t at, int64_t now)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct stretch s = stretch(l, &l->key[i], kind, now);

		if (&l->key[i] != k && s.begin <= at && at < s.end)
			return true;
	}
	return false;
}

/* The end that officers have set for K; INT64_MAX: none, or its period is over
 * before that, which is no plan to sign no more: each key has its successor in
 * due time, and is warned of where it has none. */
static int64_t planned_end(const struct life *k, int64_t now)
{
	const int64_t end = own_stretch(k, now).end;

	return k->retire != 0 && k->retire == end ? end : INT64_MAX;
}

static bool is_left(const struct lifecycle *l, const struct life *k,
		    unsigned kind, int64_t at, int64_t now)
{
	if (!is_signed(l, k, kind, at, now))
		return true;
	for (size_t i = 0; i < l->n; i++) {
		const struct life *other = &l->key[i];
		const int64_t end = planned_end(other, now);

		if (other != k && (other->kinds & kind) != 0 && end > at &&
		    end < INT64_MAX && !is_signed(l, k, kind, end, now))
			return true;
	}
	return false;
}

unsigned lifecycle_unsigned(const struct lifecycle *l, const struct life *k,
			    int64_t at, int64_t now)
{
	unsigned kinds = k->kinds;

	for (unsigned i = 0; i < DCC_KINDS; i++)
		if (is_signed(l, k, DCC_KIND_BIT(i), at, now))
			kinds &= ~DCC_KIND_BIT(i);
	return kinds;
}

unsigned life_gap(const struct lifecycle *l, const struct life *k, int64_t at,
		  int64_t now)
{
	unsigned gap = 0;

	for (unsigned i = 0; i < DCC_KINDS; i++) {
		const unsigned kind = DCC_KIND_BIT(i);

		if ((k->kinds & kind) != 0 && is_left(l, k, kind, at, now))
			gap |= kind;
	}
	return gap;
}
