/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_VALIDITY_H
#define SG_VALIDITY_H

#include "client.h"
#include "rule.h"

/*
 * validity: how long a certificate is to be valid.  No longer than the client
 * may ask for, not over already, and within its signer's certificate
 * (hcert-spec s. 3.3: exp is not after the DSC's notAfter, iat not before its
 * notBefore).  Times are seconds since 1970.
 */

/* The expiry to be signed: what D asks for, else NOW and the client's validity
 * for D's kind.  Saturates. */
int64_t validity_exp(const struct client *c, const struct document *d,
		     int64_t now);
void validity_judge(const struct rule_context *x, struct verdict *v);

#endif /* SG_VALIDITY_H */
