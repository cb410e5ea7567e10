/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_REFUSALS_H
#define SG_REFUSALS_H

#include "ledger/entry.h"
#include "policy/policy.h"

/*
 * refusals: what was refused, counted by client and violation code, until it
 * goes on record as one entry a client.  Bounded: clients and codes beyond
 * the tables are counted as "other".  Loop thread only.
 */
struct refusals; /* opaque */

enum { REFUSALS_CLIENTS_MAX = 256 };

/* Owns: *OUT is the caller's; refusals_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err refusals_create(int64_t now_ms, struct refusals **out);
/* A request of CLIENT was refused for the errors in V; a code counts once a
 * request. */
void refusals_add(struct refusals *r, const char *client,
		  const struct verdict *v);
/* Give PUT each client's counts since the last time, to be recorded as of
 * NOW_MS (milliseconds since 1970), as leaf *INDEX.  What PUT does not take
 * (false) is counted on. */
void refusals_take(struct refusals *r, int64_t now_ms,
		   bool (*put)(void *ctx, const struct entry_refused *e,
			       uint64_t *index),
		   void *ctx);
/* Of what was taken the last time, that from leaf FIRST on is on no record: it
 * is counted on. */
void refusals_lost(struct refusals *r, uint64_t first);
void refusals_free(struct refusals *r); /* NULL is allowed */

#endif /* SG_REFUSALS_H */
