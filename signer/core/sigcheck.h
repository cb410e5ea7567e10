/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SIGCHECK_H
#define SG_SIGCHECK_H

#include "keyring.h"

/*
 * sigcheck: the digest that goes to the HSM, and whether what comes back is
 * verified: RSA always (it costs 18 us against 830 for signing), the ledger's
 * key always (the public sees it at once), other ECDSA and EdDSA one in N; and
 * everything by a key for a while after something went wrong with it.  Loop
 * thread only.
 */
struct sigcheck; /* opaque */

/* Owns: *OUT is the caller's; sigcheck_free().
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err sigcheck_create(const struct core_settings *settings,
					struct sigcheck **out);
/* Use the rates of SETTINGS from now on. */
void sigcheck_rates(struct sigcheck *s, const struct core_settings *settings);

/* SHA-256 of MESSAGE.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err sigcheck_digest(struct sigcheck *s, struct span message,
					uint8_t out[32]);
/* Something went wrong with a key at NOW_US: until when everything by it is to
 * be verified. */
uint64_t sigcheck_alarm(const struct sigcheck *s, uint64_t now_us);
/*
 * May SIGNATURE by KEY over MESSAGE be released?  The length is checked
 * always; the signature if it is its turn, or ALWAYS.
 * Errors: SG_BAD_SIGNATURE; SG_NO_MEMORY, SG_BAD_KEY (it could not be told).
 */
SG_MUST_USE enum sg_err sigcheck_verify(struct sigcheck *s,
					const struct key *key,
					struct span message,
					struct span signature, bool always);
void sigcheck_free(struct sigcheck *s); /* NULL is allowed */

#endif /* SG_SIGCHECK_H */
