/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CHILD_LOG_H
#define SG_CHILD_LOG_H

#include <uv.h>

#include "base/err.h"

/*
 * child_log: where the log is systemd's journal, the supervisor writes there
 * what a role process has to say.  A socket of the process's own to the journal
 * would reach any other datagram socket of the machine; and the journal, which
 * holds a service to so many lines, would let one process silence the others.
 * So a process has a pair to the supervisor: a line that is none, or in the
 * name of another, is dropped and counted as a bad message; lines beyond
 * CHILD_LOG_RATE wait in the pair, and then at the process, which counts what
 * it drops.  Loop thread only.
 */
struct child_log; /* opaque */

enum {
	CHILD_LOG_RATE = 2000, /* lines a second */
	CHILD_LOG_BURST = 4000 /* lines at once, after two quiet seconds */
};

/* A pair for the process ROLE ("front/0", kept by copy).
 * Owns: *OUT, child_log_close(), and *THEIRS, the process's end, close-on-exec.
 * Errors: SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err child_log_open(uv_loop_t *loop, const char *role,
				       struct child_log **out, int *theirs);
/* What is in the pair goes to the journal, within the limit; then it is closed.
 * NULL is allowed. */
void child_log_close(struct child_log *c);

#endif /* SG_CHILD_LOG_H */
