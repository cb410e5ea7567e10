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
/* Write it to the file PATH ("-": standard output), all of it or nothing.
 * Errors, with WHY: SG_IO. */
SG_MUST_USE enum sg_err approving_write(const char *path, struct span bytes,
					char *why, size_t cap);

#endif /* SG_TOOLS_APPROVING_H */
