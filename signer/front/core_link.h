/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CORE_LINK_H
#define SG_CORE_LINK_H

#include <uv.h>

#include "ipc/wire.h"

/*
 * core_link: this front's channel to the core.  Asks, remembers who asked,
 * keeps to the credit, and ends every question in exactly one answer: an
 * answer of the core, its deadline (plus a grace for the way back), or the
 * core's end.  Survives restarts of the core.  Loop thread only.
 */
struct core_link; /* opaque */

/* Patience for an operation of officers: an HSM may take long over a key, and
 * the core waits 10 s for a smith, 60 s for it to be done and 10 s for the
 * record. */
enum { CORE_LINK_OPERATE_US = 90 * 1000 * 1000 };

/* How a question ended.  M is NULL when the core did not answer: ERR is then
 * SG_CORE_DOWN, SG_TIMED_OUT.  Spans of M die with the call. */
typedef void (*core_answer)(void *asker, const struct wire_msg *m,
			    enum sg_err err);

/* The core's status has changed (readiness, policy hash); POLICY_CHANGED says
 * that the hash is another than in the status before. */
typedef void (*core_status)(void *ctx, const struct wire_status *status,
			    bool policy_changed);

SG_MUST_USE enum sg_err core_link_create(uv_loop_t *loop, core_status status,
					 void *ctx, struct core_link **out);
/* Call BAD with CTX whenever the core has sent what makes no sense (its
 * channel is closed by then), so that the supervisor can be told. */
void core_link_on_bad(struct core_link *l, void (*bad)(void *ctx), void *ctx);
/* Take over FD, a channel's end given by WIRE_LINK; what is in flight on an
 * older channel ends with SG_CORE_DOWN. */
void core_link_attach(struct core_link *l, int fd);

/*
 * Ask.  On SG_OK, ANSWER will be called exactly once, never from inside this
 * call, unless core_link_forget() comes first.  *QUESTION names it.
 * Errors: SG_CORE_DOWN, SG_BUSY (credit or queue used up), SG_TOO_BIG.
 */
SG_MUST_USE enum sg_err core_link_issue(struct core_link *l,
					const struct wire_issue *m,
					core_answer answer, void *asker,
					uint64_t *question);
SG_MUST_USE enum sg_err core_link_ask(struct core_link *l,
				      const struct wire_ask *m,
				      core_answer answer, void *asker,
				      uint64_t *question);
SG_MUST_USE enum sg_err core_link_operate(struct core_link *l,
					  const struct wire_operate *m,
					  core_answer answer, void *asker,
					  uint64_t *question);
/* For somebody who is not known yet: WIRE_HANDSHAKES_MAX at a time, and half of
 * the credit; beyond that, SG_BUSY.  Given up after 10 s. */
SG_MUST_USE enum sg_err core_link_handshake(struct core_link *l,
					    const struct wire_handshake *m,
					    core_answer answer, void *asker,
					    uint64_t *question);
/* The asker is gone: drop the answer when it comes.  Until then the question
 * takes up room in the core, and counts against the client that asked: with
 * more than a quarter of the credit taken up like that it gets SG_BUSY, as with
 * seven eighths of it in all. */
void core_link_forget(struct core_link *l, uint64_t question);
/* Questions that the core takes at a time; 0: it is down, or starting. */
uint32_t core_link_credit(const struct core_link *l);
/* How many of them are free now. */
uint32_t core_link_room(const struct core_link *l);
/* Questions of CLIENT (shares_index()) that the core works on. */
uint32_t core_link_owed(const struct core_link *l, uint16_t client);
/* Questions in flight, for draining. */
size_t core_link_in_flight(const struct core_link *l);
/* The last status; NULL before the first, and while the core is down. */
const struct wire_status *core_link_status(const struct core_link *l);
/* Release L; questions in flight are dropped without a call.  The memory goes
 * once the loop has closed L's timer.  NULL is allowed. */
void core_link_free(struct core_link *l);

#endif /* SG_CORE_LINK_H */
