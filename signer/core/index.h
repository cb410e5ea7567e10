/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_INDEX_H
#define SG_INDEX_H

#include "base/err.h"
#include "base/span.h"

/*
 * index: which UVCI has been signed already, and where the journal has its
 * newest certificate.  Derived from the journal and rebuilt from it; the
 * watermark tells how far it has come.
 *
 * RocksDB without a log of its own: what a crash takes back is read again from
 * the journal.  index_get() from any thread; the rest from one.
 *
 * Where a put fails, its items are not taken: put them again.  Want of space
 * is over when there is some.  After a failure in RocksDB's own books nothing
 * more is taken until it is opened anew, which only a process that has not
 * begun to serve may do: what claims.h has handed over would be gone.  What was
 * put can be read on in both cases.
 */
enum {
	INDEX_HASH_BYTES = 32,	/* SHA-256(UVCI) */
	INDEX_PUT_MAX = 1 << 16 /* items at a time: they fit in memory */
};

struct index; /* opaque */

struct index_item {
	uint8_t uvci[INDEX_HASH_BYTES];
	uint64_t offset; /* of the record in the journal */
};

/* Beside the UVCIs' hashes, under keys that no hash has: where the journal has
 * the Nth entry (from 1) of those that officers' decisions follow from
 * (decisions.h), and one that says that the policy of HASH was in force. */
void index_decision(uint64_t n, uint8_t out[INDEX_HASH_BYTES]);
void index_policy(const uint8_t hash[INDEX_HASH_BYTES],
		  uint8_t out[INDEX_HASH_BYTES]);

/* Open or create the index in the directory DIR.
 * Owns: *OUT is the caller's; index_close().
 * Errors: SG_IO (also: it is damaged; logged), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err index_open(const char *dir, struct index **out);
/* Errors: SG_NOT_FOUND (never signed), SG_IO. */
SG_MUST_USE enum sg_err index_get(struct index *x,
				  const uint8_t uvci[INDEX_HASH_BYTES],
				  uint64_t *offset);
/* Take the memory that a table needs while it is written, so that it is at
 * hand: for the thread that puts, once, before. */
void index_reserve(void);
/* Put N items (INDEX_PUT_MAX at most), and that the journal is indexed up to
 * WATERMARK (an offset): after a crash all of it is there, or nothing.
 * Errors: SG_IO. */
SG_MUST_USE enum sg_err index_put(struct index *x,
				  const struct index_item *items, size_t n,
				  uint64_t watermark);
/* The offset from which the journal must be read again after a crash; 0: all of
 * it. */
uint64_t index_watermark(const struct index *x);
/* Write what is in memory to the disk, so that little is to be read again; at
 * the end of a rebuild and of a run.  Errors: SG_IO. */
SG_MUST_USE enum sg_err index_flush(struct index *x);
void index_close(struct index *x); /* NULL is allowed */
/* Remove the index in DIR, which nobody has open: the way on when it is
 * damaged.  Logged.  Errors: SG_IO. */
SG_MUST_USE enum sg_err index_destroy(const char *dir);

#endif /* SG_INDEX_H */
