/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PROOFS_H
#define SG_PROOFS_H

#include "ledger/checkpoint.h"
#include "policy/policy.h"

/*
 * proofs: that an entry is on record, as the text of a C2SP tlog-proof, made
 * from the tiles and the checkpoint that are published, and from nothing else.
 * Blocking reads of small files; loop thread only.
 */
struct proofs; /* opaque */

/* DIR is the log's directory, which is made if it is not there.
 * Owns: *OUT is the caller's; proofs_free().  Errors: SG_IO, SG_NO_MEMORY,
 * SG_INTERNAL. */
SG_MUST_USE enum sg_err proofs_create(const char *dir, struct proofs **out);
void proofs_free(struct proofs *p); /* NULL is allowed */

/*
 * Prove leaf INDEX in the newest checkpoint, to ASKER (NULL: anybody).  The
 * proof brings the entry along, as its extra data, for a client whose own it is
 * or that may audit.  JOURNAL_END: the leaves in the journal (journal_end()).
 * *TEXT lives until the next call on P.
 * Errors: SG_NOT_YET (no checkpoint has it), SG_NOT_FOUND (nor has the
 * journal), SG_NO_MEMORY; SG_INTERNAL, logged: the files cannot be read, or
 * contradict themselves.
 */
SG_MUST_USE enum sg_err proofs_answer(struct proofs *p, uint64_t index,
				      uint64_t journal_end,
				      const struct client *asker,
				      struct span *text);

/* The newest checkpoint; size 0: there is none yet.  Errors: SG_INTERNAL. */
SG_MUST_USE enum sg_err proofs_newest(struct proofs *p, uint64_t *size,
				      struct merkle_hash *root);
/* Is the log of SIZE and ROOT the beginning of the newest checkpoint's?
 * Errors: SG_NOT_FOUND (it is not), SG_INTERNAL (the files cannot be read). */
SG_MUST_USE enum sg_err proofs_prefix(struct proofs *p, uint64_t size,
				      const struct merkle_hash *root);

/*
 * May IDENTITY ask for a proof?  A client of POLICY may (*CLIENT), and who has
 * no identity (NULL): the front asks so for anybody where the ledger is public.
 * Errors: SG_FORBIDDEN (no client), SG_MALFORMED (the front makes no sense).
 */
SG_MUST_USE enum sg_err proofs_admit(const struct policy *policy,
				     struct span identity,
				     const struct client **client);

#endif /* SG_PROOFS_H */
