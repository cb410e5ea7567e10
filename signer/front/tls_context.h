/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TLS_CONTEXT_H
#define SG_TLS_CONTEXT_H

#include "front/tls.h"
#include "front/tls_crls.h"
#include "front/tls_floor.h"

/* The inside of a struct tls_context, for tls_context.c and tls.c alone. */
struct tls_context {
	SSL_CTX *ssl;
	X509_STORE *store;	 /* client CAs and CRLs */
	STACK_OF(X509) * cas;	 /* the CAs once more, in order */
	struct tls_floor *floor; /* the store's */
	struct tls_times times;
	struct tls_crls crls;
	char ocsp_fault[TLS_REASON_BYTES]; /* empty: none */
	bool ocsp_revoked;		   /* it is that */
	bool hsm_key;			   /* the private key is in an HSM */
	bool crl_foreign, crl_ours; /* there is one of no, of some client CA */
};

/* The handshake of SSL refuses LEAF: keep its fingerprint, and REASON, where
 * OpenSSL's text says too little (else NULL) (tls.c). */
void tls_note_refused(SSL *ssl, X509 *leaf, const char *reason);

#endif /* SG_TLS_CONTEXT_H */
