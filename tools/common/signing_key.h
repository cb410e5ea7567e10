/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SIGNING_KEY_H
#define SG_TOOLS_SIGNING_KEY_H

#include "policy/verifiers.h"

/* signing_key: a private key in a file, which signs in COSE's form.  One
 * thread. */
struct signing_key; /* opaque */

/*
 * A private key in PEM, without a passphrase.
 * Owns: *OUT is the caller's; signing_key_free().
 * Errors: SG_MALFORMED, SG_BAD_KEY (for none of ES256, PS256, EdDSA),
 * SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err signing_key_read(struct span pem,
					 struct signing_key **out);
void signing_key_free(struct signing_key *key); /* NULL is allowed */
enum cose_alg signing_key_alg(const struct signing_key *key);
/* VERIFIER_KID_BYTES, as the policy's reader numbers its public half. */
const uint8_t *signing_key_kid(const struct signing_key *key);

/* Sign TBS, a Sig_structure: *N bytes (RFC 9053 s. 2.1, 2.2; RFC 8230 s. 2).
 * Errors: SG_INTERNAL. */
SG_MUST_USE enum sg_err signing_key_sign(const struct signing_key *key,
					 struct span tbs,
					 uint8_t out[COSE_SIG_MAX], size_t *n);

#endif /* SG_TOOLS_SIGNING_KEY_H */
