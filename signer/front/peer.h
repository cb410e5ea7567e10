/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PEER_H
#define SG_PEER_H

#include <openssl/x509.h>

#include "base/err.h"
#include "base/identity.h"
#include "base/span.h"

/* peer: who a verified client certificate says it is.  One per connection. */
struct peer {
	int64_t not_after; /* seconds since 1970, the earliest of the chain */
	size_t identity_n;
	uint8_t *identity; /* encoded: base/identity.h */
};

/* Read the leaf CERT (IDENTITY_NAMES_MAX names of type URI and DNS at most;
 * further ones are not identities) with the chain's earliest notAfter.
 * Owns: OUT->identity; peer_clear().  Errors: SG_MALFORMED, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err peer_read(X509 *cert, STACK_OF(X509) * chain,
				  struct peer *out);
void peer_clear(struct peer *p);

#endif /* SG_PEER_H */
