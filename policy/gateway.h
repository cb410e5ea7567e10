/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_GATEWAY_H
#define SG_GATEWAY_H

#include "attestation.h"

/*
 * gateway: a population database's gateway as the policy knows it: the keys
 * that its attestations are verified with, several while it changes from one to
 * the next.
 */
enum {
	GATEWAYS_MAX = 32,
	GATEWAY_KEYS_MAX = 8,
	GATEWAY_SPKI_MAX = 768, /* bytes of DER; RSA-4096 has 550 */
	/* Seconds that a gateway's clock may be ahead of ours. */
	GATEWAY_SKEW_S = 60
};

struct gateway_key {
	uint8_t kid[ATTESTATION_KID_BYTES];
	struct cose_key *key;
};

struct gateway {
	const char *name;
	int64_t max_age_s;     /* of its attestations */
	struct digest *digest; /* borrowed */
	size_t n;
	struct gateway_key key[GATEWAY_KEYS_MAX];
};

/*
 * Add the key in TEXT to G, which has room: a SubjectPublicKeyInfo as base64 of
 * its DER, or as PEM (RFC 7468), with or without line breaks.
 * Owns: G->key has it; gateway_clear().
 * Errors: SG_MALFORMED (not a public key so written), SG_BAD_KEY (weak, or for
 * none of ES256, PS256, EdDSA), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err gateway_add_key(struct gateway *g, struct span text);
void gateway_clear(struct gateway *g);

/* The key of that id; NULL: G has none. */
const struct gateway_key *gateway_find(const struct gateway *g,
				       struct span kid);

/*
 * Verify A's signature by KEY.  OpenSSL allocates inside, and frees it again.
 * Costs about 45 us for ES256, 15 for PS256 (RSA-2048), 65 for EdDSA.
 * One thread at a time for one KEY.
 * Errors: SG_BAD_SIGNATURE, SG_BAD_KEY (the algorithm is another one),
 * SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err gateway_verify(const struct gateway_key *key,
				       const struct attestation *a);

#endif /* SG_GATEWAY_H */
