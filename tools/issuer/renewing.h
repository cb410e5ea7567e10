/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_RENEWING_H
#define SG_TOOLS_RENEWING_H

#include "base/err.h"
#include "base/span.h"

/*
 * renewing: a line of the file that "renew" is given as a request: it is one
 * already ({"hcert": ...} or {"dcc": ...}), or it is an answer, as bulk and
 * renew write them, whose certificate is to be renewed.
 */
struct renewing {
	char *text; /* of a request made here */
	size_t cap;
};

/*
 * *REQUEST is what to send for LINE: LINE itself, or what lies in R until the
 * next call.  A line that is a problem has nothing to renew: *LOCAL is its
 * answer (static), else empty.
 * Errors: SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err renewing_request(struct renewing *r, struct span line,
					 struct span *request,
					 struct span *local);
void renewing_clear(struct renewing *r);

#endif /* SG_TOOLS_RENEWING_H */
