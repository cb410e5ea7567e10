/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_COPY_H
#define SG_COPY_H

#include <p11-kit/pkcs11.h>

#include "key.h"
#include "token.h"
#include "watch.h"

/*
 * copy: copies of a token's keys that live in the process's memory of the
 * module alone (CKA_TOKEN false), with which some modules sign faster than with
 * the token's own.  A copy dies with the session that made it: the token's
 * keeper, which does nothing else, so that all other sessions may come and go.
 * The caller has the token's lock alone, or is its only thread.
 */
enum {
	/* A copy signs only so long after its key was last seen on the token,
	 * where another process may have destroyed it. */
	COPY_TRUST_US = 1000 * 1000
};

/*
 * Open a keeper for T, in place of the one there is, and copy those of the N
 * KEYS that are on T; their handles are good and the token is logged in.  A
 * key whose copy the module refuses, or whose copy could be read where the key
 * cannot, goes on under its own handle, which is logged.
 */
void copy_make(struct token *t, struct key *keys, size_t n, struct watch *w);

/* Copy KEY, which was found on T since its keeper was opened.  Without a keeper
 * nothing happens. */
void copy_add(struct key *key, struct watch *w);

/* RV is what KEY's copy has failed with: back to the key's own handle, until
 * copies are made anew.  Without a copy nothing happens. */
void copy_give_up(struct key *key, CK_RV rv, struct watch *w);

/* Close T's keeper, and with it all copies.  Without one nothing happens. */
void copy_end(struct token *t);

/*
 * Is KEY, which has a copy, still on its token and still for signing, at
 * NOW_US?  Asks the token when the last answer is older than COPY_TRUST_US.
 * The token's lock may be shared.  Returns CKR_OK, or what to fail with.
 */
CK_RV copy_allowed(struct key *key, CK_SESSION_HANDLE session, uint64_t now_us);

#endif /* SG_COPY_H */
