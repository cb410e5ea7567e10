/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CLIENT_SIGNATURE_H
#define SG_CLIENT_SIGNATURE_H

#include "policy.h"

/*
 * client_signature: did the client itself sign what a front brings in its
 * name?  Never switchable.
 */

/*
 * Hold Q->signature against the keys of Q->client.  *SIGNED_AT becomes when it
 * was signed (seconds since 1970), INT64_MAX without a good signature.  Adds
 * one violation to V, at the whole request, where there is no signature and has
 * to be one (signature-missing), where it is by no key of the client or for
 * anything else (signature-invalid), or too old (signature-stale).  A signature
 * costs what cose_key_verify() does: some 45 us for ES256, 15 for PS256
 * (RSA-2048), 65 for EdDSA; OpenSSL allocates inside, and frees it again. One
 * thread at a time for one policy.
 * Errors: SG_NO_MEMORY, SG_INTERNAL: whose it is could not be found out, which
 * is no fault of the client's; V is as it was.
 */
SG_MUST_USE enum sg_err client_signature_judge(const struct policy_question *q,
					       struct verdict *v,
					       int64_t *signed_at);

#endif /* SG_CLIENT_SIGNATURE_H */
