/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RELEASE_H
#define SG_RELEASE_H

#include <sys/queue.h>
#include <uv.h>

#include "ledger/journal.h"

/*
 * release: the one place between a signature and its answer.  Nothing that
 * was signed reaches a front but through here, and nothing leaves here before
 * the journal has it on disk.  Loop thread only.
 */
struct release; /* opaque */

struct release_item {
	/* The owner's, set before release_submit(). */
	struct entry_certificate facts; /* what is to be recorded */
	bool renewed;			/* else issued */
	bool bulk;			/* as in struct journal_wait */
	struct span country;		/* iss claim; empty: none */
	const uint8_t *uci, *country_uci, *payload; /* as in ledger/record.h */
	int64_t time_ms; /* of its entry, since 1970 */
	/* The certificate may go out (SG_OK, with its leaf in the ledger and
	 * its place in the journal), or must never (any error).  May come from
	 * inside release_submit(). */
	void (*released)(struct release_item *item, enum sg_err err,
			 int64_t ledger_index, uint64_t journal_offset);

	/* release's own. */
	TAILQ_ENTRY(release_item) entry;
	uint64_t index, offset;
};

struct release_parts {
	uv_loop_t *loop;
	const char *journal_dir; /* NULL: nothing is recorded, for tests */
	const char *origin;	 /* of the ledger */
	int64_t newest; /* iat of the newest certificate on another record,
			   seconds since 1970; INT64_MIN: none */
	/* Records have been committed, or the journal went down or up. */
	void (*changed)(void *ctx);
	/* What was appended from leaf FIRST on is lost: the journal does not
	 * have it, and gives its leaves to what comes after.  Certificates
	 * among it have been told.  May be NULL. */
	void (*lost)(void *ctx, uint64_t first);
	/* ITEM is on the disk as leaf INDEX: before its owner hears of it.  May
	 * be NULL. */
	void (*recorded)(void *ctx, const struct release_item *item,
			 uint64_t index);
	void *ctx;
};

/*
 * Owns: *OUT is the caller's; release_free().
 * Errors: SG_LEDGER_DOWN (the journal that is there must not be used: logged),
 * SG_IO, SG_NO_MEMORY, SG_INTERNAL.
 */
SG_MUST_USE enum sg_err release_create(const struct release_parts *parts,
				       struct release **out);

/* May something be signed at NOW (seconds since 1970)?  Not with a clock that
 * runs more than RELEASE_CLOCK_SLACK_S behind the newest record. */
enum { RELEASE_CLOCK_SLACK_S = 5 };
bool release_clock_sane(const struct release *r, int64_t now);
/* Does the journal take records? */
bool release_up(const struct release *r);
/* May certificates be signed now?  Not while the journal is down, or while the
 * release is on HOLD. */
bool release_open(const struct release *r);
void release_hold(struct release *r, bool hold);

/* Record ITEM, then release it.  ITEM and all that its facts point to stay
 * the caller's and in place until `released`.  MORE are on their way, by
 * the same key: as in journal_append().  Another key's may be away for
 * seconds. */
void release_submit(struct release *r, struct release_item *item, size_t more);
/* Record ENTRY, which nobody waits for: encoded, of another type than
 * certificates are.  It will be leaf *INDEX, unless it is lost.  Errors: those
 * of journal_append(), SG_CLOSED. */
SG_MUST_USE enum sg_err release_note(struct release *r, struct span entry,
				     uint64_t *index);
/* Is leaf INDEX on the disk? */
bool release_has(const struct release *r, uint64_t index);

/* Is all that was appended committed (or lost)? */
bool release_idle(const struct release *r);
/* The journal, to be followed; NULL: there is none. */
const struct journal *release_journal(const struct release *r);

/* The process is about to end: what waits is committed, but its owners are told
 * SG_CLOSED.  Nothing may be submitted any more. */
void release_abandon(struct release *r);
/* Nothing waits.  The loop must run once more to let go of it.  NULL is
 * allowed.
 */
void release_free(struct release *r);

#endif /* SG_RELEASE_H */
