/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RECOUNT_H
#define SG_RECOUNT_H

#include <uv.h>

#include "ledger/journal.h"
#include "quota.h"

/*
 * recount: after a start, what is on record of the day is counted from the
 * journal, by a thread of its own, before anything is signed.  It reads the
 * segments that can hold the day's certificates, by their heads, and no others.
 * What cannot be read is tried again each second; until then nothing is signed.
 * Loop thread only.
 */
struct recount; /* opaque */

struct recount_parts {
	uv_loop_t *loop;
	const struct journal *journal; /* to be counted as it is now */
	const char *journal_dir;
	const char *state;   /* directory: history.h */
	struct quota *quota; /* uncounted, and left alone, until it is done */
	void (*done)(void *ctx);
	void *ctx;
};

/* Begin.
 * Owns: *OUT is the caller's; recount_free().  Errors: SG_NO_MEMORY,
 * SG_INTERNAL. */
SG_MUST_USE enum sg_err recount_start(const struct recount_parts *parts,
				      int64_t wall_s, struct recount **out);
/* End it, done or not: the quota is the caller's again.  The loop must run once
 * more to let go of it.  NULL is allowed. */
void recount_free(struct recount *r);

#endif /* SG_RECOUNT_H */
