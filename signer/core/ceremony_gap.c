/* SPDX-License-Identifier: Apache-2.0 */
/* What nothing signs any more, once officers have ended a key. */
#include "base/log.h"
#include "ceremony_state.h"

bool ceremony_ends(enum operation_kind kind)
{
	return kind == OPERATION_STOP || kind == OPERATION_RETIRE ||
	       kind == OPERATION_COMPROMISE;
}

unsigned ceremony_gap(const struct ceremony *c, const struct life *l)
{
	unsigned kinds = l->kinds;

	/* One that was never active leaves nothing behind. */
	if (ceremony_state(c, l) == KEY_ACTIVE ||
	    (l->activated == 0 && !l->configured))
		return 0;
	for (size_t i = 0; i < c->life.n; i++) {
		const struct life *other = &c->life.key[i];

		if (other != l && ceremony_state(c, other) == KEY_ACTIVE)
			kinds &= ~other->kinds;
	}
	return kinds;
}

void ceremony_log_gap_of(struct ceremony *c, const struct life *l)
{
	char text[CEREMONY_KINDS_TEXT];
	const unsigned gap = ceremony_gap(c, l);

	if (gap != 0)
		log_event(LOG_ERROR, "kinds-unsigned",
			  "key=\"%s\" kinds=%s text=\"no active key signs "
			  "these any more\"",
			  l->label, ceremony_kinds(gap, text));
}

void ceremony_log_gap(struct ceremony *c, const struct operation *o)
{
	const struct life *l = NULL;

	if (ceremony_ends(o->kind))
		l = lifecycle_find(&c->life, o->key);
	if (l != NULL)
		ceremony_log_gap_of(c, l);
}

/* Is L, which signs certificates, over at NOW? */
static bool is_over(const struct life *l, int64_t now)
{
	return l->state == KEY_ACTIVE && !l->ledger && l->retire != 0 &&
	       l->retire <= now;
}

/* The kinds of keys that should sign by now, and cannot. */
static unsigned kinds_held(const struct ceremony *c, const int64_t *held)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < c->life.n; i++)
		if (held[i] != 0 && !c->life.key[i].ledger)
			kinds |= c->life.key[i].kinds;
	return kinds;
}

void ceremony_keep_on(struct ceremony *c, int64_t now, const int64_t *held,
		      int64_t *kept)
{
	unsigned needed = kinds_held(c, held);

	for (size_t i = 0; i < c->life.n; i++) {
		const struct life *l = &c->life.key[i];

		if (ceremony_state(c, l) == KEY_ACTIVE && !is_over(l, now))
			needed &= ~l->kinds;
	}
	for (size_t i = 0; i < c->life.n; i++) {
		struct life *l = &c->life.key[i];

		if (!is_over(l, now) || (l->kinds & needed) == 0)
			continue;
		kept[i] = l->retire;
		l->retire = 0;
	}
}
