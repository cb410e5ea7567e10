/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FLOOD_H
#define SG_FLOOD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * flood: how many lines a second an HSM that fails may write to the log.  An
 * error of one signature in a hundred is a hundred lines a second otherwise.
 * Thread-safe; a line more or less where two threads meet does not matter.
 */
enum { FLOOD_LINES = 8 };

/* Zeroed at first. */
struct flood {
	_Atomic uint64_t second; /* CLOCK_MONOTONIC */
	_Atomic unsigned lines;	 /* in it */
};

static inline bool flood_allows(struct flood *f)
{
	const uint64_t now = clock_mono_us() / 1000000;

	if (atomic_exchange_explicit(&f->second, now, memory_order_relaxed) !=
	    now)
		atomic_store_explicit(&f->lines, 0, memory_order_relaxed);
	return atomic_fetch_add_explicit(&f->lines, 1, memory_order_relaxed) <
	       FLOOD_LINES;
}

#endif /* SG_FLOOD_H */
