/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DIGEST_H
#define SG_DIGEST_H

#include "err.h"
#include "span.h"

/* digest: SHA-256 many times over: what it takes is fetched once, since that
 * costs more than to hash a name.  One thread at a time. */
struct digest; /* opaque */

enum { DIGEST_BYTES = 32 };

/* Owns: *OUT is the caller's; digest_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err digest_create(struct digest **out);
/* SHA-256(A || B); either may be empty.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err digest_sum(struct digest *d, struct span a,
				   struct span b, uint8_t out[DIGEST_BYTES]);
void digest_free(struct digest *d); /* NULL is allowed */

#endif /* SG_DIGEST_H */
