/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_KEY_USAGE_H
#define SG_KEY_USAGE_H

#include "hcert/cose.h"
#include "ledger/journal.h"

/*
 * key_usage: how many certificates are on record by each key, by its kid, and
 * when the last of them runs out.  Counted as they are recorded, written to
 * STATE/key-usage every few seconds with the leaf up to which it holds; after a
 * start what came later is counted from the journal, a little with each tick.
 * A file that is lost or damaged costs a longer count.  Loop thread only; reads
 * files, blocking.
 */
struct key_usage; /* opaque */

enum { KEY_USAGE_KIDS_MAX = 512 };

/* Owns: *OUT is the caller's; key_usage_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err key_usage_create(const char *state,
					 const char *journal_dir,
					 const struct journal *journal,
					 struct key_usage **out);
/* A certificate by KID that is valid until EXP (seconds since 1970) has been
 * recorded as LEAF. */
void key_usage_count(struct key_usage *u, const uint8_t kid[COSE_KID_BYTES],
		     int64_t exp, uint64_t leaf);
/* Has all been counted that was on record at the start? */
bool key_usage_complete(const struct key_usage *u);
/* Of KID, as far as it has been counted: signatures, and the latest end of a
 * certificate; 0: none. */
void key_usage_of(const struct key_usage *u, const uint8_t kid[COSE_KID_BYTES],
		  uint64_t *count, int64_t *exp);
/* The latest end of a certificate by a kid that KNOWN does not know. */
int64_t key_usage_others(const struct key_usage *u,
			 bool (*known)(void *ctx,
				       const uint8_t kid[COSE_KID_BYTES]),
			 void *ctx);
/* To be called a few times a second. */
void key_usage_tick(struct key_usage *u, uint64_t now_us);
void key_usage_free(struct key_usage *u); /* writes it; NULL is allowed */

#endif /* SG_KEY_USAGE_H */
