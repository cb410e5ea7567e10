/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ATTESTED_H
#define SG_ATTESTED_H

#include "client.h"
#include "rule.h"

/*
 * attested: has a gateway attested that the certificate is for a person of
 * the population database, and this very certificate, and lately?  For clients
 * that the policy names gateways for; for others an attestation says nothing,
 * since nobody is there to have signed it.  Never switchable.
 * A renewal may
 * come without: whether what it renews was attested is on record (the core's).
 *
 * Of an attestation that is not well-formed, or not signed by one of the
 * client's gateways, nothing is believed and nothing else told.  The cost is
 * that of gateway_verify(), which comes after all that is cheaper.  Where it
 * could not be verified, V has failed, and says nothing of it.
 */
void attested_judge(const struct rule_context *x, struct verdict *v);

/* What goes on record of X's document, once it is accepted: the attestation's
 * bytes, which have been verified; empty where they are not looked at, or there
 * is none. */
struct span attested_evidence(const struct rule_context *x);

#endif /* SG_ATTESTED_H */
