/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_REQUEST_H
#define SG_TOOLS_REQUEST_H

#include "base/err.h"
#include "base/span.h"

/*
 * request: the JSON body {"dcc": ..., "exp"?, "id"?,
 * "attestation"?} of a request from what a
 * user has in a file: such a request, or a bare payload.  The file's own text
 * goes to the server byte for byte (so that the server, not this tool, judges
 * duplicate keys and number forms); members are only added around it.
 */
struct request_extra {
	const char *exp;	 /* a time as times_parse() reads it, or NULL */
	const char *id;		 /* or NULL */
	const char *attestation; /* base64, or NULL */
};

/*
 * Owns: *OUT is the caller's; free().
 * Errors: SG_MALFORMED (not a JSON object, or EXTRA cannot be added), SG_CONFIG
 * (EXTRA is wrong), SG_NO_MEMORY; WHY (CAP bytes) says what.
 */
SG_MUST_USE enum sg_err request_build(struct span file,
				      const struct request_extra *extra,
				      char **out, size_t *n, char *why,
				      size_t cap);

#endif /* SG_TOOLS_REQUEST_H */
