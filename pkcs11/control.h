/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CONTROL_H
#define SG_CONTROL_H

#include "base/err.h"
#include "ipc/wire.h"

/*
 * control: the end of the control channel of hsm and smith, without an event
 * loop.
 */

/* One message; FD is its first descriptor, the callee's to close, or -1.
 * Returns SG_OK, or SG_MALFORMED when it makes no sense here. */
typedef enum sg_err (*control_message)(void *ctx, const struct wire_msg *m,
				       int fd);

/*
 * Receive one packet of the channel SOCK, without waiting, and give its
 * messages to FN.
 * Errors: SG_BUSY (nothing there), SG_CLOSED (the supervisor is gone),
 * SG_MALFORMED, SG_IO.
 */
SG_MUST_USE enum sg_err control_read(int sock, control_message fn, void *ctx);

/* Give FN all that is there on SOCK.  NULL: nothing more is; else why the
 * process must end, static. */
const char *control_read_all(int sock, control_message fn, void *ctx);
/* M is none of the caller's own: what the supervisor sends to every role.
 * Errors: SG_MALFORMED, SG_IO. */
SG_MUST_USE enum sg_err control_common(int sock, const struct wire_msg *m);

/* Send a message without fields; WIRE_UP.  Errors: SG_IO. */
SG_MUST_USE enum sg_err control_send_bare(int sock, enum wire_type type);
/* Say that the core in SLOT misbehaves.  Errors: SG_IO. */
SG_MUST_USE enum sg_err control_send_peer_bad(int sock, uint16_t slot);
/* Answer a WIRE_RELOAD.  Errors: SG_IO. */
SG_MUST_USE enum sg_err control_send_reloaded(int sock);

#endif /* SG_CONTROL_H */
