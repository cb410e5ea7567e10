/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BASE64_H
#define SG_BASE64_H

#include "span.h"

/* base64 (RFC 4648 s. 4 and 5).  Pure. */

enum base64_form {
	BASE64_STANDARD, /* padded */
	BASE64_URL	 /* URL-safe alphabet, not padded */
};

/* Characters that N bytes become, padding included. */
static inline size_t base64_encoded_bytes(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* Encode IN to OUT, which has room for base64_encoded_bytes(IN.n).  Returns
 * the characters written; no NUL. */
size_t base64_encode(struct span in, enum base64_form form, char *out);

/*
 * Decode standard, padded base64 without white space to OUT, which has room
 * for IN.n / 4 * 3 bytes.  False when IN is anything else, bits beyond the
 * end that are not zero included (s. 3.5).
 */
bool base64_decode(struct span in, uint8_t *out, size_t *len);

#endif /* SG_BASE64_H */
