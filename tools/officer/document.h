/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_DOCUMENT_H
#define SG_TOOLS_DOCUMENT_H

#include <jansson.h>

#include "base/err.h"
#include "base/span.h"

/*
 * document: what signerd says to officers (signer/ceremony/README.md), as JSON:
 * the same that GET /v1/operations answers.  Pure.
 */

/*
 * IN, one item of CBOR, as JSON: byte strings of 16 bytes (nonces) and of 32
 * (hashes) in hexadecimal, all others in base64.
 * Owns: *OUT is the caller's; json_decref().
 * Errors: SG_MALFORMED (not deterministic, keys that are no text, nested deeper
 * than 16), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err document_json(struct span in, json_t **out);

/* The key LABEL of DOCUMENT; borrowed; NULL: there is none. */
const json_t *document_key(const json_t *document, const char *label);
/* The bytes of MEMBER of MAP, which is base64.
 * Owns: OUT->p is the caller's; free().  False: no such member. */
bool document_bytes(const json_t *map, const char *member, struct span *out);
/* Text and integer members; "" and 0 where there is none. */
const char *document_text(const json_t *map, const char *member);
int64_t document_int(const json_t *map, const char *member);
/* Is KEY in STATE? */
bool document_is_in(const json_t *key, const char *state);
/* Warning I of KEY; NULL: it has no more. */
const char *document_warning(const json_t *key, size_t i);

#endif /* SG_TOOLS_DOCUMENT_H */
