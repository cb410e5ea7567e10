/* SPDX-License-Identifier: Apache-2.0 */
/* What nothing signs any more, once officers have ended a key. */
#include "base/clock.h"
#include "base/log.h"
#include "ceremony_state.h"

enum { KEPT_EVERY_US = 60 * 1000 * 1000 };

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

/* Those of keys that sign, and are not over, or that will in this very step. */
static unsigned kinds_signed(const struct ceremony *c, int64_t now)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < c->life.n; i++) {
		const struct life *l = &c->life.key[i];
		const bool comes = l->state == KEY_PUBLISHED &&
				   l->activate != 0 && l->activate <= now;

		if (comes ||
		    (ceremony_state(c, l) == KEY_ACTIVE && !is_over(l, now)))
			kinds |= l->kinds;
	}
	return kinds;
}

/* Those of L, which is over, for which it may go on.  Where officers have said
 * that it is the last one, or all its signatures are made, only for those of
 * HELD, whose next key has come to its time. */
static unsigned kinds_open(const struct ceremony *c, const struct life *l,
			   unsigned held)
{
	return l->kinds & (l->last || ceremony_used_up(c, l) ? held : ~0U);
}

/* Those for which one that is over, too, but later than L, goes on. */
static unsigned kinds_after(const struct ceremony *c, const struct life *l,
			    int64_t now, unsigned held)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < c->life.n; i++) {
		const struct life *other = &c->life.key[i];

		if (is_over(other, now) && other->retire > l->retire)
			kinds |= kinds_open(c, other, held);
	}
	return kinds;
}

static void tell_kept(struct ceremony *c, const struct life *l, unsigned kinds)
{
	const uint64_t now = clock_mono_us();
	char text[CEREMONY_KINDS_TEXT];

	if (c->kept_us != 0 && now - c->kept_us < KEPT_EVERY_US)
		return;
	c->kept_us = now;
	log_event(LOG_WARNING, "retirement-waits",
		  "key=\"%s\" kinds=%s text=\"its time is over, and no other "
		  "active key signs these: it goes on until one does\"",
		  l->label, ceremony_kinds(kinds, text));
}

void ceremony_keep_on(struct ceremony *c, int64_t now, bool replayed,
		      const int64_t *held, int64_t *kept)
{
	const unsigned waiting = kinds_held(c, held);
	const unsigned done = kinds_signed(c, now);
	unsigned needed[LIFE_KEYS_MAX] = {0};

	for (size_t i = 0; i < c->life.n; i++) {
		const struct life *l = &c->life.key[i];

		if (is_over(l, now))
			needed[i] = kinds_open(c, l, waiting) & ~done &
				    ~kinds_after(c, l, now, waiting);
	}
	for (size_t i = 0; i < c->life.n; i++) {
		struct life *l = &c->life.key[i];

		if (needed[i] == 0)
			continue;
		kept[i] = l->retire;
		l->retire = 0;
		/* That a key waits has been told. */
		if (!replayed && (needed[i] & ~waiting) != 0)
			tell_kept(c, l, needed[i] & ~waiting);
	}
}
