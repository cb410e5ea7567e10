/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CALLER_H
#define SG_CALLER_H

#include "policy/policy.h"

/* caller: which client of the policy is at the other end of a front's
 * connection.  Pure. */

/* Safe details of a SG_FORBIDDEN, in a problem. */
#define CALLER_UNKNOWN "no client in the policy has this certificate"
#define CALLER_MAY_NOT "the policy does not allow this client to do this"

/*
 * Find the client of P that IDENTITY (base/identity.h, encoded) is.
 * Errors: SG_FORBIDDEN (none); SG_MALFORMED (no identity at all: the front
 * makes no sense).
 */
SG_MUST_USE enum sg_err caller_find(const struct policy *p,
				    struct span identity,
				    const struct client **out);

#endif /* SG_CALLER_H */
