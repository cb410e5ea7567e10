/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ASKED_H
#define SG_ASKED_H

#include "policy/policy.h"
#include "policy/verdict.h"

/*
 * asked: the log's lines about one request, from the core: one that failed by
 * our own fault always, a few a second; each one's outcome where signerd.yaml
 * says log_requests.  Neither has anything of the request but its name
 * (base/request_id.h), its client, and the codes of its violations.  Loop
 * thread only.
 */
struct asked {
	uint64_t name; /* as in WIRE_ISSUE */
	uint32_t line;
	enum client_operation operation;
	const struct client *client; /* NULL: nobody of the policy */
	uint64_t began_us;	     /* CLOCK_MONOTONIC: when it was taken */
	uint32_t queue_us, sign_us;  /* of its signature; 0: there is none */
};

/* A has got what it asked for: OUTCOME ("issued"), entry INDEX of the ledger;
 * -1: none. */
void asked_done(const struct asked *a, const char *outcome, int64_t index);
/* A was refused with ERR, for the errors in V unless it is NULL. */
void asked_refused(const struct asked *a, enum sg_err err,
		   const struct verdict *v);

#endif /* SG_ASKED_H */
