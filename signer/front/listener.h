/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LISTENER_H
#define SG_LISTENER_H

#include "front/front_state.h"

/* listener: accepts connections from a descriptor that is bound already: TCP
 * or a Unix socket; what is spoken there depends on the door. */
struct listener; /* opaque */

/* Once a second: say it in the log when there is no descriptor left.  libuv
 * then closes what waits by itself, and tells nobody. */
void listener_second(struct front *f);

/* Owns: FD on success; *OUT: listener_close().  Errors: SG_IO, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err listener_open(struct front *f, int fd, enum door door,
				      struct listener **out);
/* Stop accepting; freed when libuv lets go.  NULL is allowed. */
void listener_close(struct listener *l);

#endif /* SG_LISTENER_H */
