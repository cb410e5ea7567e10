/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SMITH_LINK_H
#define SG_SMITH_LINK_H

#include <uv.h>

#include "core.h"
#include "ipc/wire.h"

/*
 * smith_link: the core's ends of the channels to the smiths, one an HSM, and
 * the task that one of them has.  A smith does one task and ends; a fresh one
 * takes its slot.  Loop thread only.
 */
struct smiths; /* opaque */

enum {
	SMITH_AWAY_US = 10 * 1000 * 1000, /* one that is away is waited for */
	SMITH_TASK_US = 60 * 1000 * 1000
};

struct smiths_events {
	/* The task is over: DONE is what the smith says, or, where that could
	 * not be had, not ok, with a reason; BEGUN: it had the task by then,
	 * which may have been done all the same.  Spans live for the call.
	 * Never from inside of smiths_forge(). */
	void (*forged)(void *ctx, const struct wire_forged *done, bool begun);
	/* The smith in SLOT sent nonsense; its link is closed. */
	void (*bad)(void *ctx, uint16_t slot);
};

/* Owns: *OUT is the caller's; smiths_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err smiths_create(uv_loop_t *loop,
				      const struct smiths_events *events,
				      void *ctx, struct smiths **out);
/* Take over FD, the channel to the smith in SLOT; an older one is closed.
 * Owns: FD, always.  Errors: SG_NOT_FOUND (SLOT), SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err smiths_link(struct smiths *s, uint16_t slot, int fd);
/* Have the smith in SLOT do M, whose spans stay in place until `forged`.
 * Errors: SG_BUSY (another task is out), SG_NOT_FOUND (SLOT). */
SG_MUST_USE enum sg_err smiths_forge(struct smiths *s, uint16_t slot,
				     const struct wire_forge *m);
/* Is a task out? */
bool smiths_busy(const struct smiths *s);
/* To be called a few times a second. */
void smiths_tick(struct smiths *s, uint64_t now_us);
/* `forged` is not called any more.  NULL is allowed. */
void smiths_free(struct smiths *s);

#endif /* SG_SMITH_LINK_H */
