/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BOOKS_H
#define SG_BOOKS_H

#include "claims.h"
#include "diary.h"
#include "hsm_pool.h"
#include "proofs.h"
#include "quota.h"
#include "release.h"
#include "revoked.h"

/*
 * books: all that follows the journal, put together: the index and the claims,
 * the clients' quotas, the scribe, the notary; what is revoked; and whether, by
 * all of them, something may be signed.  Loop thread only.
 */
struct books; /* opaque */

enum { BOOKS_PATH_MAX = CORE_PATH_MAX + 16, BOOKS_REASON_MAX = 320 };

struct books_parts {
	uv_loop_t *loop;
	struct keyring *keys;
	struct hsm_pool *pool;
	struct release *release;
	struct diary *diary;
	const struct core_settings *settings; /* copied */
	const struct policy *policy; /* for the call of books_create() */
	/* What books_look() says may have changed. */
	void (*changed)(void *ctx);
	/* The process of the witnesses has sent nonsense. */
	void (*witness_bad)(void *ctx);
	/* Officers let the ledger go on by STATEMENT (recovery.h): to be
	 * recorded, then books_recorded(). */
	void (*recovered)(void *ctx, struct span statement);
	void *ctx;
};

enum books_state {
	BOOKS_WAITING, /* nothing is to be signed, for BOOKS_look()'s reason */
	BOOKS_OPEN,
	BOOKS_STUCK,  /* the index takes nothing: only a new process can help */
	BOOKS_REFUSED /* the log on the disk is not what it was */
};

/* The path of the directory NAME ("journal", "ledger", "index") of the state.
 */
void books_path(char out[BOOKS_PATH_MAX], const struct core_settings *settings,
		const char *name);

/*
 * Owns: *OUT is the caller's; books_free().
 * Errors: SG_IO (the state directory, the index, revocations on record that are
 * not there), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err books_create(const struct books_parts *parts,
				     struct books **out);
struct claims *books_claims(const struct books *b);
const struct revoked *books_revoked(const struct books *b);
/* What clients have had signed.  Nothing is open before it is counted. */
struct quota *books_quota(const struct books *b);
/* P is in force, and officers may have revoked more: take it. */
void books_reload(struct books *b, const struct policy *p);
struct proofs *books_proofs(const struct books *b);
struct index *books_index(const struct books *b);
const char *books_journal_dir(const struct books *b);
/* Leaves in the journal of BOOKS, a struct books. */
uint64_t books_leaves(void *books);
/* *REASON lives until the next call; empty while they are open. */
enum books_state books_look(struct books *b, const char **reason);
/* The statement of `recovered` is on record. */
void books_recorded(const struct books *b);
/* Take over FD, the channel to the process of the witnesses.
 * Owns: FD, always.  Errors: SG_NOT_FOUND (there are none), SG_NO_MEMORY,
 * SG_IO.
 */
SG_MUST_USE enum sg_err books_link_witness(struct books *b, int fd);
/* Have as many witnesses cosigned lately as readiness asks for?  *REASON lives
 * until the next call; empty when they have. */
bool books_witnessed(struct books *b, const char **reason);
/* Records have been committed. */
void books_committed(struct books *b);
/* To be called a few times a second. */
void books_tick(struct books *b);
/* Does a published checkpoint cover all that is committed?  Also when none can
 * be had. */
bool books_settled(const struct books *b);
/* Leaves of the published checkpoint, where both of the ledger's keys have
 * signed it and both have it on record; 0: one key signs, or none yet. */
uint64_t books_handed_over(const struct books *b);
/* End what runs beside the loop: nothing is published any more. */
void books_stop(struct books *b); /* NULL is allowed */
/* The loop must run once more.  NULL is allowed. */
void books_free(struct books *b);

#endif /* SG_BOOKS_H */
