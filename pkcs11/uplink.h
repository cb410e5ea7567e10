/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_UPLINK_H
#define SG_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * uplink: the channel to the core, as many threads see it.  A core that is
 * replaced brings a new channel; each thread keeps the one that it received
 * from until it lets go, so that no answer goes to a core that did not ask.
 * Thread-safe.
 */
struct uplink; /* opaque */

/* One channel, counted; closed when nobody holds it any more. */
struct link_end {
	int fd;
	uint16_t slot;	     /* of the core, for WIRE_PEER_BAD */
	uint64_t generation; /* from 1 */
	unsigned holders;    /* under the uplink's lock */
	bool dropped;
};

/* Owns: *OUT is the caller's; uplink_free() when no thread uses it.
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err uplink_create(struct uplink **out);
void uplink_free(struct uplink *u);

/*
 * Put the channel FD in place of the old one, which is shut down: threads that
 * wait in it come back.
 * Owns: FD, also on failure.  Errors: SG_NO_MEMORY, SG_CLOSED (draining).
 */
SG_MUST_USE enum sg_err uplink_replace(struct uplink *u, int fd, uint16_t slot);

/* The channel after generation SEEN (0: any), when there is one: waits.  NULL
 * when draining and there is none.  uplink_put() it. */
struct link_end *uplink_get(struct uplink *u, uint64_t seen);
void uplink_put(struct uplink *u, struct link_end *end);

/* Shut END down in both directions: its core is not to be trusted.  True for
 * the first caller. */
bool uplink_drop(struct uplink *u, struct link_end *end);

/* Nothing new: what the core has sent already can still be received, then
 * receivers see the end, and uplink_get() gives nothing newer. */
void uplink_drain(struct uplink *u);

#endif /* SG_UPLINK_H */
