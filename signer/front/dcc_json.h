/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DCC_JSON_H
#define SG_DCC_JSON_H

#include "dcc_scratch.h"

/*
 * dcc_json: a request in JSON (RFC 8259) becomes the deterministic CBOR
 * (RFC 8949 s. 4.2.1) that the core judges and signs.  Text stays as it is,
 * byte for byte.  A number without a fraction becomes an integer, whatever
 * way it is written; what else JSON has (fractions, true, null) becomes its
 * like in CBOR, for the policy to refuse.  A number too large for a double is
 * refused here.  The text at /attestation or /signed becomes a byte
 * string if it is base64.
 */

/*
 * Translate BODY.  *REQUEST lies in S until its next use, and passes
 * cbor_check().
 * Errors: SG_MALFORMED (with S->detail), SG_DUPLICATE_KEY, SG_TOO_BIG,
 * SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err dcc_json_read(struct dcc_scratch *s, struct span body,
				      struct span *request);

#endif /* SG_DCC_JSON_H */
