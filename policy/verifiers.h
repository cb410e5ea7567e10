/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_VERIFIERS_H
#define SG_VERIFIERS_H

#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"

/*
 * verifiers: the public keys that the policy knows somebody by, several while
 * it changes from one to the next.
 */
enum {
	VERIFIERS_MAX = 8,
	VERIFIER_SPKI_MAX = 768, /* bytes of DER; RSA-4096 has 550 */
	VERIFIER_KID_BYTES = COSE_KID_BYTES
};

struct verifier {
	uint8_t kid[VERIFIER_KID_BYTES];
	struct cose_key *key;
};

struct verifiers {
	size_t n;
	struct verifier key[VERIFIERS_MAX];
};

/* The id of a key: the first bytes of the SHA-256 of its SubjectPublicKeyInfo
 * in DER.  Allocates.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err verifier_kid(struct span spki,
				     uint8_t out[VERIFIER_KID_BYTES]);

/*
 * Add the key in TEXT to V, which has room: a SubjectPublicKeyInfo as base64 of
 * its DER, or as PEM (RFC 7468), with or without line breaks.
 * Owns: V has it; verifiers_clear().
 * Errors: SG_MALFORMED (not a public key so written), SG_BAD_KEY (weak, or for
 * none of ES256, PS256, EdDSA), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err verifiers_add(struct verifiers *v, struct span text);
void verifiers_clear(struct verifiers *v);
/* What a text must be that verifiers_add() refused with ERR; static. */
const char *verifiers_wanted(enum sg_err err);

/* The key of that id; NULL: V has none. */
const struct verifier *verifiers_find(const struct verifiers *v,
				      struct span kid);

#endif /* SG_VERIFIERS_H */
