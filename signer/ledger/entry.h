/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ENTRY_H
#define SG_ENTRY_H

#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"
#include "hcert/dsc.h"

/*
 * entry: the leaves of the ledger, in deterministic CBOR: see README.md for
 * the CDDL.  No personal data: what a certificate's holder can check is
 * salted by the signature, which nobody else has.  Pure, thread-safe.
 */
enum {
	ENTRY_BYTES_MAX = 65535,    /* C2SP tlog-tiles: a 16-bit length */
	ENTRY_HASH_BYTES = 32,	    /* SHA-256 */
	ENTRY_REVOCATION_BYTES = 16 /* DCC revocation lists: SIGNATURE hash */
};

enum entry_type {
	ENTRY_ISSUED = 1,
	ENTRY_RENEWED,
	ENTRY_REFUSED,
	ENTRY_KEY_EVENT,
	ENTRY_POLICY,
	ENTRY_STARTED,
	ENTRY_STOPPED,
	ENTRY_CEREMONY,
	ENTRY_REVOCATION
};

/* What is recorded about one signature. */
struct entry_certificate {
	struct span client; /* its name in the policy */
	uint8_t kid[COSE_KID_BYTES];
	enum cose_alg alg;
	enum dcc_kind kind;
	struct span signature;	    /* COSE form */
	struct span uvci;	    /* UTF-8 */
	struct span sig_structure;  /* RFC 9052 s. 4.4: what was signed */
	int64_t iat, exp;	    /* seconds since 1970 */
	const uint8_t *policy_hash; /* ENTRY_HASH_BYTES */
	const uint8_t *attestation; /* ENTRY_HASH_BYTES; NULL: there was none */
};

/*
 * Encode an entry of TYPE (ENTRY_ISSUED, ENTRY_RENEWED) at TIME_MS
 * (milliseconds since 1970).  *LEN is the bytes needed, also on SG_TOO_BIG.
 * Errors: SG_TOO_BIG (CAP, or ENTRY_BYTES_MAX), SG_MALFORMED (another type,
 * no signature, an ES256 signature that is not 64 bytes), SG_INTERNAL (no
 * SHA-256).
 */
SG_MUST_USE enum sg_err entry_encode_certificate(
	enum entry_type type, int64_t time_ms,
	const struct entry_certificate *c, uint8_t *out, size_t cap,
	size_t *len);

/* Encode ENTRY_STARTED or ENTRY_STOPPED.  Errors and *LEN as above. */
SG_MUST_USE enum sg_err entry_encode_run(enum entry_type type, int64_t time_ms,
					 uint8_t *out, size_t cap, size_t *len);

/* The SIGNATURE revocation hash of a certificate: the first 16 bytes of
 * SHA-256 over r for ES256, over the whole signature for PS256 and EdDSA.
 * Errors: SG_MALFORMED, SG_INTERNAL as above. */
SG_MUST_USE enum sg_err entry_revocation(enum cose_alg alg,
					 struct span signature,
					 uint8_t out[ENTRY_REVOCATION_BYTES]);

#endif /* SG_ENTRY_H */
