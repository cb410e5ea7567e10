/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TLS_OCSP_H
#define SG_TLS_OCSP_H

#include "front/tls.h"

/*
 * tls_ocsp: what the CA's responder says of our own certificate, stapled to
 * the handshakes of clients that ask for it.  A front has no way out, so
 * somebody else fetches it; here it is a file, and checked.
 */

/*
 * Have SSL, which has its certificate and chain, staple the response in PATH
 * (DER) until its nextUpdate.  The certificate's issuer is looked for in the
 * chain, and among CAS.  One that is not of this certificate, not signed by
 * its issuer or for it, not "good" or not of now is not taken.
 * *NEXT_UPDATE gets the end in seconds since 1970.
 * Errors with REASON (safe for the log): SG_REFUSED: it says that the
 * certificate is revoked; SG_CONFIG: it is no good otherwise; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err tls_ocsp_use(SSL_CTX *ssl, STACK_OF(X509) * cas,
				     const char *path, int64_t *next_update,
				     char reason[TLS_REASON_BYTES]);

/* Have SSL staple what FROM does, if that is for the same certificate and not
 * over: 0, or until when.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err tls_ocsp_keep(SSL_CTX *ssl, const SSL_CTX *from,
				      int64_t *next_update);

#endif /* SG_TLS_OCSP_H */
