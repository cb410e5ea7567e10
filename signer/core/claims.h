/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CLAIMS_H
#define SG_CLAIMS_H

#include "index.h"

/*
 * claims: who has a UVCI, from the moment that a request for it is accepted: it
 * is in flight, or on record but not in the index yet, or in the index.  Loop
 * thread only.
 *
 * Memory: a table of fixed size, 24 MiB, all of it taken at the start.
 */
struct claims; /* opaque */

enum claim_state {
	CLAIM_FREE,	 /* nobody has it */
	CLAIM_IN_FLIGHT, /* *HOLDER is being signed or committed for it */
	CLAIM_ON_RECORD	 /* its newest certificate is at *OFFSET of the journal
			  */
};

enum {
	/* UVCIs that may be in flight or wait for the index; beyond, nothing
	 * is signed. */
	CLAIMS_RECENT_MAX = 1 << 18
};

/* INDEX outlives it.
 * Owns: *OUT is the caller's; claims_free().
 * Errors: SG_NO_MEMORY, SG_INTERNAL. */
SG_MUST_USE enum sg_err claims_create(struct index *index, struct claims **out);

/* Errors: SG_IO (of the index). */
SG_MUST_USE enum sg_err claims_find(struct claims *c,
				    const uint8_t uvci[INDEX_HASH_BYTES],
				    enum claim_state *state, void **holder,
				    uint64_t *offset);
/* Its newest certificate on record, also while the next one is in flight:
 * *FOUND, and then its *OFFSET.  Errors: as above. */
SG_MUST_USE enum sg_err claims_find_record(struct claims *c,
					   const uint8_t uvci[INDEX_HASH_BYTES],
					   bool *found, uint64_t *offset);
/* HOLDER takes UVCI, which is not in flight.  Errors: SG_BUSY (too many are in
 * flight or wait for the index). */
SG_MUST_USE enum sg_err claims_take(struct claims *c,
				    const uint8_t uvci[INDEX_HASH_BYTES],
				    void *holder);
/* It went without a certificate. */
void claims_drop(struct claims *c, const uint8_t uvci[INDEX_HASH_BYTES]);
/* Its certificate is on record at OFFSET. */
void claims_record(struct claims *c, const uint8_t uvci[INDEX_HASH_BYTES],
		   uint64_t offset);
/* The index holds all records before WATERMARK. */
void claims_indexed(struct claims *c, uint64_t watermark);
/* Is nothing missing here that was on record at the start?  Until the index has
 * read the end of the journal a UVCI may seem free, or its newest certificate
 * be an older one.  Not before it is said. */
void claims_set_whole(struct claims *c, bool whole);
bool claims_is_whole(const struct claims *c);
/* Records that wait for the index. */
size_t claims_recent(const struct claims *c);
void claims_free(struct claims *c); /* NULL is allowed */

#endif /* SG_CLAIMS_H */
