/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CONTROL_H
#define SG_CONTROL_H

#include <uv.h>

#include "core.h"
#include "desk.h"

/*
 * control: the core's conversation with the supervisor: links, reloads, drain.
 * It owns the desk.  Loop thread only.
 */
struct control; /* opaque */

struct control_parts {
	uv_loop_t *loop;
	int fd;		 /* SEQPACKET to the supervisor */
	int policy_fd;	 /* the first policy; only read */
	int officers_fd; /* listener of the administration socket; -1: none */
	const struct core_settings *settings; /* copied */
	core_read_settings read;
	/* The role is over, with this exit status.  Called once. */
	void (*over)(void *ctx, int status);
	void *ctx;
};

/*
 * Load the policy, open the desk, and tell the supervisor that it serves.
 * Owns: parts->fd and parts->officers_fd, from success on; *OUT:
 * control_free().
 * Errors: SG_CONFIG (the policy has faults: logged), SG_LEDGER_DOWN (the ledger
 * is refused: logged), the others of desk_create() and channel_open().
 */
SG_MUST_USE enum sg_err control_create(const struct control_parts *parts,
				       struct control **out);

/* The loop must run once more to let go of the handles.  NULL is allowed. */
void control_free(struct control *c);

#endif /* SG_CONTROL_H */
