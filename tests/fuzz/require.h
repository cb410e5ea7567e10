/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FUZZ_REQUIRE_H
#define SG_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/span.h"

/* require: what a target holds against its reader. */

/* End the run unless it HOLDS; WHAT says what does not. */
static inline void require(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "not so: %s\n", what);
	abort();
}

static inline bool is_inside(struct span part, struct span whole)
{
	return part.p >= whole.p && part.n <= whole.n &&
	       (size_t)(part.p - whole.p) <= whole.n - part.n;
}

#endif /* SG_FUZZ_REQUIRE_H */
