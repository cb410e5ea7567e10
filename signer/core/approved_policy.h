/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CORE_APPROVED_POLICY_H
#define SG_CORE_APPROVED_POLICY_H

#include <stdint.h>

#include "base/err.h"

/*
 * approved_policy: which policy the officers have approved, for whoever looks
 * at a state directory without being the core, also beside one that runs: only
 * reads, and logs nothing.  Their signatures are not verified here; the core
 * does so at its start, and holds all of it against the ledger.
 */
enum { APPROVED_POLICY_BYTES = 32 }; /* SHA-256 of its text */

enum approved_policy {
	APPROVED_POLICY_FREE,	/* policies need no approval */
	APPROVED_POLICY_SAME,	/* this is the approved one */
	APPROVED_POLICY_BEFORE, /* approved once, and another one after it */
	APPROVED_POLICY_OTHER	/* never approved */
};

/*
 * What STATE/operations says of the policy of HASH.  NEWEST gets the hash of
 * the approved one, where approval is needed.  Blocks; allocates.
 * Errors: SG_NOT_FOUND (there is no operation), SG_IO (errno says why),
 * SG_MALFORMED (one of them is damaged), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err approved_policy_ask(
	const char *state, const uint8_t hash[APPROVED_POLICY_BYTES],
	enum approved_policy *out, uint8_t newest[APPROVED_POLICY_BYTES]);

#endif /* SG_CORE_APPROVED_POLICY_H */
