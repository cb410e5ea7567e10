/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_OUTAGE_H
#define SG_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * outage: whether an HSM is there, from what its hsm processes do, and what is
 * worth a line in the log.  It is away when one has died and none is up; it is
 * back when one has been up for a while, since one that dies as soon as it
 * signs is no HSM.  Pure: times are CLOCK_MONOTONIC microseconds that the
 * caller gives.
 */
enum { OUTAGE_AGAIN_US = 60 * 1000 * 1000 }; /* between lines */

enum outage_state { OUTAGE_UNKNOWN, OUTAGE_NONE, OUTAGE_AWAY };

/* Zeroed: nothing is known. */
struct outage {
	enum outage_state state;
	uint64_t since_us; /* while away */
	uint64_t told_us;  /* the last line */
	uint64_t starts;   /* of its processes, up to the last line */
};

/* Its processes now. */
struct outage_view {
	unsigned up;	    /* serve */
	bool died;	    /* one that does not serve has died, not ended */
	uint64_t steady_us; /* one has been up for long, since then; 0: none */
	uint64_t starts;    /* of all, ever */
};

enum outage_news {
	OUTAGE_NO_NEWS,
	OUTAGE_BEGINS,
	OUTAGE_LASTS, /* it is time for another line */
	OUTAGE_ENDS
};

/* Look at V at NOW_US.  *STARTS gets how many starts there were since the last
 * news, and *AWAY_US for how long it has been, or was, away. */
enum outage_news outage_look(struct outage *o, const struct outage_view *v,
			     uint64_t now_us, uint64_t *starts,
			     uint64_t *away_us);

#endif /* SG_OUTAGE_H */
