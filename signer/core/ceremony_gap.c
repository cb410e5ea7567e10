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

void ceremony_log_gap(struct ceremony *c, const struct operation *o)
{
	const struct life *l = NULL;
	char text[CEREMONY_KINDS_TEXT];
	unsigned gap = 0;

	if (ceremony_ends(o->kind))
		l = lifecycle_find(&c->life, o->key);
	if (l != NULL)
		gap = ceremony_gap(c, l);
	if (gap != 0)
		log_event(LOG_ERROR, "kinds-unsigned",
			  "key=\"%s\" kinds=%s text=\"no active key signs "
			  "these any more\"",
			  l->label, ceremony_kinds(gap, text));
}
