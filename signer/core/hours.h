/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HOURS_H
#define SG_HOURS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * hours: how many certificates a client had signed in each hour of the last
 * week, and how many in a usual one.  Hours are counted from 1970.  Pure.
 */
enum { HOURS_KEPT = 7 * 24 };

struct hours {
	int64_t newest; /* INT64_MIN: there is none */
	uint32_t count[HOURS_KEPT];
	uint64_t usual; /* mean of those before the newest in which there was
			   anything */
};

void hours_clear(struct hours *h);
/* N more in HOUR; those that are too old are passed over.  Returns whether it
 * has become the newest one. */
bool hours_add(struct hours *h, int64_t hour, uint32_t n);
/* One less. */
void hours_take(struct hours *h, int64_t hour);
/* Of HOUR; 0 where it is not kept. */
uint32_t hours_count(const struct hours *h, int64_t hour);

#endif /* SG_HOURS_H */
