/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ACCUSATION_H
#define SG_ACCUSATION_H

#include "roster.h"

/*
 * accusation: what becomes of one process's word against another.  Loop thread
 * only.
 */

/* The fronts' word replaces the core once in this time: one that is bad again
 * so soon is not mended by a new process, and fronts that were taken over could
 * else have one after the other killed. */
enum { ACCUSATION_AGAIN_US = 10 * 60 * 1000 * 1000 };

/* Does it count at NOW_US, when it had the core replaced at REPLACED_US (0: it
 * never has)?  Pure; CLOCK_MONOTONIC. */
static inline bool accusation_counts(uint64_t replaced_us, uint64_t now_us)
{
	return replaced_us == 0 || now_us - replaced_us >= ACCUSATION_AGAIN_US;
}

/* C, of R, says M.  Kills whom it is believed against, or C itself. */
void accusation_judge(const struct roster *r, struct child *c,
		      const struct wire_peer_bad *m);

#endif /* SG_ACCUSATION_H */
