/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TLS_KEY_H
#define SG_TLS_KEY_H

#include <openssl/x509.h>

#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"
#include "ipc/wire.h"

/*
 * tls_key: the server's private key where it is in an HSM, as OpenSSL sees it:
 * a key of a provider of our own, that knows the public half alone.  OpenSSL
 * asks it to sign from inside of a handshake, which pauses there (an ASYNC_JOB)
 * until the answer is brought; what is signed is the content of RFC 8446
 * section 4.4.3, whole, so that the core can see what it is.  Loop thread only.
 */
struct tls_key_job {
	enum tls_key_state {
		TLS_KEY_IDLE,
		TLS_KEY_ASKS, /* MESSAGE is to be signed */
		TLS_KEY_HEARD /* SIGNATURE is the answer */
	} state;
	size_t message_n;
	uint8_t message[WIRE_HANDSHAKE_MAX];
	struct span signature; /* COSE form, borrowed; empty: there is none */
	const char *fault;     /* why nothing was signed, static; or NULL */
};

/*
 * Make *OUT, which stands for the private key of CERTIFICATE's public key, to
 * be used by ALG.
 * Owns: *OUT: EVP_PKEY_free().
 * Errors: SG_BAD_KEY (the certificate's key is not for ALG), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err tls_key_create(X509 *certificate, enum cose_alg alg,
				       EVP_PKEY **out);
/* JOB is that of the handshake which goes on now, until the next call; NULL:
 * none does, and nothing can be signed. */
void tls_key_enter(struct tls_key_job *job);

#endif /* SG_TLS_KEY_H */
