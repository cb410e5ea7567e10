/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_NOTARY_H
#define SG_NOTARY_H

#include "hsm_pool.h"
#include "scribe.h"

/*
 * notary: the checkpoints.  Has each state that the scribe offers signed by the
 * ledger's key, anchors it in a data object beside that key, and gives it back
 * to be published: in this order, so that nothing is public which the anchor
 * does not know.  Before anything is signed for a client, it holds the log on
 * the disk against the anchor (and what the witnesses have seen): one that is
 * behind or forked refuses to serve.  Loop thread only.
 */
struct notary; /* opaque */

enum notary_state {
	NOTARY_WAITING, /* for the scribe, or for the ledger's HSM */
	NOTARY_OPEN,	/* certificates may be signed */
	NOTARY_STALE,	/* entries wait too long for a checkpoint */
	NOTARY_REFUSED	/* the log is not what it was: notary_reason() */
};

struct notary_parts {
	uv_loop_t *loop;
	struct keyring *keys;
	size_t key; /* the ledger's, in it */
	struct hsm_pool *pool;
	const struct core_ledger_settings *settings;
	const char *ledger_dir;
	/* The state has changed. */
	void (*changed)(void *ctx);
	void *ctx;
};

/* Owns: *OUT is the caller's; notary_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err notary_create(const struct notary_parts *parts,
				      struct notary **out);
enum notary_state notary_look(const struct notary *n, const char **reason);
void notary_free(struct notary *n); /* NULL is allowed */

#endif /* SG_NOTARY_H */
