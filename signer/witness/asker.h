/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ASKER_H
#define SG_ASKER_H

#include <uv.h>

#include "ipc/wire.h"
#include "witness.h"

/*
 * asker: requests to the witnesses, by libcurl on a libuv loop: one at a time
 * to each, connections kept open, no redirect followed.  Each is answered once,
 * at its deadline at the latest, and none waits for another's.  Loop thread
 * only.
 */
struct asker; /* opaque */

enum {
	ASKER_REQUEST_MAX = 65536, /* bytes of a request's body */
	ASKER_ANSWER_MAX = 16384,  /* and of an answer's */
	ASKER_WAIT_MAX_MS = 60000  /* whatever the deadline is */
};

/* M answers the request ID; its spans live until the end of the call, in which
 * the next request may be made. */
typedef void (*asker_done)(void *ctx, uint64_t id,
			   const struct wire_cosigned *m);

/*
 * Owns: *OUT is the caller's; asker_free().  SETTINGS must outlive it.
 * Errors: SG_NO_MEMORY, SG_INTERNAL (libcurl).
 */
SG_MUST_USE enum sg_err asker_create(uv_loop_t *loop,
				     const struct witness_settings *settings,
				     asker_done done, void *ctx,
				     struct asker **out);
/* Send what M says; `done` is called later, never from inside this.
 * Errors: SG_NOT_FOUND (no such witness), SG_BUSY (it is being asked),
 * SG_TOO_BIG, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err asker_post(struct asker *a, uint64_t id,
				   const struct wire_cosign *m);
/* Nobody waits for what has been asked any more. */
void asker_abandon(struct asker *a);
/* The loop must run once more.  NULL is allowed. */
void asker_free(struct asker *a);

#endif /* SG_ASKER_H */
