/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_APPROVING_H
#define SG_TOOLS_APPROVING_H

#include "opfile.h"
#include "signer.h"

/* approving: an officer's signature comes to those that an operation has. */

/* A COSE_Sign in a fresh buffer. */
struct approving {
	uint8_t *p; /* free() */
	size_t n;
};

/* Is OFFICER, with this key and name, one of those who may sign F, as far as
 * these are known?  False, with WHY. */
bool approving_may(const struct opfile *f, const struct opfile_known *known,
		   const struct officer *officer, char *why, size_t cap);
/* Are the signatures good that F has of others than the officer NAME, as far
 * as these are known?  False, with WHY: with one that is not, all of it is
 * refused, whoever signs it, too. */
bool approving_others(const struct opfile *f, const struct opfile_known *known,
		      const char *name, char *why, size_t cap);
/* Has OFFICER, with this key, signed F, and does that verify? */
bool approving_has(const struct opfile *f, const struct officer *officer);
/*
 * F with the signature of S, verified before it is given out.
 * Errors, with WHY: those of signer_sign(), SG_BAD_SIGNATURE, SG_TOO_BIG,
 * SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err approving_sign(const struct opfile *f,
				       const struct signer *s,
				       struct approving *out, char *why,
				       size_t cap);
/* F with the signatures of OTHER too, which must hold the same operation.
 * Errors, with WHY: SG_CONFLICT (another one), SG_TOO_BIG, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err approving_join(const struct opfile *f,
				       const struct opfile *other,
				       struct approving *out, char *why,
				       size_t cap);
/* Write it to the file PATH ("-": standard output), all of it or nothing.  What
 * was there before is replaced; by the second there may not be such a file.
 * Errors, with WHY: SG_IO. */
SG_MUST_USE enum sg_err approving_write(const char *path, struct span bytes,
					char *why, size_t cap);
SG_MUST_USE enum sg_err approving_create(const char *path, struct span bytes,
					 char *why, size_t cap);
/* Write what came of the file IN: to OUT, a new file; NULL, or the same name:
 * in its place.  Errors, with WHY: SG_IO. */
SG_MUST_USE enum sg_err approving_put(const char *in, const char *out,
				      struct span bytes, char *why, size_t cap);
/* F without what KID has signed: approved_drop().
 * Errors, with WHY: SG_NOT_FOUND, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err approving_drop(const struct opfile *f,
				       const uint8_t kid[ROLL_KID_BYTES],
				       struct approving *out, char *why,
				       size_t cap);

#endif /* SG_TOOLS_APPROVING_H */
