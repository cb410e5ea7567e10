/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RESTART_H
#define SG_RESTART_H

#include <stdint.h>

/*
 * restart: when a process that died may start again.  The first deaths are
 * mended at once, for they are most often accidents; one that keeps dying
 * young waits longer each time, for it would only burn CPU, and lock a PIN.
 * Pure: times are CLOCK_MONOTONIC microseconds that the caller gives.
 */
enum {
	RESTART_AT_ONCE = 3,	    /* young deaths in a row without a wait */
	RESTART_FIRST_MS = 200,	    /* then this, doubling */
	RESTART_LONGEST_MS = 10000, /* up to this */
	/* Or up to this for an hsm process: its token may be back any time, and
	 * nobody can sign before the process has seen that. */
	RESTART_HSM_LONGEST_MS = 1000,
	RESTART_GOOD_LIFE_MS = 60000 /* a life that long forgets what was */
};

/* Zeroed: has never run. */
struct restart {
	uint32_t longest_ms; /* 0: RESTART_LONGEST_MS */
	uint64_t started_us;
	uint32_t young_deaths; /* in a row */
};

void restart_started(struct restart *r, uint64_t now_us);
/* It has died: milliseconds to wait before the next start. */
uint32_t restart_died(struct restart *r, uint64_t now_us);

#endif /* SG_RESTART_H */
