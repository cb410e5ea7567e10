/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TLS_H
#define SG_TLS_H

#include <openssl/ssl.h>

#include "front/bytes.h"
#include "front/front.h"
#include "front/peer.h"

/*
 * tls: the server's half of mutual TLS, between memory and memory.  A client
 * certificate is required and verified; there are no tickets, no resumption,
 * no renegotiation and no compression, so every connection is verified in
 * full.  Loop thread only.
 */
struct tls_context; /* certificate, key, CAs, CRLs: opaque */
struct tls;	    /* one connection: opaque */
struct tls_crls;    /* tls_crls.h */

enum { TLS_REASON_BYTES = 256 };

/*
 * Read the files that S names.
 * Owns: *OUT: tls_context_free().
 * Errors: SG_CONFIG with REASON (safe for the log), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err tls_context_create(const struct front_settings *s,
					   struct tls_context **out,
					   char reason[TLS_REASON_BYTES]);
/* When what was read runs out, seconds since 1970. */
struct tls_times {
	int64_t own;	   /* notAfter of the server's certificate, */
	int64_t own_from;  /* and its notBefore */
	int64_t client_ca; /* the earliest of the client CAs that are valid; 0:
			      none is any more */
	int64_t crl;	   /* the earliest nextUpdate; 0: there is none */
	int64_t crl_from;  /* the latest thisUpdate; 0: there is no CRL */
	int64_t ocsp;	   /* of the response that is stapled; 0: none is */
};

/* CTX's. */
const struct tls_times *tls_context_times(const struct tls_context *ctx);
/* Why the OCSP response is not stapled; NULL: it is, or none is configured.
 * That is no reason to serve nobody.  CTX's, safe for the log. */
const char *tls_context_ocsp_fault(const struct tls_context *ctx);
/* Staple what OLD does, if CTX has none to staple, the certificate is the same
 * and was not said to be revoked: its times say until when. */
void tls_context_keep_ocsp(struct tls_context *ctx,
			   const struct tls_context *old);
/* A CRL is past its nextUpdate: clients of its CA are all refused. */
bool tls_context_crl_expired(const struct tls_context *ctx);
/* What of CTX is not valid yet, with which everybody would be refused: text
 * for the log; NULL: nothing. */
const char *tls_context_early(const struct tls_context *ctx);
/* The public key of CTX's certificate, where the private one is in an HSM; else
 * NULL.  CTX's. */
EVP_PKEY *tls_context_hsm_key(const struct tls_context *ctx);
/* Is CTX's certificate of another key than OLD, which is in an HSM (NULL: none
 * is)?  Then that one cannot sign for it. */
#define TLS_KEY_CHANGES                                                        \
	"its certificate is of another key than the one in the HSM was: that " \
	"takes a restart"
bool tls_context_key_changes(const struct tls_context *ctx,
			     const EVP_PKEY *old);
/* How new the CRLs are.  CTX's. */
const struct tls_crls *tls_context_crls(const struct tls_context *ctx);
/* There are CRLs, but none of any client CA. */
bool tls_context_crl_missing(const struct tls_context *ctx);
/* Connections that were made from CTX keep what they need of it. */
void tls_context_free(struct tls_context *ctx);

enum tls_result {
	TLS_OK,
	TLS_WANT,  /* more input */
	TLS_SIGN,  /* the answer of the HSM: tls_to_sign() */
	TLS_EOF,   /* the peer has closed its half in good order */
	TLS_FAILED /* and what the peer shall know of it is in the output */
};

/* OUT takes what is to be sent and outlives the connection.
 * Owns: *T: tls_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err tls_create(struct tls_context *ctx, struct bytes *out,
				   struct tls **t);
/* Lend it the bytes that came; until it has said TLS_WANT (or failed) CIPHER
 * must stay. */
void tls_give(struct tls *t, struct span cipher);
enum tls_result tls_handshake(struct tls *t);
/*
 * Where the server's key is in an HSM, a handshake pauses with TLS_SIGN until
 * it has a signature over this (T's), by tls_signed(); then it goes on where it
 * was.  What was given to T and is not read yet is kept meanwhile.  SIGNATURE
 * is in COSE form, as the core has it; empty: there is none, for FAULT
 * (static), and the handshake fails.
 */
struct span tls_to_sign(const struct tls *t);
enum tls_result tls_signed(struct tls *t, struct span signature,
			   const char *fault);
/* Did the handshake fail for want of a signature, and not for the client? */
bool tls_is_unsigned(const struct tls *t);
bool tls_established(const struct tls *t);
/* Why the handshake or a record failed: safe for the log.  Static or T's. */
const char *tls_reason(const struct tls *t);
/* First bytes of the SHA-256 of the public key in the certificate that was
 * refused, in hex; "-" if none was: to find whose it is. */
enum { TLS_FINGERPRINT_BYTES = 17 };
const char *tls_fingerprint(const struct tls *t);
/* After the handshake.  Errors: as peer_read(). */
SG_MUST_USE enum sg_err tls_peer(const struct tls *t, struct peer *out);
/* TLS 1.2, and not 1.3? */
bool tls_is_12(const struct tls *t);
/* ALPN chose h2? */
bool tls_is_http2(const struct tls *t);
enum tls_result tls_read(struct tls *t, uint8_t *buf, size_t cap, size_t *n);
/* Errors: SG_IO: the connection is of no use any more. */
SG_MUST_USE enum sg_err tls_write(struct tls *t, struct span plain);
/* Say goodbye (close_notify). */
void tls_close(struct tls *t);
/* Would CTX still accept the certificate that T's peer showed, now?
 * Errors: SG_UNAUTHENTICATED with *REASON (static), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err tls_verify_again(const struct tls *t,
					 const struct tls_context *ctx,
					 const char **reason);
void tls_free(struct tls *t);

#endif /* SG_TLS_H */
