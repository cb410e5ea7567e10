/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PROBLEM_H
#define SG_PROBLEM_H

#include "base/err.h"
#include "base/span.h"
#include "doc.h"
#include "ipc/wire.h"

/* problem: why a request has no better answer (RFC 9457).  Pure. */

struct problem {
	enum sg_err err;    /* gives type, title, status and default detail */
	struct span detail; /* UTF-8, for a person; may be empty */
	struct span id;	    /* of the request, echoed; may be empty */
	struct span violations; /* as in ipc/wire.h; may be empty */
	/* Of the title and of the default detail; DETAIL and VIOLATIONS come in
	 * it where whoever wrote them could. */
	enum wire_language language;
};

/*
 * Write P as {"type", "title", "status", "detail", "id"?, "violations"?}.
 * SG_DUPLICATE_KEY brings its own violation, at the empty pointer.
 */
void problem_write(struct doc *d, const struct problem *p);

/* Write LIST (ipc/wire.h), which is not empty, as "KEY": [violation, ...]. */
void problem_violations(struct doc *d, const char *key, struct span list);

#endif /* SG_PROBLEM_H */
