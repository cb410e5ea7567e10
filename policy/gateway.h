/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_GATEWAY_H
#define SG_GATEWAY_H

#include "attestation.h"
#include "verifiers.h"

/*
 * gateway: a population database's gateway as the policy knows it.
 */
enum {
	GATEWAYS_MAX = 32,
	/* Seconds that a gateway's clock may be ahead of ours. */
	GATEWAY_SKEW_S = 60
};

struct gateway {
	const char *name;
	int64_t max_age_s;     /* of its attestations */
	struct digest *digest; /* borrowed */
	struct verifiers keys;
};

/*
 * Verify A's signature by KEY.  OpenSSL allocates inside, and frees it again.
 * Costs about 45 us for ES256, 15 for PS256 (RSA-2048), 65 for EdDSA.
 * One thread at a time for one KEY.
 * Errors: SG_BAD_SIGNATURE, SG_BAD_KEY (the algorithm is another one),
 * SG_NO_MEMORY (it could not be found out).
 */
SG_MUST_USE enum sg_err gateway_verify(const struct verifier *key,
				       const struct attestation *a);

#endif /* SG_GATEWAY_H */
