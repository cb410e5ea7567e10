/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HUSH_H
#define SG_HUSH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * hush: a few lines about a trouble that lasts, then one a minute, until there
 * has been none of it for a while.  What is left out is counted.  Zeroed:
 * fresh.  Pure: times are CLOCK_MONOTONIC microseconds that the caller gives.
 */
enum {
	HUSH_LINES = 16,		  /* at once */
	HUSH_EVERY_US = 60 * 1000 * 1000, /* then one in this time */
	HUSH_CALM_US = 10 * 1000 * 1000	  /* of silence that end it */
};

struct hush {
	uint64_t asked_us, let_us;
	unsigned lines;
	uint64_t left_out;
};

/* May a line be written at NOW_US?  If so, *LEFT_OUT gets how many have not
 * been since the last one that was. */
bool hush_allows(struct hush *h, uint64_t now_us, uint64_t *left_out);

#endif /* SG_HUSH_H */
