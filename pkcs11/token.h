/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOKEN_H
#define SG_TOKEN_H

#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "module.h"
#include "uri.h"
#include "watch.h"

/*
 * token: one token of a module: how it is found, what libp11 reads from it at
 * start, and its login, which all sessions of the process share.
 */
enum { TOKEN_ID_MAX = 64, TOKEN_LABEL_MAX = 256, TOKENS_MAX = 8 };

/* A certificate on the token, as libp11 read it. */
struct token_certificate {
	size_t nid;
	uint8_t id[TOKEN_ID_MAX];    /* CKA_ID */
	char label[TOKEN_LABEL_MAX]; /* CKA_LABEL */
	struct span der;	     /* owned */
};

struct token {
	const struct module *module;
	CK_SLOT_ID slot;
	char label[33]; /* without its padding */
	bool login;	/* private objects need C_Login */
	bool writes; /* it keeps an anchor: its lanes' sessions are read-write
		      */
	CK_SESSION_HANDLE keeper; /* of copy.h; under the lock */
	/*
	 * Signatures hold it shared, a renewed session or login holds it
	 * alone: key handles die with a login, and a module may give their
	 * numbers to other keys.
	 */
	pthread_rwlock_t lock;
	size_t ncertificates;
	struct token_certificate *certificate;
};

/* The tokens that a set of URIs names, each once. */
struct token_set {
	size_t n;
	struct token *token[TOKENS_MAX];
};

/*
 * Find the token of each of the N URIS among the module's slots, by libp11,
 * and read the certificates on them.  WHICH[i] becomes the index in *OUT of the
 * token of URIS[i].  To be called before any session of ours is open: libp11
 * closes all sessions on its way out.  Keys are left to key_find(), by raw
 * calls: libp11 0.4.12 fails for a whole token that holds an Ed25519 key, and
 * loses memory with every public key that it makes.
 * Owns: the tokens of *OUT are the caller's; token_set_free(), also after an
 * error.
 * Errors, all logged: SG_NOT_FOUND (no token fits a URI), SG_CONFIG (several
 * do, or more than TOKENS_MAX are named), SG_BUSY (a token has no session to
 * spare), SG_TOKEN_DOWN, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err token_find(const struct module *m,
				   struct uri *const *uris, size_t n,
				   struct token_set *out, size_t *which,
				   struct watch *w);
void token_set_free(struct token_set *set);

/*
 * Log in by SESSION, with the PIN read from PIN_FILE for this one call.  A
 * login that is there already is a success.  Does nothing where the token
 * needs none.  Refuses to spend the last try before the token locks the PIN.
 * Errors, logged: SG_PIN_REFUSED (wrong, expired, locked, or one try short of
 * it), SG_CONFIG (unreadable), SG_TOKEN_DOWN.
 */
SG_MUST_USE enum sg_err token_login(const struct token *t,
				    CK_SESSION_HANDLE session,
				    const char *pin_file, struct watch *w);

#endif /* SG_TOKEN_H */
