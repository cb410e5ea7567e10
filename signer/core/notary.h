/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_NOTARY_H
#define SG_NOTARY_H

#include "hsm_pool.h"
#include "ledger/checkpoint.h"

/*
 * notary: the checkpoints.  Has each state of the tree that it is offered
 * signed by the ledger's key, anchors it in a data object beside that key, and
 * gives it out to be published: in this order, so that nothing is public which
 * the anchor does not know.  While the key is changed for another one both
 * sign, and both have their anchor; then each of them must know nothing else.
 * Before the first one, it holds the log on the disk against the anchor, and
 * has the witnesses asked: one that is behind what these know or forked from it
 * is refused, unless officers have signed that it is to go on (recovery.h).
 * Loop thread only.
 */
struct notary; /* opaque */

enum notary_state {
	NOTARY_WAITING, /* no checkpoint has been signed yet */
	NOTARY_OPEN,	/* certificates may be signed */
	NOTARY_STALE,	/* entries wait too long for a checkpoint */
	NOTARY_REFUSED	/* the log is not what it was */
};

enum { NOTARY_REASON_MAX = 256 };

struct notary_parts {
	struct keyring *keys; /* all that sign the ledger are known in it */
	struct hsm_pool *pool;
	const struct core_ledger_settings *settings;
	const char *state_dir, *ledger_dir;
	/* Publish NOTE, the signed checkpoint of the tree that was offered;
	 * empty: it could not be made now, offer again.  NEWEST is the log's
	 * verifier key from now on. */
	void (*publish)(void *ctx, struct span note,
			const struct note_key *newest);
	/* Ask the witnesses about NOTE, the first signed checkpoint, before it
	 * is anchored and published; notary_consulted() answers, later.  NULL:
	 * there are none. */
	void (*consult)(void *ctx, struct span note);
	/* Officers let the ledger go on by STATEMENT, a note (recovery.h): to
	 * be recorded; then recovery_used(). */
	void (*recovered)(void *ctx, struct span statement);
	void *ctx;
};

/* Owns: *OUT is the caller's; notary_free().  Errors: SG_NO_MEMORY,
 * SG_TOKEN_DOWN (a key is not known yet), SG_MALFORMED (an origin or key that
 * cannot be). */
SG_MUST_USE enum sg_err notary_create(const struct notary_parts *parts,
				      struct notary **out);
/* The log's verifier keys, of the newest offer: the one that is leaving, if one
 * is, comes first.  Returns how many. */
size_t notary_keys(const struct notary *n,
		   struct note_key out[KEYRING_LEDGER_MAX]);
/* The tiles of a tree of SIZE and ROOT are on the disk.  One offer at a time:
 * `publish` answers it, later. */
void notary_offer(struct notary *n, uint64_t size,
		  const struct merkle_hash *root);
/* The witnesses have been asked, as far as they could be. */
void notary_consulted(struct notary *n);
/* The witness NAME has cosigned SIZE leaves that are more than there are here,
 * or (FORK) others.  The log is refused, at any time, unless officers have let
 * it go on since the start: then that is only logged. */
void notary_contradicted(struct notary *n, const char *name, uint64_t size,
			 bool fork);
/* COMMITTED leaves are in the journal at NOW_US (CLOCK_MONOTONIC). */
void notary_tick(struct notary *n, uint64_t committed, uint64_t now_us);
/* *REASON (may be NULL) lives as long as N; empty while it is open. */
enum notary_state notary_look(const struct notary *n, const char **reason);
/* Leaves that are signed for by two keys, and on record beside both; 0: by one.
 */
uint64_t notary_handed_over(const struct notary *n);
/* Leaves that are signed for. */
uint64_t notary_covered(const struct notary *n);
void notary_free(struct notary *n); /* NULL is allowed */

#endif /* SG_NOTARY_H */
