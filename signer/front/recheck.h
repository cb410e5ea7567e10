/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RECHECK_H
#define SG_RECHECK_H

#include "front/connection.h"

/*
 * recheck: is the client of an open connection still one?  After a reload its
 * certificate is verified again, after a reload or a new policy the core is
 * asked.  Thousands of connections are walked a few at a time; one that sends
 * before its turn is verified then.  Loop thread only.
 */
struct recheck; /* opaque */

SG_MUST_USE enum sg_err recheck_create(struct recheck **out);
/* f->tls is another one. */
void recheck_reloaded(struct front *f);
/* The policy is another one. */
void recheck_policy(struct front *f);
/* Verify C's certificate if a reload came since; connection_finish() if it is
 * no longer good. */
void recheck_client(struct connection *c);
/* C goes away. */
void recheck_forget(struct connection *c);
/* A part of the walk.  True: there is more to do at once. */
bool recheck_step(struct front *f);
/* Once a second: go on with what the core did not answer, and finish the
 * connections whose certificate has run out. */
void recheck_second(struct front *f);
/* No connection is left. */
void recheck_free(struct recheck *r);

#endif /* SG_RECHECK_H */
