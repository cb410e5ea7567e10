/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_RANGES_H
#define SG_TOOLS_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* ranges: a set of entries by index, as ranges in ascending order that do not
 * touch.  Empty, {0}: all of them. */
struct ranges {
	size_t n, cap;
	struct range {
		uint64_t first, last; /* both belong to it */
	} * range;
};

enum { RANGES_MAX = 1 << 22 };

/*
 * Read TEXT: "5,100..199,1000.." (an open end), or "@FILE" with such text, in
 * which white space parts too.
 * Owns: *OUT is the caller's; ranges_clear().
 * Errors: SG_CONFIG (also more than RANGES_MAX), SG_IO, SG_NO_MEMORY, with WHY.
 */
SG_MUST_USE enum sg_err ranges_read(const char *text, struct ranges *out,
				    char *why, size_t cap);
void ranges_clear(struct ranges *r);
/* Is INDEX in it?  *AT, 0 at first, remembers where it was: indexes must not
 * descend between calls. */
bool ranges_has(const struct ranges *r, size_t *at, uint64_t index);
/* The least of its indexes that is at least INDEX; false: there is none. */
bool ranges_next(const struct ranges *r, size_t *at, uint64_t index,
		 uint64_t *out);

#endif /* SG_TOOLS_RANGES_H */
