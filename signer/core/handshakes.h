/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HANDSHAKES_H
#define SG_HANDSHAKES_H

#include "front_link.h"
#include "hsm_pool.h"

/*
 * handshakes: what the fronts have signed with the server's TLS key, where that
 * is in an HSM.  A front that was taken over can have handshakes signed, as it
 * could with the key in its hands, but nothing else, and not any more once it
 * is gone.  Loop thread only.
 */
enum {
	HANDSHAKES_US_MAX = 10 * 1000 * 1000 /* whatever the front says */
};

struct handshakes; /* opaque */

/* KEYS and POOL must outlive it.
 * Owns: *OUT: handshakes_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err handshakes_create(struct keyring *keys,
					  struct hsm_pool *pool,
					  struct handshakes **out);
/* Is CONTENT what a server signs in a handshake of TLS 1.3 (RFC 8446 section
 * 4.4.3), with a hash of 32 or 48 bytes? */
bool handshakes_is_content(struct span content);
/* WIRE_HANDSHAKE of F: it will be answered once.  False: it makes no sense. */
bool handshakes_take(struct handshakes *h, struct front_link *f, uint64_t id,
		     const struct wire_handshake *m);
/* F is gone, and nobody waits for its handshakes any more. */
void handshakes_forget(struct handshakes *h, const struct front_link *f);
/* Answer those whose time is over at NOW_US (CLOCK_MONOTONIC): to be called a
 * few times a second. */
void handshakes_tick(struct handshakes *h, uint64_t now_us);
/* Nothing is answered any more.  NULL is allowed. */
void handshakes_free(struct handshakes *h);

#endif /* SG_HANDSHAKES_H */
