/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_KEY_H
#define SG_KEY_H

#include <p11-kit/pkcs11.h>

#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"
#include "token.h"
#include "uri.h"
#include "watch.h"

enum { KEY_LABEL_MAX = 64 }; /* of a key that officers made, with a NUL */

/*
 * key: a private key on its token, with its certificate and public key.
 */
struct key {
	const char *label; /* of the configuration, for the log */
	enum cose_alg alg;
	bool ledger; /* the ledger's: an anchor is kept beside it */
	bool found;  /* made since the process began: it may be gone again */
	bool quiet;  /* what is wrong with it is not logged */
	bool gone;   /* FOUND, and not there any more, or of the configuration
			and not there at the start: under token->lock */
	struct uri *uri; /* owned */
	struct token *token;
	CK_OBJECT_HANDLE handle;  /* under token->lock; dies with a login */
	CK_OBJECT_HANDLE copy;	  /* likewise; CK_INVALID_HANDLE: none */
	_Atomic uint64_t seen_us; /* of copy: when handle was last good */
	size_t sig_bytes;	  /* of each signature by this key */
	size_t nid;
	uint8_t id[TOKEN_ID_MAX]; /* CKA_ID; a refreshed handle has the same */
	struct span certificate;  /* DER, or empty; owned */
	struct span spki;	  /* DER, or empty; owned */
};

/* A label of a key that officers have made: 1 to 63 letters, digits, '.', '_'
 * and '-'?  Pure. */
bool key_label_is_good(struct span label);

/*
 * Find KEY's private key by its URI, check that it may be used for its
 * algorithm, warn in the log where it could leave the token, and find its
 * certificate and public key (the same CKA_ID; or, without one, the same
 * CKA_LABEL).  Of several certificates of the key the newest counts.  LABEL,
 * ALG, URI and TOKEN are set by the caller; SESSION is logged in.
 * Errors, all logged: SG_NOT_FOUND, SG_CONFIG (several fit), SG_BAD_KEY (of
 * another type, or not for signing), SG_TOKEN_DOWN.
 */
SG_MUST_USE enum sg_err key_find(struct key *key, CK_SESSION_HANDLE session,
				 struct watch *w);

/* Find the handle again, after a login has made it void: the same object by
 * URI and CKA_ID.  Holds no lock.  Errors: as key_find(). */
SG_MUST_USE enum sg_err key_refresh(struct key *key, CK_SESSION_HANDLE session);

/* Release what KEY owns. */
void key_drop(struct key *key);

#endif /* SG_KEY_H */
