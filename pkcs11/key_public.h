/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_KEY_PUBLIC_H
#define SG_KEY_PUBLIC_H

#include "key.h"

/*
 * key_public: the public half of a key on the same token: its public key by raw
 * calls, its certificate from what libp11 read at start, or by raw calls on
 * tokens that show certificates only after the login.
 */

/* Set KEY's spki and certificate, each as far as there is one that fits.  A
 * certificate of another key under the same id is left out and logged. */
void key_public_find(struct key *key, CK_SESSION_HANDLE session);

/* The public key OBJECT of a key for ALG on T, in DER.  Owns: *OUT is the
 * caller's, OPENSSL_free().  Errors: SG_BAD_KEY, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err key_public_read(const struct token *t,
					CK_SESSION_HANDLE session,
					CK_OBJECT_HANDLE object,
					enum cose_alg alg, struct span *out);

#endif /* SG_KEY_PUBLIC_H */
