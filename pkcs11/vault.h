/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_VAULT_H
#define SG_VAULT_H

#include "anchor.h"
#include "base/err.h"
#include "key.h"
#include "session.h"
#include "watch.h"
#include "worker.h"

/*
 * vault: one module with its tokens logged in, its keys found and its sessions
 * open.  The sessions stand in lanes: a lane has one session on every token
 * and belongs to one thread.
 */
struct vault; /* opaque */

struct vault_settings {
	const char *module;   /* path */
	const char *pin_file; /* read at each login */
	uint32_t sessions;    /* lanes wanted, 1..WORKER_SESSIONS_MAX */
	bool session_copies;  /* sign with copies of the keys, see copy.h */
	const char *token;    /* URI of the token whose new keys may be found;
				 NULL or empty: none */
	size_t nkeys;	      /* ..WORKER_KEYS_MAX; 0: TOKEN is set */
	const struct worker_key_settings *key;
};

/* Failures in a row, over all lanes, that end the process. */
enum { VAULT_FAILURES_MAX = 5 };

/*
 * Load the module, log in, find the keys, open the lanes: as many as the
 * tokens allow, at least one (fewer than wanted are logged).  W watches the
 * calling thread.  One vault a process.
 * Owns: *OUT is the caller's; vault_close().  The strings and keys of
 * SETTINGS must outlive it.
 * Errors, all logged: SG_CONFIG, SG_NOT_FOUND, SG_BAD_KEY (somebody must act),
 * SG_TOKEN_DOWN, SG_BUSY (not one session; both may pass), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err vault_open(const struct vault_settings *settings,
				   struct watch *w, struct vault **out);

/* Log out, close all sessions, finalise the module.  No lane is in use. */
void vault_close(struct vault *v, struct watch *w);

uint32_t vault_lanes(const struct vault *v);
/* Grows when a key is found.  Of them are of the settings, in their order. */
size_t vault_keys(const struct vault *v);
size_t vault_configured(const struct vault *v);
/* Key NUMBER < vault_keys(). */
const struct key *vault_key(const struct vault *v, size_t number);
/* Is there a key NUMBER, and is it one beside which an anchor may be kept: the
 * ledger's, of EdDSA? */
bool vault_has_anchor(const struct vault *v, size_t number);
/* What is signed next in LANE is for the request NAME, LINE (as in WIRE_SIGN):
 * for the log. */
void vault_serves(struct vault *v, uint32_t lane, uint64_t name, uint32_t line);
/* The watch of the thread that uses LANE. */
struct watch *vault_watch(struct vault *v, uint32_t lane);

/*
 * Sign TBS by key NUMBER in LANE.  A failure that may pass, and anything that
 * a new session can mend, is tried once more on one; what a key's copy cannot
 * do is tried with the key itself.  Counts the metrics.
 * Errors: SG_INTERNAL: this job has failed, OUT->rv says why; SG_TOKEN_DOWN:
 * this process cannot sign any more and must end.
 * One thread per lane.
 */
SG_MUST_USE enum sg_err vault_sign(struct vault *v, uint32_t lane,
				   size_t number, struct span tbs,
				   struct signature *out);

/*
 * Replace the anchor of key NUMBER, which has one (vault_has_anchor()), by
 * VALUE unless that is empty, and read it: see anchor.h.  Failures are mended
 * as those of vault_sign(). Errors: as vault_sign(). One thread per lane.
 */
SG_MUST_USE enum sg_err vault_anchor(struct vault *v, uint32_t lane,
				     size_t number, struct span value,
				     struct anchor *out);

/*
 * Find the key for ALG whose CKA_LABEL is LABEL on the token for new keys,
 * check it as key_find() does, and make it a key of this vault, with a session
 * copy where the keys have such; *NUMBER gets its number, by which any lane may
 * use it from then on.  A label that has a number gets the same again, with a
 * fresh handle.  A session that was lost is renewed as in vault_sign().  When
 * the key is destroyed later, its number only answers failures. Errors:
 * SG_NOT_FOUND (there is none, none that may be used, or no token for such
 * keys; logged now and then), SG_TOO_BIG (no number is left, which a fresh
 * process mends: numbers are used once); SG_TOKEN_DOWN:
 * this process must end. One thread per lane; several lanes may look at a time.
 */
SG_MUST_USE enum sg_err vault_find(struct vault *v, uint32_t lane,
				   struct span label, enum cose_alg alg,
				   size_t *number);

/* One bare attempt, nothing mended, nothing counted: for measurements. */
CK_RV vault_sign_once(struct vault *v, uint32_t lane, size_t number,
		      struct span tbs, struct signature *out);

#endif /* SG_VAULT_H */
