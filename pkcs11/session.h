/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SESSION_H
#define SG_SESSION_H

#include <p11-kit/pkcs11.h>

#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"
#include "key.h"
#include "token.h"
#include "watch.h"

/*
 * session: one session on one token, by raw calls.  A session belongs to one
 * thread; its token's lock keeps signatures and renewals apart.
 */
struct session {
	struct token *token;
	CK_SESSION_HANDLE handle; /* CK_INVALID_HANDLE: none */
};

/* A signature in COSE form, and how it came to be. */
struct signature {
	CK_RV rv;	   /* of the last attempt */
	bool by_copy;	   /* the key's copy was used */
	uint64_t begun_us; /* CLOCK_MONOTONIC, at C_SignInit */
	uint32_t sign_us;  /* in C_SignInit and C_Sign */
	size_t n;
	uint8_t bytes[COSE_SIG_MAX];
};

/* Open S on TOKEN, read-only unless it keeps an anchor.  Returns the module's
 * value. */
CK_RV session_open(struct session *s, struct token *token, struct watch *w);
/* A session that is not open is allowed. */
void session_close(struct session *s);

/*
 * Sign TBS by KEY, or by its copy if it has one, one attempt: the SHA-256
 * digest for ES256 and PS256, the message for EdDSA.  Sets *OUT, its bytes only
 * on CKR_OK.  A TBS that the mechanism does not take is CKR_DATA_LEN_RANGE, an
 * answer of another length than the key's CKR_SIGNATURE_LEN_RANGE, a key that
 * is gone CKR_KEY_FUNCTION_NOT_PERMITTED.  Returns OUT->rv.
 */
CK_RV session_sign(const struct session *s, struct key *key, struct span tbs,
		   struct signature *out, struct watch *w);

/* What session_renew() needs beside the session. */
struct session_keys {
	_Atomic size_t n; /* grows while threads use it */
	struct key *key; /* of all tokens; those of the session's are renewed */
	const char *pin_file;
	bool copies; /* make them, see copy.h */
};

/*
 * After CAUSE: open S anew, log in if the token asks for it, and find the
 * handles of its keys again, and copy them anew, if they may be void.  A key
 * that was found later, and is not there any more, is marked as gone; one that
 * was gone at the start stays so.
 * Errors, logged: SG_TOKEN_DOWN, SG_CONFIG, as token_login() and
 * key_refresh(): the process must end.
 */
SG_MUST_USE enum sg_err session_renew(struct session *s, CK_RV cause,
				      const struct session_keys *keys,
				      struct watch *w);

/* Find the handle of KEY, of S's token, again; the caller has the lock alone.
 * One that was found later and is not there any more, or not as it was, is
 * marked as gone, which is no error.  Errors: as key_refresh(). */
SG_MUST_USE enum sg_err session_refresh_key(const struct session *s,
					    struct key *key, struct watch *w);

/* KEY's copy has failed with CAUSE: no more of it, as copy_give_up(). */
void session_give_up_copy(const struct session *s, struct key *key, CK_RV cause,
			  struct watch *w);

#endif /* SG_SESSION_H */
