/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_KEYS_H
#define SG_KEYS_H

#include "base/err.h"
#include "base/span.h"
#include "media.h"

/*
 * keys: the core's list of signing keys, {"keys": [{"alg", "kid", "state",
 * "certificate" (DER), ...}]} in CBOR, in the forms that verifiers load.  The
 * sets of bare keys and certificates (all forms but JSON and CBOR, which show
 * every state) leave out what must not be trusted: keys in the state
 * "compromised".  Allocates inside; thread-safe.
 */

/*
 * Write DOCUMENT to OUT as FORM: JSON, CBOR, PEM (a chain file's format),
 * COSE_KEY_SET (RFC 9052 s. 7) or JWK_SET (RFC 7517 s. 5).
 * Errors: SG_MALFORMED (the document, or a certificate in it), SG_BAD_KEY (of
 * no kind that we know), SG_NO_MEMORY, SG_TOO_BIG.
 */
SG_MUST_USE enum sg_err keys_write(enum media form, struct span document,
				   uint8_t *out, size_t cap, size_t *len);

#endif /* SG_KEYS_H */
