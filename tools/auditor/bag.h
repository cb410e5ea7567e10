/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_BAG_H
#define SG_TOOLS_BAG_H

#include "base/err.h"
#include "base/span.h"

/* bag: counts under keys, in the keys' order.  Bounded: what comes when it is
 * full is counted together. */
enum { BAG_COUNTS = 8, BAG_KEY_MAX = 320 /* bytes; longer ones are cut */ };

struct bag_cell {
	size_t n; /* bytes of the key; 0: all that did not fit */
	uint8_t key[BAG_KEY_MAX];
	uint64_t count[BAG_COUNTS];
	uint64_t seen;
	int64_t first_ms, last_ms; /* the earliest and latest time seen */
	uint64_t first, last;	   /* the least and greatest index */
};

struct bag; /* opaque */

/* Room for CAP keys.  Owns: *OUT is the caller's; bag_free().  Errors:
 * SG_NO_MEMORY. */
SG_MUST_USE enum sg_err bag_create(size_t cap, struct bag **out);
void bag_free(struct bag *b); /* NULL is allowed */
/* KEY was seen in entry INDEX of TIME_MS.  The cell, to add to; never NULL. */
struct bag_cell *bag_see(struct bag *b, struct span key, uint64_t index,
			 int64_t time_ms);
/* The Ith in the order of keys; last what did not fit, if anything; NULL beyond
 * it. */
const struct bag_cell *bag_at(const struct bag *b, size_t i);
size_t bag_keys(const struct bag *b);

#endif /* SG_TOOLS_BAG_H */
