/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_WATCH_H
#define SG_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * watch: since when a thread has been inside the module.  The thread writes
 * its own watch, the main thread reads them all; a call that does not come
 * back cannot be stopped, only outlived by a new process.
 */
struct watch {
	_Atomic uint64_t since_us; /* CLOCK_MONOTONIC; 0: not in a call */
	const char *_Atomic what;  /* static text, for the log */
};

/* Say that this thread enters the module for WHAT at NOW_US. */
static inline void watch_enter(struct watch *w, const char *what,
			       uint64_t now_us)
{
	atomic_store_explicit(&w->what, what, memory_order_relaxed);
	atomic_store_explicit(&w->since_us, now_us, memory_order_release);
}

static inline void watch_leave(struct watch *w)
{
	atomic_store_explicit(&w->since_us, 0, memory_order_release);
}

/* What the thread has been doing for longer than LIMIT_US; NULL: nothing. */
static inline const char *watch_hung(struct watch *w, uint64_t now_us,
				     uint64_t limit_us)
{
	const uint64_t since =
		atomic_load_explicit(&w->since_us, memory_order_acquire);

	if (since == 0 || now_us < since || now_us - since <= limit_us)
		return NULL;
	return atomic_load_explicit(&w->what, memory_order_relaxed);
}

#endif /* SG_WATCH_H */
