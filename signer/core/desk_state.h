/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DESK_STATE_H
#define SG_DESK_STATE_H

#include "answers.h"
#include "base/throttle.h"
#include "books.h"
#include "desk.h"
#include "diary.h"
#include "handshakes.h"
#include "issue.h"
#include "officer_socket.h"
#include "readiness.h"

/* The desk's own: desk.c, and desk_fronts.c, which keeps its fronts. */
struct desk {
	uv_timer_t tick; /* first: the desk is freed when it is closed */
	uv_loop_t *loop;
	const struct desk_events *events;
	void *ctx;
	uint32_t front_credit;
	struct keyring *keys;
	struct hsm_pool *pool;
	struct release *release;
	struct diary *diary;
	struct books *books; /* NULL: nothing is recorded, in tests */
	char origin[CORE_ORIGIN_MAX];
	struct issuer *issuer;
	struct handshakes *handshakes;
	struct ceremony *ceremony; /* NULL: there is no ledger */
	struct officer_socket *officers;
	struct answers answers;
	struct policy *policy;
	struct front_link *front[DESK_FRONTS_MAX];
	bool busy; /* the tick is quick */
	bool draining;
	bool refused, drained; /* told that the ledger is, that we are */
	uint64_t idle_us;      /* draining, and without a request since */
	bool recording;	       /* the journal was up */
	bool ready;	       /* as last told to the fronts */
	bool tls_known;	       /* they have been told the server's key */
	char reason[READINESS_REASON_MAX]; /* as last found by desk_ready() */
	char told[READINESS_REASON_MAX];   /* as last told to the fronts */
	struct throttle throttle;	   /* of what the log is told of it */
	bool unsaid;			   /* the log does not have it yet */
	uint64_t upkeep_us;		   /* when it was last done */
};

/* Tick quickly while there is something to time out.  Call it after whatever
 * may have begun or ended a request. */
void desk_pace(struct desk *d);

/* --- desk_fronts.c ------------------------------------------------------- */

/* As desk_link(). */
SG_MUST_USE enum sg_err desk_link_front(struct desk *d, uint16_t slot, int fd);
/* Tell all fronts what is so now. */
void desk_tell_fronts(struct desk *d);
/* Close their links. */
void desk_drop_fronts(struct desk *d);

#endif /* SG_DESK_STATE_H */
