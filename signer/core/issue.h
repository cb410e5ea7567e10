/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ISSUE_H
#define SG_ISSUE_H

#include "claims.h"
#include "diary.h"
#include "front_link.h"
#include "hsm_pool.h"
#include "quota.h"
#include "release.h"
#include "revoked.h"

/*
 * issue: one certificate's life, from a front's request to its answer:
 *	judge -> CWT -> Sig_structure -> hsm_pool -> COSE_Sign1 -> release
 * Refusals turn back at the verdict.  Each request is answered once, unless
 * its front goes away.  Loop thread only.
 *
 * A UVCI is signed once, and then renewed.  The same request again (same
 *client, same payload) gets the certificate that is on record, whatever the
 *policy says now; any other request under its UVCI is a conflict.  While the
 *first one is in flight the others wait for it, and where it ends without a
 *certificate the oldest of them is signed in its place.  A renewal is of what
 *is on record for the same request, once it is due; until it is released that
 *one is given out.
 *
 * Memory: a fixed slot per request in flight, kept for the next one; never
 * more than the fronts' credit together.  A certificate beyond the slot's own
 * buffer costs one allocation.
 */
struct issuer; /* opaque */

enum { ISSUE_DEADLINE_MAX_US = 60 * 1000 * 1000 };

/* What the issuer works with; all outlive it. */
struct issuer_parts {
	struct keyring *keys;
	struct hsm_pool *pool;
	struct release *release;
	/* Both NULL: without a ledger, and what is sent twice is signed
	 * twice. */
	struct claims *claims;
	const char *journal_dir; /* for the call of issuer_create() */
	struct diary *diary;
	const struct revoked *revoked; /* NULL: nothing is */
	struct quota *quota;	       /* NULL: nobody has limits */
	/* For which clients sign their requests: the ledger's origin; empty
	 * without one.  Outlives the issuer. */
	struct span audience;
};

/* Owns: *OUT is the caller's; issuer_free().  Errors: SG_NO_MEMORY,
 * SG_INTERNAL. */
SG_MUST_USE enum sg_err issuer_create(const struct issuer_parts *parts,
				      struct policy *policy,
				      struct issuer **out);
/* Judge by POLICY from now on.  What is in flight keeps the one that judged
 * it.  Takes a reference of its own. */
void issuer_set_policy(struct issuer *s, struct policy *policy);
/* Take nothing new from now on: SG_CLOSED. */
void issuer_close(struct issuer *s);

/*
 * Take request ID of front F.  It is answered now, or later by F's issuer.
 * Returns false when the message makes no sense: the front is bad.
 */
bool issuer_take(struct issuer *s, struct front_link *f, uint64_t id,
		 const struct wire_issue *m);
/* F is going away: its requests are dropped, unsigned where possible. */
void issuer_forget(struct issuer *s, struct front_link *f);
/* End what is past its deadline at NOW_US (CLOCK_MONOTONIC). */
void issuer_tick(struct issuer *s, uint64_t now_us);

/* Requests in flight. */
size_t issuer_in_flight(const struct issuer *s);

/* Every front has been forgotten.  NULL is allowed. */
void issuer_free(struct issuer *s);

#endif /* SG_ISSUE_H */
