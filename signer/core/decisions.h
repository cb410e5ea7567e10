/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DECISIONS_H
#define SG_DECISIONS_H

#include "index.h"
#include "ledger/entry.h"

/*
 * decisions: the entries of the ledger that the keys' states follow from, in
 * their order: operations of officers that were accepted, and changes that came
 * by their time.  The index has their places in the journal, so that nobody has
 * to walk through that.  Loop thread only; reads files, blocking.
 */
struct decisions; /* opaque */

/* Is E one of them? */
bool decision_is(const struct entry *e);
/* As far as X has come.  X outlives it.
 * Owns: *OUT is the caller's; decisions_close().
 * Errors: SG_NOT_FOUND (no journal), SG_IO, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err decisions_open(struct index *x, const char *journal_dir,
				       struct decisions **out);
/* The next one, from the first; what *ENTRY is lives until the next call.
 * Errors: SG_NOT_FOUND (there are no more), SG_MALFORMED (the index names
 * something else), SG_IO. */
SG_MUST_USE enum sg_err decisions_next(struct decisions *d,
				       const struct entry **entry,
				       uint64_t *leaf);
void decisions_close(struct decisions *d); /* NULL is allowed */

#endif /* SG_DECISIONS_H */
