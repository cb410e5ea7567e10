/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SCHEMA_H
#define SG_SCHEMA_H

#include "base/err.h"
#include "base/span.h"
#include "document.h"
#include "rule.h"
#include "verdict.h"

/*
 * schema: the DCC schema 1.3.3 as typed tables, and the one walk over a
 * request that takes it apart and holds it against them.  `format` is an
 * annotation in the schema's dialect and asserts nothing; beyond the schema
 * stand what a payload cannot hold and, by profile, unknown fields.
 * No allocation.
 */

/* Levels of a request, its own map included: dcc, v, its entry, a field, and
 * what an unknown field may still hold.  Items in all. */
enum { SCHEMA_DEPTH_MAX = 16, SCHEMA_ITEMS_MAX = 4096 };

/*
 * Walk REQUEST, which has passed cbor_check(), fill *D and add every violation
 * to *V; unknown fields at their level in PROFILE.
 * Errors: SG_MALFORMED (also a map key that is no text, which no JSON Pointer
 * can name), SG_TOO_BIG (deeper than SCHEMA_DEPTH_MAX).
 */
SG_MUST_USE enum sg_err schema_read(struct span request,
				    const struct rule_profile *profile,
				    struct document *d, struct verdict *v);

#endif /* SG_SCHEMA_H */
