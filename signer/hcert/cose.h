/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_COSE_H
#define SG_COSE_H

#include "base/err.h"
#include "base/span.h"

/*
 * cose: COSE_Sign1 (RFC 9052 s. 4.2) for HCERT.  Pure, no allocation but in
 * the cose_key functions; thread-safe.
 */

/* IANA "COSE Algorithms"; RFC 9053 s. 2.1, 2.2, RFC 8230 s. 2.  0 is none. */
enum cose_alg {
	COSE_NONE = 0,
	COSE_ES256 = -7,
	COSE_EDDSA = -8,
	COSE_ES384 = -35, /* officers only: cose_key_of_officer() */
	COSE_PS256 = -37
};

enum {
	COSE_KID_BYTES = 8, /* hcert-spec: first 8 bytes of SHA-256(DSC) */
	COSE_ES256_BYTES = 64,
	COSE_ES384_BYTES = 96,
	COSE_EDDSA_BYTES = 64,
	COSE_PS256_SALT = 32,
	COSE_SIG_MAX = 512,	/* bytes: RSA-4096 */
	COSE_PROTECTED_MAX = 24 /* bytes of a protected header that we write */
};

/* "ES256", "ES384", "PS256", "EdDSA"; "none" else.  Static. */
const char *cose_alg_name(enum cose_alg alg);
/* The algorithm of that name, for certificates: never COSE_ES384.  COSE_NONE
 * if there is none. */
enum cose_alg cose_alg_of(struct span name);

/* The protected header {1: ALG, 4: KID} as bare map bytes. */
SG_MUST_USE enum sg_err cose_protected(enum cose_alg alg,
				       const uint8_t kid[COSE_KID_BYTES],
				       uint8_t *out, size_t cap, size_t *len);

/*
 * The Sig_structure (RFC 9052 s. 4.4) [ "Signature1", PROT, AAD, PAYLOAD ] in
 * deterministic CBOR: the exact bytes that are signed.  Sets *LEN to the bytes
 * needed, also on SG_TOO_BIG.
 */
SG_MUST_USE enum sg_err cose_sig_structure(struct span prot, struct span aad,
					   struct span payload, uint8_t *out,
					   size_t cap, size_t *len);

/* 18([ PROT, {}, PAYLOAD, SIGNATURE ]).  *LEN as above. */
SG_MUST_USE enum sg_err cose_sign1_encode(struct span prot, struct span payload,
					  struct span signature, uint8_t *out,
					  size_t cap, size_t *len);

/* A COSE_Sign1 that somebody else wrote; every span lies in the input. */
struct cose_sign1 {
	bool tagged;		 /* had tag 18 */
	struct span prot;	 /* protected header bytes, bstr content, as
				    the Sig_structure has them: none for an
				    empty map */
	struct span unprotected; /* the encoded map */
	struct span payload;
	bool detached; /* payload was nil */
	struct span signature;
	enum cose_alg alg; /* from either bucket; COSE_NONE when absent or
			      unknown to us */
	bool has_kid;
	struct span kid; /* protected first, else unprotected */
};

/*
 * Decode a COSE_Sign1, tagged 18 (also inside tag 61, RFC 8392 s. 6) or bare.
 * Critical headers (label 2) are refused: we know none.  Duplicate labels
 * in or across the header buckets, strings in chunks, and trailing bytes, are
 * refused.
 * Errors: SG_MALFORMED, SG_DUPLICATE_KEY.
 */
SG_MUST_USE enum sg_err cose_sign1_decode(struct span in,
					  struct cose_sign1 *out);

/* A public key to verify with. */
struct cose_key; /* opaque */

/*
 * The key in DER: a certificate, or a SubjectPublicKeyInfo.
 * Owns: *OUT is the caller's; cose_key_free().
 * Errors: SG_MALFORMED, SG_BAD_KEY (no algorithm of ours fits it),
 * SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err cose_key_from_certificate(struct span der,
						  struct cose_key **out);
SG_MUST_USE enum sg_err cose_key_from_spki(struct span der,
					   struct cose_key **out);
/* As cose_key_from_spki(), and P-384 too: officers sign with it, and nobody
 * else may. */
SG_MUST_USE enum sg_err cose_key_of_officer(struct span der,
					    struct cose_key **out);
void cose_key_free(struct cose_key *key);
/* Does a signature by the key of this SubjectPublicKeyInfo mean something: is
 * it none by which anybody could sign (an RSA exponent of 1, an Ed25519 point
 * of small order)?  For keys that somebody hands in. Errors: SG_MALFORMED,
 * SG_BAD_KEY, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err cose_key_check(struct span der);
/* The one algorithm of ours that the key fits: P-256 ES256, RSA PS256,
 * Ed25519 EdDSA; of an officer also P-384 ES384. */
enum cose_alg cose_key_alg(const struct cose_key *key);
/* Bytes of a signature by KEY: 64 for ES256 and EdDSA, 96 for ES384, the
 * modulus for PS256. */
size_t cose_key_sig_bytes(const struct cose_key *key);

/*
 * Verify SIGNATURE (COSE form: r||s for ECDSA) by KEY with ALG over TBS, the
 * whole Sig_structure (or any message, for EdDSA and test signatures).
 * Errors: SG_BAD_SIGNATURE, SG_BAD_KEY (ALG and KEY do not fit), SG_NO_MEMORY
 * (nobody knows; exact only where memory_watch() has been called).
 * Not for one KEY from two threads at a time.
 */
SG_MUST_USE enum sg_err cose_key_verify(struct cose_key *key, enum cose_alg alg,
					struct span tbs, struct span signature);

#endif /* SG_COSE_H */
