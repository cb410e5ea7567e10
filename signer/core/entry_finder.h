/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ENTRY_FINDER_H
#define SG_ENTRY_FINDER_H

#include "base/err.h"
#include "base/span.h"

/*
 * entry_finder: entries of the ledger by their leaves, a few at the start: from
 * the bundles, which are found by the leaf's number, or where there is none yet
 * from the journal, by a walk.  What lies beyond the journal's end, after a
 * disaster, is not asked for.  Loop thread only; reads files, blocking.
 */
struct entry_finder; /* opaque */

/* STATE: the state directory; what is not there yet is not found.
 * Owns: *OUT is the caller's; entry_finder_close().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err entry_finder_open(const char *state,
					  struct entry_finder **out);
/* The entry of LEAF; it lives until the next call.
 * Errors: SG_NOT_FOUND, SG_MALFORMED, SG_IO. */
SG_MUST_USE enum sg_err entry_finder_read(struct entry_finder *f, uint64_t leaf,
					  struct span *out);
void entry_finder_close(struct entry_finder *f); /* NULL is allowed */

#endif /* SG_ENTRY_FINDER_H */
