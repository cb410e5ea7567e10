/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SERVE_H
#define SG_SERVE_H

#include "base/err.h"
#include "ipc/wire.h"
#include "uplink.h"
#include "vault.h"

/*
 * serve: one thread of the hsm role: receive a packet of jobs, sign, answer.
 */
struct server {
	struct vault *vault;
	uint32_t lane;
	struct uplink *uplink;
	int control; /* for WIRE_PEER_BAD */
	uint8_t *in; /* WIRE_PACKET_MAX bytes each */
	uint8_t *out;
};

/* Give S its buffers.  Owns: serve_end().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err serve_begin(struct server *s);
void serve_end(struct server *s);

/*
 * Serve until the uplink drains.  Waits for the next core whenever the link
 * ends.  A packet's jobs are done in order and answered together.
 * Errors: SG_TOKEN_DOWN: the process must end; what was signed has been sent.
 */
SG_MUST_USE enum sg_err serve_run(struct server *s);

/* Write the WIRE_HSM_READY of V into W: key numbers are those of the vault.
 * Errors: SG_TOO_BIG. */
SG_MUST_USE enum sg_err serve_ready(const struct vault *v, const char *hsm,
				    struct wire_packet *w);

#endif /* SG_SERVE_H */
