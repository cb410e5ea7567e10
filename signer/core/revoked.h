/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_REVOKED_H
#define SG_REVOKED_H

#include "ledger/revocation.h"

/*
 * revoked: the hashes that are revoked, of all kinds together: 16 bytes of
 * SHA-256 are of one thing only.  16 bytes of memory a hash, in order.  Loop
 * thread only.
 */
struct revoked; /* opaque */

enum { REVOKED_MAX = 4 << 20 /* hashes: 64 MiB */ };

/* Owns: *OUT is the caller's; revoked_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err revoked_create(struct revoked **out);
/* Add LIST, which revocation_check_list() has passed.  Errors: SG_TOO_BIG,
 * SG_NO_MEMORY; nothing is added then. */
SG_MUST_USE enum sg_err revoked_add(struct revoked *r, struct span list);
/* Is HASH, of which the first REVOCATION_HASH_BYTES count, in it? */
bool revoked_has(const struct revoked *r, const uint8_t *hash);
size_t revoked_count(const struct revoked *r); /* 0 for NULL */
void revoked_free(struct revoked *r);	       /* NULL is allowed */

#endif /* SG_REVOKED_H */
