/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_PAYLOAD_H
#define SG_TOOLS_PAYLOAD_H

#include <jansson.h>

#include "base/err.h"
#include "base/span.h"

/*
 * payload: CBOR that anybody wrote, as JSON for people to read.  Members keep
 * their order.  What JSON lacks is shown as text: integer keys and integers
 * beyond 63 bits as digits, byte strings as h'00ff', NaN and infinities by
 * name, undefined and simple values as in RFC 8949 s. 8.  Tags are dropped.
 */

enum { PAYLOAD_DEPTH_MAX = 32 };

/*
 * IN must be one item.
 * Owns: *OUT is the caller's; json_decref().
 * Errors: SG_MALFORMED (also: nested deeper than PAYLOAD_DEPTH_MAX, a NUL in a
 * map's key, or a map or an array as one),
 * SG_DUPLICATE_KEY, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err payload_json(struct span in, json_t **out);

/* DCC_KIND_BIT()s of the arrays v, t and r that DCC, an encoded payload, has
 * entries in; 0 if it is not a map with any. */
unsigned payload_kinds(struct span dcc);

#endif /* SG_TOOLS_PAYLOAD_H */
