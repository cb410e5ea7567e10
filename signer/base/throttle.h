/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_THROTTLE_H
#define SG_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

/* throttle: a log line that clients can cause is written a few times a
 * second, and the rest is counted.  Zeroed: fresh. */
enum { THROTTLE_LINES = 10 }; /* a second */

struct throttle {
	int64_t second;
	unsigned lines;
	uint64_t dropped;
};

/* May a line be written at NOW (seconds)?  *DROPPED gets how many have not
 * been since the last one that was. */
bool throttle_allows(struct throttle *t, int64_t now, uint64_t *dropped);

#endif /* SG_THROTTLE_H */
