/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DCC_CBOR_H
#define SG_DCC_CBOR_H

#include "dcc_scratch.h"

/*
 * dcc_cbor: a request in any well-formed CBOR (RFC 8949) becomes the
 * deterministic CBOR that the core judges and signs: definite lengths,
 * shortest heads, keys in order.  A float without a fraction becomes an
 * integer; tag 0 is taken off its text; all other tags are refused.
 */

/*
 * Normalise BODY.  *REQUEST lies in S until its next use, and passes
 * cbor_check().
 * Errors: SG_MALFORMED (with S->detail), SG_DUPLICATE_KEY, SG_TOO_BIG.
 */
SG_MUST_USE enum sg_err dcc_cbor_read(struct dcc_scratch *s, struct span body,
				      struct span *request);

/* The value of KEY in REQUEST, the result of a dcc_*_read(), if it is text;
 * else an empty span.  Lies in REQUEST. */
struct span dcc_request_text(struct span request, const char *key);

#endif /* SG_DCC_CBOR_H */
