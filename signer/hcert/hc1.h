/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HC1_H
#define SG_HC1_H

#include "base/err.h"
#include "base/span.h"
#include "deflate.h"

/* Largest COSE_Sign1 that we wrap or unwrap, and the text it may become. */
enum { HC1_COSE_MAX = 65536, HC1_TEXT_MAX = 4 + HC1_COSE_MAX * 2 };

/*
 * "HC1:" + base45(zlib(COSE)) into OUT, no NUL.  Uses D's scratch.  What counts
 * is how large the QR code gets: COSE is compressed where that may make a
 * smaller one, which of most certificates it does not, and stored otherwise.
 * The same COSE always becomes the same text.
 * Errors: SG_TOO_BIG.
 */
SG_MUST_USE enum sg_err hc1_encode(struct deflate *d, struct span cose,
				   char *out, size_t cap, size_t *len);

/*
 * The COSE bytes of TEXT (leading and trailing white space is passed).
 * Errors: SG_BAD_PREFIX, SG_BAD_BASE45, SG_BAD_ZLIB, SG_TOO_BIG.
 */
SG_MUST_USE enum sg_err hc1_decode(struct deflate *d, struct span text,
				   uint8_t *out, size_t cap, size_t *len);

#endif /* SG_HC1_H */
