/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_JSON_CBOR_H
#define SG_TOOLS_JSON_CBOR_H

#include <jansson.h>

#include "base/err.h"
#include "base/span.h"

/* json_cbor: JSON as deterministic CBOR (RFC 8949 s. 4.2.1).  Pure. */

/* JSON as deterministic CBOR (RFC 8949 s. 4.2.1), a number without a fraction
 * as an integer.
 * Owns: *OUT is the caller's; free().
 * Errors: SG_NO_MEMORY; SG_TOO_BIG (nested deeper than 64 levels). */
SG_MUST_USE enum sg_err json_cbor(json_t *j, uint8_t **out, size_t *n);

#endif /* SG_TOOLS_JSON_CBOR_H */
