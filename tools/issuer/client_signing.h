/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CLIENT_SIGNING_H
#define SG_TOOLS_CLIENT_SIGNING_H

#include "submit.h"

/*
 * client_signing: requests that the client signs (--sign-with), as
 * policy/README.md has them: what is sent in place of a request is
 * {"signed": COSE_Sign1 in base64}.  One thread.
 */
struct client_signing; /* opaque */

/*
 * By --sign-with and --audience of ARGS, for OPERATION ("issue", "validate",
 * "renew"; static); *OUT is NULL where nothing is to be signed.
 * Owns: *OUT is the caller's; client_signing_close().
 * Errors: SG_CONFIG, SG_NO_MEMORY, with WHY (WHY_MAX bytes).
 */
SG_MUST_USE enum sg_err client_signing_open(const struct args *args,
					    const char *operation,
					    struct client_signing **out,
					    char *why);
void client_signing_close(struct client_signing *s); /* NULL is allowed */

/*
 * *TEXT, a request in JSON, is signed at NOW (seconds since 1970), and becomes
 * what lies in S until the next call.  What is no request stays as it is: the
 * server says what is wrong with it.  The certificate that a renewal brings is
 * signed as its payload.  S NULL: nothing is done.
 * Errors: SG_NO_MEMORY, SG_INTERNAL.
 */
SG_MUST_USE enum sg_err client_signing_sign(struct client_signing *s,
					    int64_t now, struct span *text);

#endif /* SG_TOOLS_CLIENT_SIGNING_H */
