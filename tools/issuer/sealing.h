/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SEALING_H
#define SG_TOOLS_SEALING_H

#include "policy/attestation.h"
#include "tools/common/signing_key.h"

/*
 * sealing: what a gateway does: it takes a person's national ID for an opaque
 * reference, and signs what it attests.  One thread.
 */
enum { SEALING_REFERENCE_BYTES = 32, SEALING_HMAC_KEY_MIN = 16 };

/* HMAC-SHA-256 of ID by KEY (SEALING_HMAC_KEY_MIN bytes or more).  Errors:
 * SG_BAD_KEY (too short), SG_INTERNAL. */
SG_MUST_USE enum sg_err sealing_reference(struct span key, struct span id,
					  uint8_t out[SEALING_REFERENCE_BYTES]);

/* The attestation of CLAIMS, signed.  Errors: SG_TOO_BIG, SG_MALFORMED (what
 * no reader takes), SG_INTERNAL. */
SG_MUST_USE enum sg_err sealing_seal(const struct signing_key *key,
				     const struct attestation_claims *claims,
				     uint8_t out[ATTESTATION_BYTES_MAX],
				     size_t *n);

#endif /* SG_TOOLS_SEALING_H */
