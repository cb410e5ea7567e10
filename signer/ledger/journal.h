/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_JOURNAL_H
#define SG_JOURNAL_H

#include "entry.h"

/*
 * journal: the one source of truth about what was signed, a file of records
 * that is only appended to and is never served.
 *
 * NOT IMPLEMENTED YET: no journal.c exists and nothing calls these functions.
 * Until then no signature is on record, and every answer says so
 * (WIRE_NO_LEDGER_INDEX).  Callers come through core/release.h alone.
 *
 * The loop thread appends, a journal thread commits: records gather in one
 * buffer while the other is written and fdatasync()ed, so that one sync serves
 * all that waited and never stalls the loop.
 */
struct journal; /* opaque */

/* One record: the ledger entry, and what replay and revocation need beside
 * it.  Spans are copied by journal_append(). */
struct journal_record {
	struct span entry;	    /* encoded: entry.h */
	struct span signature;	    /* COSE form */
	struct span country;	    /* iss claim; empty: none */
	const uint8_t *uci;	    /* 32: SHA-256(UVCI) */
	const uint8_t *country_uci; /* 32: SHA-256(country ‖ UVCI) */
	const uint8_t *payload;	    /* 32: SHA-256(DCC payload) */
};

struct journal_events {
	/* Every record up to and with INDEX is on disk (SG_OK), or the write
	 * failed and none after the last index reported ever will be; on the
	 * loop thread. */
	void (*committed)(void *ctx, uint64_t index, enum sg_err err);
};

/*
 * Open or create the journal in the directory DIR; a torn tail is cut at the
 * last whole record.  WAKE tells the loop thread from the journal thread.
 * Owns: *OUT is the caller's; journal_close().
 * Errors: SG_IO, SG_MALFORMED (damage before the tail), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err journal_open(const char *dir,
				     const struct journal_events *events,
				     void *ctx, void (*wake)(void *ctx),
				     struct journal **out);
/* Append R; *INDEX is its leaf in the ledger, *OFFSET its place in the file.
 * Nothing may leave the core before `committed` says so.
 * Errors: SG_BUSY (both buffers full), SG_IO (an earlier write failed). */
SG_MUST_USE enum sg_err journal_append(struct journal *j,
				       const struct journal_record *r,
				       uint64_t *index, uint64_t *offset);
/* To be called on the loop thread after WAKE. */
void journal_poll(struct journal *j);
/* iat of the newest certificate on record; INT64_MIN when there is none. */
int64_t journal_newest_iat(const struct journal *j);
/* Commit what waits, then close.  NULL is allowed. */
void journal_close(struct journal *j);

#endif /* SG_JOURNAL_H */
