/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_WITNESSES_H
#define SG_WITNESSES_H

#include <uv.h>

#include "core.h"
#include "ledger/checkpoint.h"

/*
 * witnesses: what the witnesses of the ledger are asked (C2SP tlog-witness),
 * and what their answers mean.  They are asked in rounds: at the start about
 * the first checkpoint, before it is published; then, an interval after the
 * last round began, about the newest one, and also about the same one again
 * while nothing is new, so that each is seen to be there.  All cosignatures of
 * a round are for its one checkpoint; it lasts two intervals where one that
 * answered the last time needs that long.  A witness that has failed is asked
 * again within the round, later and later; one that does not answer holds
 * nobody up.
 *
 * The process that talks to them (signer/witness) is not trusted: what it
 * brings counts when it verifies with a witness's key.  That a witness
 * contradicts the log is not signed, and is believed.  Loop thread only.
 */
struct witnesses; /* opaque */

enum {
	/* The start waits so long for them, and then goes on. */
	WITNESSES_CONSULT_MS = 5000,
	WITNESSES_REQUEST_MS = 10000, /* one request */
	/* Intervals for which a cosignature counts as lately. */
	WITNESSES_CURRENT_INTERVALS = 3
};

/* All may be called from inside any of the calls below, but for
 * witnesses_free(). */
struct witnesses_events {
	/* Of witnesses_consult(): who could be asked has answered, or the time
	 * is over. */
	void (*consulted)(void *ctx);
	/* The witness NAME has cosigned SIZE leaves that are more than ours, or
	 * (FORK) others.  It is not asked any more. */
	void (*contradicted)(void *ctx, const char *name, uint64_t size,
			     bool fork);
	/* NOTE: the published checkpoint of SIZE, with what cosignatures it has
	 * by now. */
	void (*cosigned)(void *ctx, uint64_t size, struct span note);
	/* NOTE takes the place of the cosigned checkpoint that is kept: it is
	 * newer, and has as many cosignatures, or all that can be had. */
	void (*keep)(void *ctx, struct span note);
	/* The process of the witnesses has sent nonsense; its link is closed.
	 */
	void (*bad)(void *ctx);
};

struct witnesses_parts {
	uv_loop_t *loop;
	const struct core_ledger_settings *settings; /* copied in part */
	const char *ledger_dir;			     /* must outlive it */
	const struct witnesses_events *events;
	void *ctx;
};

/* Owns: *OUT is the caller's; witnesses_free().  Errors: SG_NO_MEMORY,
 * SG_INTERNAL, SG_MALFORMED (a verifier key). */
SG_MUST_USE enum sg_err witnesses_create(const struct witnesses_parts *parts,
					 struct witnesses **out);
/* Take over FD, the channel to their process; an older one is closed.
 * Owns: FD, always.  Errors: SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err witnesses_link(struct witnesses *w, int fd);
/* Ask all about NOTE, the signed checkpoint that is about to be published
 * first; `consulted` is called later, never from inside this. */
void witnesses_consult(struct witnesses *w, struct span note);
/* NOTE, a signed checkpoint, has been given out to be published. */
void witnesses_published(struct witnesses *w, struct span note);
/* To be called a few times a second, at NOW_US (CLOCK_MONOTONIC). */
void witnesses_tick(struct witnesses *w, uint64_t now_us);
/* How many have cosigned lately. */
size_t witnesses_current(const struct witnesses *w, uint64_t now_us);
void witnesses_free(struct witnesses *w); /* NULL is allowed */

#endif /* SG_WITNESSES_H */
