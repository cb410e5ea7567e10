/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BASE45_H
#define SG_BASE45_H

#include "base/err.h"
#include "base/span.h"

/* Characters that N bytes become (RFC 9285 s. 4). */
static inline size_t base45_encoded_bytes(size_t n)
{
	return n / 2 * 3 + n % 2 * 2;
}

/* Encode IN to OUT, which has room for base45_encoded_bytes(IN.n).  Returns
 * the characters written; no NUL. */
size_t base45_encode(struct span in, char *out);

/* Decode; CAP of at least IN.n / 3 * 2 + 1 always suffices.  IN and OUT do not
 * overlap.  Errors: SG_BAD_BASE45 (foreign character, impossible length, value
 * out of range), SG_TOO_BIG. */
SG_MUST_USE enum sg_err base45_decode(struct span in, uint8_t *out, size_t cap,
				      size_t *len);

#endif /* SG_BASE45_H */
