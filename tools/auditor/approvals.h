/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_APPROVALS_H
#define SG_TOOLS_APPROVALS_H

#include "findings.h"
#include "ledger/note.h"

/*
 * approvals: were the operations that a log says were accepted approved by as
 * many officers as the terms asked for that were in force?  The officers and
 * their terms are in the log, from the first genesis on; so nobody has to be
 * believed, and what a server did on its own shows.
 */
enum {
	APPROVALS_KEPT_MAX = 100000,	 /* operations */
	APPROVALS_BYTES_MAX = 128 << 20, /* of all of them */
};

struct approvals; /* opaque */

/* Owns: *OUT is the caller's; approvals_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err approvals_create(struct approvals **out);
void approvals_free(struct approvals *a); /* NULL is allowed */

/* Entry INDEX says that OPERATION, as it was signed, was accepted.  Entries may
 * come in any order, from any thread.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err approvals_add(struct approvals *a, uint64_t index,
				      struct span operation);
/* All of the log of ORIGIN have come: what is wrong with them goes to F.
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err approvals_judge(struct approvals *a, struct span origin,
					struct findings *f);

/*
 * Once they are judged: do the officers, whom the log's first TRUSTED entries
 * name and who are believed for these, say that TO is the log's key?  *ENTRY
 * gets the entry of the operation that does.  Else WHY (static).
 */
bool approvals_follow(const struct approvals *a, uint64_t trusted,
		      const struct note_key *to, uint64_t *entry,
		      const char **why);

#endif /* SG_TOOLS_APPROVALS_H */
