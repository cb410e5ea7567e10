/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CERTLOGIC_LOAD_H
#define SG_CERTLOGIC_LOAD_H

#include "base/err.h"

/*
 * certlogic_load: from a CertLogic expression (EU DCC, specification 1.3.3) in
 * JSON to a program, which is immutable.  An expression is checked whole before
 * anything is evaluated, and refused when it is deep or huge.
 */
struct json_t; /* of jansson */
struct certlogic;

enum {
	CERTLOGIC_DEPTH_MAX = 32,   /* levels of operations and arrays */
	CERTLOGIC_NODES_MAX = 4096, /* operations, literals, array items */
	CERTLOGIC_PATH_MAX = 160    /* bytes of a place told; cut beyond */
};

/* Who is told what is wrong: WHY, the place as "if[1].and[0]", and the part of
 * the expression that is there. */
struct certlogic_listener {
	void (*tell)(void *ctx, const char *place, struct json_t *expression,
		     const char *why);
	void *ctx;
};

/*
 * Owns: *OUT is the caller's, certlogic_free(); EXPRESSION is not needed on.
 * Errors: SG_MALFORMED, LISTENER has been told each fault; SG_TOO_BIG, told,
 * too; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err certlogic_load(
	struct json_t *expression, const struct certlogic_listener *listener,
	struct certlogic **out);
void certlogic_free(struct certlogic *c); /* NULL is allowed */

#endif /* SG_CERTLOGIC_LOAD_H */
