/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DEADLINES_H
#define SG_DEADLINES_H

#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"

/*
 * deadlines: a wheel of them, hashed by their time into buckets.  Adding and
 * removing are constant; a deadline is found at most DEADLINE_TICK_US late and
 * never early.  No clock of its own, no allocation after deadlines_create().
 */
enum {
	DEADLINE_TICK_US = 20000,
	DEADLINE_TICKS = 4096 /* one turn, 81 s; what is farther costs a look
				 a turn */
};

struct deadlines; /* opaque */

/* Embedded in what has a deadline. */
struct deadline {
	LIST_ENTRY(deadline) entry;
	uint64_t tick; /* 0: not on the wheel */
};

/* Owns: *OUT is the caller's; deadlines_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err deadlines_create(uint64_t now_us,
					 struct deadlines **out);
/* NODE is not on the wheel. */
void deadlines_add(struct deadlines *w, struct deadline *node,
		   uint64_t deadline_us);
/* Allowed for a node that is not on the wheel. */
void deadlines_remove(struct deadline *node);
/* Take off one node whose deadline has passed at NOW_US; NULL: none is left. */
struct deadline *deadlines_expired(struct deadlines *w, uint64_t now_us);
void deadlines_free(struct deadlines *w); /* NULL is allowed */

#endif /* SG_DEADLINES_H */
