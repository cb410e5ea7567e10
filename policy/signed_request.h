/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SIGNED_REQUEST_H
#define SG_SIGNED_REQUEST_H

#include "verifiers.h"

/*
 * signed_request: a client's own signature over a request: a COSE_Sign1 (RFC
 * 9052 s. 4.2) whose payload, the request in deterministic CBOR, is detached.
 * By it the core knows that the client asked for this, and not a front in its
 * name.  Its external data bind it to one operation of one server.  README.md
 * has the format.  Pure, no allocation but where said.
 */
enum {
	SIGNED_REQUEST_PROTECTED_MAX = 64,
	/* tag, array, protected header, {}, nil, signature: RSA-4096 */
	SIGNED_REQUEST_BYTES_MAX =
		SIGNED_REQUEST_PROTECTED_MAX + 12 + COSE_SIG_MAX,
	SIGNED_REQUEST_AUDIENCE_MAX = 255,
	/* The Sig_structure's frame, protected header and external data. */
	SIGNED_REQUEST_FRAME_MAX = 512,
	/* Seconds that a client's clock may be ahead of ours. */
	SIGNED_REQUEST_SKEW_S = 60
};

/* What a signature is good for. */
struct signed_purpose {
	struct span operation; /* "issue", "validate", "renew" */
	struct span audience;  /* the ledger's origin; empty without one */
};

/* Taken apart; every span lies in the input. */
struct signed_request {
	struct span prot; /* the protected header's bytes */
	enum cose_alg alg;
	struct span kid; /* VERIFIER_KID_BYTES */
	int64_t time;	 /* when it was signed, seconds since 1970 */
	struct span signature;
};

/*
 * Take IN apart: tag 18, one deterministic encoding, the three headers that
 * there must be and no others, no payload.  Nothing of it is verified.
 * Errors: SG_MALFORMED.
 */
SG_MUST_USE enum sg_err signed_request_decode(struct span in,
					      struct signed_request *out);

/* The protected header {1: ALG, 4: KID, 15: {6: TIME}} (RFC 9052 s. 3.1, RFC
 * 9597) as bare map bytes.  Errors: SG_TOO_BIG. */
SG_MUST_USE enum sg_err signed_request_protected(
	enum cose_alg alg, const uint8_t kid[VERIFIER_KID_BYTES], int64_t time,
	uint8_t out[SIGNED_REQUEST_PROTECTED_MAX], size_t *len);

/* What is signed: the Sig_structure (RFC 9052 s. 4.4) of PROT and REQUEST with
 * the external data of PURPOSE.  *LEN is the bytes needed, also on SG_TOO_BIG:
 * at most those of REQUEST and SIGNED_REQUEST_FRAME_MAX.
 * Errors: SG_TOO_BIG; SG_MALFORMED (an audience longer than is allowed). */
SG_MUST_USE enum sg_err signed_request_tbs(struct span prot,
					   const struct signed_purpose *purpose,
					   struct span request, uint8_t *out,
					   size_t cap, size_t *len);

#endif /* SG_SIGNED_REQUEST_H */
