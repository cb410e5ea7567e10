/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SCRIBE_STATE_H
#define SG_SCRIBE_STATE_H

#include <pthread.h>

#include "bell.h"
#include "ledger/journal_read.h"
#include "ledger/tree.h"
#include "scribe.h"

/*
 * scribe_state: the inside of the scribe, for its two files alone: scribe.c
 * (the thread, and what it shares with the loop), scribe_work.c (what it does).
 */
enum { SCRIBE_BATCH = 1024 /* records read at a time */ };

_Static_assert((int)SCRIBE_BATCH <= (int)INDEX_PUT_MAX, "one put takes them");

/* What the thread alone uses. */
struct scribe_work {
	struct merkle *merkle;
	struct tiles *tiles;
	struct tree *tree;
	struct journal_reader *reader;
	bool begun;
	bool stands;  /* for some trouble */
	bool refused; /* for good */
	/* The checkpoint on the disk, as it was found, */
	uint64_t found_size;
	struct merkle_hash found_root;
	bool remaking; /* and whether the tree is made again, below it */
	/* Read, but not in the index yet. */
	size_t nitems;
	struct index_item item[SCRIBE_BATCH];
	uint64_t upto;	    /* tree and ITEM lack nothing before it */
	uint64_t watermark; /* of what the index holds */
	uint64_t decisions; /* how many of them are in index and ITEM */
	/* What the journal held at the start, and where reading began. */
	bool first_known;
	uint64_t first_index, next_index, target_index, target_offset;
	bool caught_up;
	bool offered_any; /* since the start */
	bool unflushed;	  /* the last try to offer failed */
	bool awaiting;	  /* a state has been offered, */
	uint64_t offer_size;
	bool answered; /* and this came back; NOTE_N 0: not signed */
	size_t note_n;
	uint8_t note[CHECKPOINT_NOTE_MAX];
	struct note_key note_key; /* the log's, with it */
	uint64_t published;	  /* size of the checkpoint on the disk */
	uint64_t offered_us;	  /* CLOCK_MONOTONIC */
	uint64_t progress_us;
	size_t text_n; /* the newest checkpoint */
	uint8_t text[CHECKPOINT_NOTE_MAX];
};

/* A checkpoint from the loop; n 0: none. */
struct scribe_note {
	uint64_t size;
	size_t n;
	uint8_t text[CHECKPOINT_NOTE_MAX];
};

struct scribe {
	struct bell *bell; /* of the thread */
	struct scribe_parts part;
	char *journal_dir, *ledger_dir;
	size_t nkeys;
	struct note_key keys[SCRIBE_KEYS_MAX]; /* at the start */
	struct note_key key;		       /* of the log, now */
	pthread_t thread;
	struct scribe_work work;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t told;
	/* From the loop. */
	bool stop, kicked;
	bool has_note; /* an answer to the offer; note_n 0: not signed */
	size_t note_n;
	uint8_t note[CHECKPOINT_NOTE_MAX];
	struct note_key note_key;
	struct scribe_note cosigned, keep;
	/* To the loop. */
	struct scribe_state state;
	enum scribe_refusal refusal;
	bool changed, offers, indexed;
	uint64_t offer_size;
	struct merkle_hash offer_root;
	uint64_t watermark;
};

/* --- scribe.c: what the work tells ------------------------------------ */

/* What it stands still for, and what the system said (0: nothing); NULL: it
 * goes on. */
/* The index could not be written. */
void scribe_tell_index_down(struct scribe *s);
void scribe_tell_trouble(struct scribe *s, const char *trouble,
			 int system_errno);
void scribe_tell_progress(struct scribe *s, uint64_t done, bool caught_up);
void scribe_tell_refusal(struct scribe *s, enum scribe_refusal why);
/* `checkpoint` has SIZE. */
void scribe_tell_published(struct scribe *s, uint64_t size);
void scribe_tell_indexed(struct scribe *s, uint64_t watermark);
void scribe_tell_offer(struct scribe *s, uint64_t size,
		       const struct merkle_hash *root);

/* --- scribe_work.c ---------------------------------------------------- */

/* Open the ledger, and find where to go on.  False: try again later. */
bool scribe_work_begin(struct scribe *s);
/* Read up to a batch of records into tree and index.  Returns whether there is
 * more to do at once. */
bool scribe_work_follow(struct scribe *s);
/* Offer the tree's state, if that is due at NOW_US (CLOCK_MONOTONIC). */
void scribe_work_offer(struct scribe *s, uint64_t now_us);
/* How long to sleep at most, if nothing comes: until an offer is due. */
uint64_t scribe_work_idle_us(const struct scribe_work *w, uint64_t pause_us,
			     uint64_t now_us);
/* Publish what answers the offer, if something has.  False: it could not be
 * written; try again. */
bool scribe_work_publish(struct scribe *s);
void scribe_work_cosigned(struct scribe *s, const struct scribe_note *note);
void scribe_work_keep(struct scribe *s, const struct scribe_note *note);
void scribe_work_end(struct scribe *s);

/* --- scribe_decisions.c ----------------------------------------------- */

/* Learn how many decisions the index has.  Errors: SG_INTERNAL: it cannot be
 * read. */
SG_MUST_USE enum sg_err scribe_count_decisions(struct scribe *s);
/* KEY gets what the index has R under, whose entry is of no certificate.
 * False: nothing. */
bool scribe_key_of(struct scribe_work *w, const struct record *r,
		   uint8_t key[INDEX_HASH_BYTES]);

#endif /* SG_SCRIBE_STATE_H */
