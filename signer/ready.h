/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_READY_H
#define SG_READY_H

#include "roster.h"

/*
 * ready: what systemd (sd_notify(3)) and the log are told of how far the start
 * has come.  systemd hears READY=1 as soon as clients are served as well as
 * they can be: an HSM that is away must not have it end, after
 * TimeoutStartSec=, a server that signs with another one.  STATUS= names what
 * is missing, then and later.  The line `ready` waits for every process.
 * Loop thread only.
 */
enum { READY_STATUS_MAX = 256 }; /* bytes, with the NUL */

/* Zeroed: nothing has been told. */
struct ready {
	bool told; /* READY=1 */
	uint64_t told_us;
	bool logged;		       /* the line */
	char status[READY_STATUS_MAX]; /* that systemd heard last */
};

/* Look at R, whose configuration is C, at NOW_US (CLOCK_MONOTONIC) and tell
 * what is new, the status once a second at most; after roster_watch(), with
 * each event and each second.  True: systemd has heard READY=1, now or before.
 */
bool ready_look(struct ready *ready, const struct roster *r,
		const struct config *c, uint64_t now_us);

#endif /* SG_READY_H */
