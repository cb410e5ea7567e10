/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CARD_H
#define SG_TOOLS_CARD_H

#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"

/*
 * card: an officer's key on a smart card, or on any token with a PKCS #11
 * module, by a URI (RFC 7512).  One thread, one card a process.
 */
struct card; /* opaque */

struct card_wanted {
	const char *uri;
	const char *module;   /* path; NULL: the URI's module-path */
	const char *pin_file; /* NULL: the URI's pin-source, or the terminal */
};

/*
 * Load the module, find the token, log in, find the key and its public half
 * (*SPKI, DER: of the public key object, or of the certificate with its id).
 * Owns: *OUT: card_close(); SPKI->p: OPENSSL_free().
 * Errors, with WHY: SG_CONFIG (the URI, the module), SG_NOT_FOUND (the token,
 * the key, its public half), SG_TOKEN_DOWN, SG_BAD_KEY, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err card_open(const struct card_wanted *wanted,
				  struct card **out, struct span *spki,
				  char *why, size_t cap);
void card_close(struct card *c); /* NULL is allowed */
/* A signature in COSE form. */
struct card_signature {
	size_t n;
	uint8_t bytes[COSE_SIG_MAX];
};

/* Sign MESSAGE by ALG.  Errors, with WHY: SG_TOKEN_DOWN. */
SG_MUST_USE enum sg_err card_sign(struct card *c, enum cose_alg alg,
				  struct span message,
				  struct card_signature *out, char *why,
				  size_t cap);

#endif /* SG_TOOLS_CARD_H */
