/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SCRIBE_H
#define SG_SCRIBE_H

#include <uv.h>

#include "index.h"
#include "ledger/checkpoint.h"
#include "ledger/journal.h"

/*
 * scribe: a thread that follows the journal: what is committed there goes into
 * the index and into the tree, whose tiles it writes.  It reads the journal's
 * files, so that to catch up after a start, to rebuild, and to keep up are one
 * thing.  When it has reached the journal's end, or at intervals, it offers the
 * tree's state to be signed (notary.h), and publishes what was signed.
 *
 * A write that fails is tried again until it succeeds; meanwhile the scribe
 * stands still, and what it said last holds.
 */
struct scribe; /* opaque */

enum { SCRIBE_KEYS_MAX = 2 };

/* All on the loop thread. */
struct scribe_events {
	/* Its state has changed: progress, trouble, or that it has caught up
	 * with what was in the journal when it began. */
	void (*changed)(void *ctx);
	/* The tiles of a tree of SIZE and ROOT are on the disk: a checkpoint
	 * of it may be signed.  Nothing more is offered before
	 * scribe_publish(). */
	void (*offer)(void *ctx, uint64_t size, const struct merkle_hash *root);
	/* The index holds all records before WATERMARK. */
	void (*indexed)(void *ctx, uint64_t watermark);
};

struct scribe_parts {
	uv_loop_t *loop;
	const struct journal *journal;
	const char *journal_dir, *ledger_dir;
	struct index *index;
	/* Of the log: by one of them `checkpoint` must be signed; the newest
	 * that has is its verifier key.  Copied. */
	size_t nkeys; /* 1..SCRIBE_KEYS_MAX */
	const struct note_key *key;
	uint32_t checkpoint_ms;
	const struct scribe_events *events;
	void *ctx;
};

struct scribe_state {
	bool caught_up;	      /* with what was in the journal at the start */
	uint64_t done, total; /* leaves, while it has not */
	uint64_t size;	      /* of the last state offered */
	uint64_t published;   /* since the start: of `checkpoint` */
	/* Since when the index cannot be written, CLOCK_MONOTONIC; 0: it can.
	 * RocksDB takes nothing more after an I/O error: it must be opened
	 * anew, which a process that serves never does. */
	uint64_t index_down_us;
	const char
		*trouble; /* static: why it stands still; NULL: it does not */
};

/* How its beginning went wrong: the log on disk contradicts itself, and only
 * an officer can say what is to be done. */
enum scribe_refusal {
	SCRIBE_FINE,
	SCRIBE_JOURNAL_SHORT, /* the checkpoint has more leaves than the journal
			       */
	SCRIBE_FORKED,	      /* the journal's entries do not have its root */
	SCRIBE_BAD_CHECKPOINT, /* it is not signed by the log's key */
	SCRIBE_JOURNAL_DAMAGED
};

/* Owns: *OUT is the caller's; scribe_free().  Errors: SG_NO_MEMORY, SG_IO,
 * SG_INTERNAL. */
SG_MUST_USE enum sg_err scribe_create(const struct scribe_parts *parts,
				      struct scribe **out);
void scribe_look(struct scribe *s, struct scribe_state *out);
enum scribe_refusal scribe_refused(struct scribe *s);
/* The journal has grown. */
void scribe_wake(struct scribe *s);
/* NOTE is the signed checkpoint of what was offered; empty: it could not be
 * signed now, offer again later.  KEY is the log's verifier key with it (NULL:
 * as before).  Copied. */
void scribe_publish(struct scribe *s, struct span note,
		    const struct note_key *key);
/* NOTE is the checkpoint of SIZE with its cosignatures: it is published in its
 * place if that is still the newest.  Copied. */
void scribe_cosigned(struct scribe *s, uint64_t size, struct span note);
/* Keep NOTE, a cosigned checkpoint, beside the newest.  Copied. */
void scribe_keep(struct scribe *s, struct span note);
/* Have the thread finish what it is at, and end. */
void scribe_free(struct scribe *s); /* NULL is allowed */

#endif /* SG_SCRIBE_H */
