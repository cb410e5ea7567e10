/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SERVER_KEY_H
#define SG_SERVER_KEY_H

#include "front/front_state.h"

/*
 * server_key: does the server's certificate fit the key in the HSM, where its
 * private key is in one?  The core tells what the HSM shows.  A front whose
 * certificate is of another key could let nobody in: it would only take
 * connections away from those that have the right one, so it ends before it
 * has opened its door.  One whose key was right before stays, for those who are
 * in.  Loop thread only.
 */

/* The certificate is known to be of the key, in the HSM or beside it. */
bool server_key_fits(const struct front *f);
/* The core says SPKI (DER) of the HSM's key; empty: it does not know. */
void server_key_told(struct front *f, struct span spki);
/* f->tls is another one. */
void server_key_renewed(struct front *f);
/* Is it time for the door to open?  The key fits, or nobody has said for
 * SERVER_KEY_WAIT_MS which it is: with no HSM there is nothing to wait for, and
 * clients shall hear of it. */
enum { SERVER_KEY_WAIT_MS = 5000 };
bool server_key_opens(const struct front *f);
/* Why nobody can come in: text for the log and the probes; NULL: it fits, as
 * far as is known. */
const char *server_key_fault(const struct front *f);
/* Is the certificate of TLS, which shall come into force, of another key?  Then
 * that one would fit no more. */
struct tls_context;
bool server_key_is_other(const struct front *f, const struct tls_context *tls);
void server_key_forget(struct front *f);

#endif /* SG_SERVER_KEY_H */
