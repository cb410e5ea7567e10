/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DESK_H
#define SG_DESK_H

#include <uv.h>

#include "core.h"
#include "ipc/wire.h"
#include "policy/policy.h"

/*
 * desk: where the core's parts meet on one loop: the links to fronts and
 * hsms, the policy in force, readiness, drain.  It knows no supervisor: that
 * is control.h's.  Loop thread only.
 */
struct desk; /* opaque */

enum { DESK_FRONTS_MAX = 64 };

struct desk_events {
	/* The process behind a link sent nonsense; the link is closed. */
	void (*peer_bad)(void *ctx, enum wire_role role, uint16_t slot);
	/* The front in SLOT has closed its link, which there was at LINKED_US
	 * (CLOCK_MONOTONIC): it should be ending.  May be NULL. */
	void (*front_left)(void *ctx, uint16_t slot, uint64_t linked_us);
	/* After desk_drain(): the last request has been answered, and all is
	 * on record. */
	void (*drained)(void *ctx);
	/* The ledger on the disk is not what it was: nothing will be signed.
	 * MENDS: a new process may do better. */
	void (*ledger_refused)(void *ctx, const char *reason, bool mends);
};

struct desk_parts {
	uv_loop_t *loop;
	const struct core_settings *settings; /* copied */
	struct policy *policy;		      /* gets a reference of its own */
	int64_t newest_iat; /* of another record (release.h); INT64_MIN */
	int officers_fd;    /* see officer_socket.h; 0 or -1: none */
	const struct desk_events *events;
	void *ctx;
};

/*
 * Owns: *OUT is the caller's; desk_free(); parts->officers_fd from success on.
 * Errors: those of keyring_create() (a certificate that cannot be used), of
 * release_create(), books_create() and ceremony_create(), SG_NO_MEMORY,
 * SG_INTERNAL.
 */
SG_MUST_USE enum sg_err desk_create(const struct desk_parts *parts,
				    struct desk **out);

/* Take over FD, the channel to the process ROLE (WIRE_FRONT, WIRE_HSM,
 * WIRE_WITNESS) in SLOT; an older one is closed.
 * Owns: FD, always.  Errors: SG_NOT_FOUND (no such role or slot),
 * SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err desk_link(struct desk *d, enum wire_role role,
				  uint16_t slot, int fd);

/* Judge by POLICY from now on, use verify_* and test_sign_ms of SETTINGS, and
 * the certificates that its keys name; those keys are still those of the
 * start, and all else takes a restart.  What is in flight keeps its policy and
 * its certificate.
 * Errors: those of keyring_reread(), SG_FORBIDDEN (officers have approved
 * another policy); then nothing has changed. */
SG_MUST_USE enum sg_err desk_reload(struct desk *d,
				    const struct core_settings *settings,
				    struct policy *policy);

/* As ceremony_lawful(): is the policy in force one that may be? */
bool desk_lawful(const struct desk *d, uint8_t wanted[][32], size_t *n);

/* Take no new request, answer what is in flight, then call `drained`. */
void desk_drain(struct desk *d);

/* Does every configured key sign now?  *REASON (static until the next call)
 * says what is missing; empty when nothing is. */
bool desk_ready(struct desk *d, const char **reason);
/* Requests in flight. */
size_t desk_in_flight(const struct desk *d);
/* Write what waits for the fronts; for a process that is about to exit. */
void desk_flush(struct desk *d);

/* Close everything; what is in flight is not answered.  The loop must run
 * once more to let go of its handles.  NULL is allowed. */
void desk_free(struct desk *d);

#endif /* SG_DESK_H */
