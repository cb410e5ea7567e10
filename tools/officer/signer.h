/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SIGNER_H
#define SG_TOOLS_SIGNER_H

#include <openssl/evp.h>

#include "card.h"
#include "ceremony/roll.h"
#include "officer.h"

/*
 * signer: an officer's own key, in a PEM file or on a smart card: P-256, P-384,
 * RSA or Ed25519.
 */
struct signer {
	struct officer officer;
	EVP_PKEY *pkey;	   /* of a file; else NULL */
	struct card *card; /* else this */
};

struct signer_wanted {
	const char *key;      /* a PEM file, or a PKCS #11 URI */
	const char *name;     /* the officer's */
	const char *module;   /* of a card; NULL: module-path in the URI */
	const char *pin_file; /* NULL: pin-source in the URI, or the terminal */
};

/*
 * A passphrase or PIN is asked for on the terminal.
 * Owns: signer_close().
 * Errors, with WHY: SG_CONFIG, SG_IO, SG_MALFORMED, SG_BAD_KEY, SG_NOT_FOUND,
 * SG_TOKEN_DOWN.
 */
SG_MUST_USE enum sg_err signer_open(const struct signer_wanted *wanted,
				    struct signer *out, char *why, size_t cap);
void signer_close(struct signer *s);
/* Sign MESSAGE.  Errors, with WHY: SG_TOKEN_DOWN, SG_INTERNAL. */
SG_MUST_USE enum sg_err signer_sign(const struct signer *s, struct span message,
				    struct card_signature *out, char *why,
				    size_t cap);

/* The public half of PKEY as the one DER of it that officers' keys have
 * (roll.h), in a fresh buffer: OPENSSL_free().  False: it cannot be written. */
bool signer_spki(const EVP_PKEY *pkey, struct span *out);

#endif /* SG_TOOLS_SIGNER_H */
