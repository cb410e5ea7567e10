/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DOCUMENTS_H
#define SG_DOCUMENTS_H

#include "keyring.h"

/*
 * documents: the answers to WIRE_ASK, in deterministic CBOR.  Pure.
 */

/* GET /v1/keys: {"keys": [{"alg", "kid" (bytes), "kinds": ["v", ...], "label",
 * "state", "country"?, "not_after", "not_before", "certificate" (DER bytes)}]}
 * for every key that has its certificate and has been published.  *LEN is the
 * bytes needed, also on SG_TOO_BIG. */
SG_MUST_USE enum sg_err documents_keys(const struct keyring *k, uint8_t *out,
				       size_t cap, size_t *len);

/* What they tell of, beside the policy. */
struct documents_facts {
	const struct keyring *keys;
	const struct policy_usage *usage; /* of the client; NULL: not known */
};

/*
 * The answer to QUESTION (enum wire_question) of client C under policy P, by
 * the facts F.
 * Owns: *OUT is the caller's; free() it.  Errors: SG_FORBIDDEN (C may not
 * audit), SG_NOT_FOUND (WIRE_ASK_PROOF: proofs.h), SG_NO_MEMORY, SG_TOO_BIG
 * (beyond what fits a packet).
 */
SG_MUST_USE enum sg_err documents_answer(uint8_t question,
					 const struct policy *p,
					 const struct client *c,
					 const struct documents_facts *f,
					 uint8_t **out, size_t *len);

#endif /* SG_DOCUMENTS_H */
