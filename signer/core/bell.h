/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BELL_H
#define SG_BELL_H

#include <uv.h>

#include "base/err.h"

/*
 * bell: another thread tells the loop that there is something to look at.
 * An eventfd, and no uv_async: there the loop spins while a sender that was
 * woken off its CPU has not come back from its system call, which took a fifth
 * of the core's time where threads outnumber CPUs.
 */
struct bell; /* opaque */

/* RUNG is called on the loop thread after bell_ring(), once for all rings
 * before it.
 * Owns: *OUT is the caller's; bell_free().
 * Errors: SG_INTERNAL (no descriptor), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err bell_create(uv_loop_t *loop, void (*rung)(void *ctx),
				    void *ctx, struct bell **out);
/* Any thread.  What was written before it is seen by RUNG. */
void bell_ring(struct bell *b);
/* RUNG is not called any more, and nobody may ring.  The loop must run once
 * more to let go of it; then GONE is called with the context, if it is not
 * NULL.  B may be NULL. */
void bell_free(struct bell *b, void (*gone)(void *ctx));

#endif /* SG_BELL_H */
