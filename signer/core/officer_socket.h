/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_OFFICER_SOCKET_H
#define SG_OFFICER_SOCKET_H

#include <uv.h>

#include "ceremony.h"

/*
 * officer_socket: the administration socket, by which officers reach the core
 * when they are on its machine, whether the fronts serve or not.  SEQPACKET,
 * the messages of ipc/wire.h: WIRE_ASK (WIRE_ASK_CEREMONY, without identity)
 * and WIRE_OPERATE (the same), answered by WIRE_ANSWER or WIRE_PROBLEM; one at
 * a time on a connection.  Whatever else comes ends the connection.  Who may
 * connect is the socket's mode to say; what is done, the signatures.
 * Loop thread only.
 */
struct officer_socket; /* opaque */

enum {
	OFFICER_SOCKET_LINKS = 8, /* a further one is closed at once */
	OFFICER_SOCKET_IDLE_S = 60
};

/*
 * Serve the listener FD for CEREMONY (NULL: all is answered "not found").
 * Owns: FD, from success on; *OUT: officer_socket_free().
 * Errors: SG_NO_MEMORY, SG_INTERNAL.
 */
SG_MUST_USE enum sg_err officer_socket_create(uv_loop_t *loop, int fd,
					      struct ceremony *ceremony,
					      struct officer_socket **out);
/* Close all; the loop must run once more to let go of the handles.  To be
 * called before the ceremony goes.  NULL is allowed. */
void officer_socket_free(struct officer_socket *s);

#endif /* SG_OFFICER_SOCKET_H */
