/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/clock.h"
#include "books_state.h"

/* RocksDB goes on by itself some seconds after there is space again. */
enum { INDEX_PATIENCE_US = 60 * 1000 * 1000 };

uint64_t books_committed_leaves(const struct books *b)
{
	uint64_t leaf;
	uint64_t offset;

	journal_end(release_journal(b->part.release), &leaf, &offset);
	return leaf;
}

static const char *refusal_text(enum scribe_refusal why)
{
	switch (why) {
	case SCRIBE_JOURNAL_SHORT:
		return "the ledger's checkpoint has more entries than the "
		       "journal: the journal's end is gone";
	case SCRIBE_FORKED:
		return "the journal's entries are not those that the ledger's "
		       "checkpoint was signed for: one of them was replaced";
	case SCRIBE_BAD_CHECKPOINT:
		return "the checkpoint on disk is not signed by the ledger's "
		       "key: it was replaced, or the key or origin was";
	case SCRIBE_JOURNAL_DAMAGED:
		return "the journal is damaged before its end";
	case SCRIBE_FINE: break;
	}
	return "";
}

/* STATE, and why; CAUSE, what lies behind it, may be NULL. */
static enum books_state because(struct books *b, enum books_state state,
				const char *reason, const char *cause)
{
	(void)snprintf(b->reason, sizeof(b->reason), "%s%s%s", reason,
		       cause != NULL ? ": " : "", cause != NULL ? cause : "");
	return state;
}

static enum books_state reading(struct books *b, const struct scribe_state *s)
{
	char progress[96];

	(void)snprintf(progress, sizeof(progress),
		       "the ledger is being read: %llu of %llu entries",
		       (unsigned long long)s->done,
		       (unsigned long long)s->total);
	return because(b, BOOKS_WAITING, progress, s->trouble);
}

static enum books_state look(struct books *b)
{
	struct scribe_state s;
	enum scribe_refusal why;
	enum notary_state notary;
	const char *reason;

	b->reason[0] = '\0';
	if (b->failed)
		return because(b, BOOKS_WAITING, "the ledger cannot be opened",
			       NULL);
	if (b->scribe == NULL)
		return because(b, BOOKS_WAITING,
			       "no HSM has offered the ledger's key", NULL);
	why = scribe_refused(b->scribe);
	if (why != SCRIBE_FINE)
		return because(b, BOOKS_REFUSED, refusal_text(why), NULL);
	scribe_look(b->scribe, &s);
	claims_set_whole(b->claims, s.caught_up);
	/* Where the journal cannot be written either, it is the disk. */
	if (s.index_down_us != 0 && release_up(b->part.release) &&
	    clock_mono_us() - s.index_down_us > INDEX_PATIENCE_US)
		return because(b, BOOKS_STUCK, "the index cannot be written",
			       NULL);
	notary = notary_look(b->notary, &reason);
	if (notary == NOTARY_REFUSED)
		return because(b, BOOKS_REFUSED, reason, NULL);
	if (notary == NOTARY_STALE)
		return because(b, BOOKS_WAITING, reason, s.trouble);
	if (!s.caught_up)
		return reading(b, &s);
	if (!quota_counted(b->quota))
		return because(b, BOOKS_WAITING,
			       "the day's certificates are being counted",
			       NULL);
	if (notary == NOTARY_WAITING)
		return because(b, BOOKS_WAITING, reason, NULL);
	if (!release_up(b->part.release))
		return because(b, BOOKS_WAITING,
			       "the journal cannot be written", NULL);
	return BOOKS_OPEN;
}

enum books_state books_look(struct books *b, const char **reason)
{
	b->state = look(b);
	*reason = b->reason;
	return b->state;
}

bool books_settled(const struct books *b)
{
	return b->state != BOOKS_OPEN ||
	       notary_covered(b->notary) >= books_committed_leaves(b);
}
