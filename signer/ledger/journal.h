/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_JOURNAL_H
#define SG_JOURNAL_H

#include "record.h"

/*
 * journal: the one source of truth about what was signed: records that are
 * only appended to and never served.  It lies in segments, files named by the
 * offset of their first byte in the whole (20 digits), each with a head that
 * names the log's origin and the segment's first leaf.  A segment ends where
 * the next one begins, whatever its file still holds.
 *
 * The loop thread appends, a journal thread commits: records gather in one
 * buffer while the other is written and fdatasync()ed, so that one sync serves
 * all that waited and never stalls the loop.  While more records are on their
 * way than wait, a sync is put off: until JOURNAL_GATHER_RECORDS wait, or half
 * of the smallest buffer is full, or JOURNAL_GATHER_US have passed since the
 * last sync began; JOURNAL_GATHER_BULK_RECORDS and JOURNAL_GATHER_BULK_US,
 * while all that wait are of streams. Where a disk is quick, syncs would else
 * take more CPU time than all that is done for a record.
 *
 * A write or sync that fails (no space, an I/O error, a read-only file system)
 * fails everything that waited: it is on no record, and its leaves and offsets
 * are given to what comes after.  What the file holds of it is void: once the
 * cause is gone, the journal goes on in a new segment at the last committed
 * byte.  After a failed sync no page of the old file is trusted again.
 */
struct journal; /* opaque */

enum {
	JOURNAL_SEGMENT_BYTES = 64 << 20, /* a new segment begins beyond */
	JOURNAL_RETRY_MS = 500,		  /* between tries after a failure */
	JOURNAL_GATHER_RECORDS = 128,	  /* for one sync, while more comes */
	JOURNAL_GATHER_US = 10 * 1000,	  /* a sync is put off until then */
	/* For records of streams alone. */
	JOURNAL_GATHER_BULK_RECORDS = 2 * JOURNAL_GATHER_RECORDS,
	JOURNAL_GATHER_BULK_US = 25 * 1000
};

/* What a record may wait for; zeroed, nothing. */
struct journal_wait {
	size_t more; /* records are on their way: some of them */
	bool bulk;   /* it is of a stream, whose others do not wait for it */
};

struct journal_events {
	/* Every record up to and with leaf LAST is on disk; on the thread that
	 * calls journal_poll(). */
	void (*committed)(void *ctx, uint64_t last);
	/* Every record from leaf FIRST on is lost: it never was.  The journal
	 * is down (journal_up()) until `recovered`. */
	void (*failed)(void *ctx, uint64_t first, enum sg_err err,
		       int system_errno);
	void (*recovered)(void *ctx);
};

struct journal_settings {
	const char *dir;	/* made if it is not there */
	const char *origin;	/* of the log */
	uint64_t segment_bytes; /* 0: JOURNAL_SEGMENT_BYTES */
	const struct journal_events *events;
	void *ctx;
	/* Called on the journal thread when journal_poll() has work. */
	void (*wake)(void *ctx);
};

/*
 * Open or create the journal.  A torn tail of the last segment is cut at the
 * last whole record, which is logged (journal-cut).
 * Owns: *OUT is the caller's; journal_close().
 * Errors: SG_IO; SG_MALFORMED (damage before the tail, a missing segment,
 * another log's: logged with the file and the offset), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err journal_open(const struct journal_settings *settings,
				     struct journal **out);
/* Append R; its index is set here: *INDEX.  *OFFSET is its place in the whole.
 * Nothing may leave the core before `committed` says so.  The sync may
 * be put off for WAIT, as is said above.
 * Errors: SG_BUSY (both buffers full), SG_IO (it is down). */
SG_MUST_USE enum sg_err journal_append(struct journal *j,
				       const struct record *r,
				       struct journal_wait wait,
				       uint64_t *index, uint64_t *offset);
/* To be called on the loop thread after `wake`. */
void journal_poll(struct journal *j);
bool journal_up(const struct journal *j);
/* The end of what is committed: the next leaf, and the offset beyond the last
 * record.  Any thread. */
void journal_end(const struct journal *j, uint64_t *index, uint64_t *offset);
/* Newest iat of a certificate, or time of its entry (seconds since 1970), of
 * those on record when it was opened; INT64_MIN when there is none. */
int64_t journal_newest_time(const struct journal *j);
/* Commit what waits, then close.  NULL is allowed. */
void journal_close(struct journal *j);

#endif /* SG_JOURNAL_H */
