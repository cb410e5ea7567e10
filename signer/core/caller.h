/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CALLER_H
#define SG_CALLER_H

#include "policy/policy.h"

/* caller: which client of the policy is at the other end of a front's
 * connection. */

/* Safe details of a SG_FORBIDDEN, in a problem. */
#define CALLER_UNKNOWN "no client in the policy has this certificate"
#define CALLER_MAY_NOT_AUDIT "the policy does not allow this client to audit"
#define CALLER_NO_OFFICER                                                      \
	"the policy does not allow this client what is for officers"

/*
 * Pure.
 * Find the client of P that IDENTITY (base/identity.h, encoded) is.
 * Errors: SG_FORBIDDEN (none); SG_MALFORMED (no identity at all: the front
 * makes no sense).
 */
SG_MUST_USE enum sg_err caller_find(const struct policy *p,
				    struct span identity,
				    const struct client **out);

/* The same details in LANGUAGE (enum wire_language): there is no such client;
 * CLIENT_ISSUE, _VALIDATE or _RENEW is not what it may do.  Static. */
const char *caller_unknown(uint8_t language);
const char *caller_may_not(enum client_operation operation, uint8_t language);

/* Log that IDENTITY, or CLIENT's OPERATION ("issue"), is nobody's or not
 * allowed: a few times a second; the rest is counted.  NAME is the request's,
 * as in WIRE_ISSUE.  Loop thread only. */
void caller_log_unknown(struct span identity, uint64_t name);
void caller_log_forbidden(const struct client *client, const char *operation,
			  uint64_t name);

#endif /* SG_CALLER_H */
