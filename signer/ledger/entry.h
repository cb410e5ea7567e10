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
 * Errors: SG_TOO_BIG (CAP, or ENTRY_BYTES_MAX; a client's name beyond
 * ENTRY_NAME_MAX: *LEN is 0), SG_MALFORMED (another type, no signature, an
 * ES256 signature that is not 64 bytes), SG_NO_MEMORY (for SHA-256).
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
 * Errors: SG_MALFORMED, SG_NO_MEMORY as above. */
SG_MUST_USE enum sg_err entry_revocation(enum cose_alg alg,
					 struct span signature,
					 uint8_t out[ENTRY_REVOCATION_BYTES]);

/* --- other entries -------------------------------------------------------- */

enum { ENTRY_CODES_MAX = 128, ENTRY_CODE_MAX = 64, ENTRY_NAME_MAX = 200 };

/* What a client was refused in an interval: a count by violation code. */
struct entry_refused {
	struct span client;
	int64_t from_ms;  /* the interval's beginning; it ends at the entry's
			     time; milliseconds since 1970 */
	uint64_t records; /* refused, whatever the number of codes */
	size_t n;
	struct {
		struct span code;
		uint64_t count;
	} code[ENTRY_CODES_MAX]; /* in bytewise order of their CBOR */
};

enum { ENTRY_STATE_MAX = 32, ENTRY_REFUSAL_MAX = 255 };

/* A signing key has come into another state. */
struct entry_key_event {
	struct span label;	  /* of the key; up to ENTRY_NAME_MAX bytes */
	struct span state;	  /* key_state_text() of the new one */
	const uint8_t *kid;	  /* COSE_KID_BYTES; NULL: it has no DSC */
	const uint8_t *operation; /* ENTRY_HASH_BYTES: SHA-256 of the bytes of
				     the officers' operation that did it; NULL:
				     none, or a time that came */
};

/* What officers have decided. */
struct entry_ceremony {
	struct span operation;	/* as they signed it */
	struct span refusal;	/* why it was refused; empty: accepted */
	const uint8_t *outcome; /* SHA-256 of what came of it; or NULL */
};

/* Encode ENTRY_REFUSED; ENTRY_POLICY, the policy of HASH is in force;
 * ENTRY_CEREMONY; ENTRY_REVOCATION, a statement of
 * theirs (revocation.h); ENTRY_KEY_EVENT.  Errors and *LEN
 * as above; SG_MALFORMED: the codes are out of order, too many or too long; a
 * label or a state is empty; SG_TOO_BIG: a text is too long. */
SG_MUST_USE enum sg_err entry_encode_refused(int64_t time_ms,
					     const struct entry_refused *r,
					     uint8_t *out, size_t cap,
					     size_t *len);
SG_MUST_USE enum sg_err entry_encode_policy(
	int64_t time_ms, const uint8_t hash[ENTRY_HASH_BYTES], uint8_t *out,
	size_t cap, size_t *len);
SG_MUST_USE enum sg_err entry_encode_ceremony(int64_t time_ms,
					      const struct entry_ceremony *c,
					      uint8_t *out, size_t cap,
					      size_t *len);

SG_MUST_USE enum sg_err entry_encode_revocation(int64_t time_ms,
						struct span statement,
						uint8_t *out, size_t cap,
						size_t *len);
SG_MUST_USE enum sg_err entry_encode_key_event(int64_t time_ms,
					       const struct entry_key_event *e,
					       uint8_t *out, size_t cap,
					       size_t *len);

/* --- reading -------------------------------------------------------------- */

/* An entry taken apart; spans and pointers lie in it.  What its type does not
 * have is empty, 0 or NULL. */
struct entry {
	enum entry_type type;
	int64_t time_ms;
	struct span client;
	const uint8_t *kid; /* COSE_KID_BYTES; of ENTRY_KEY_EVENT, or NULL */
	enum cose_alg alg;
	enum dcc_kind kind;	     /* of ENTRY_ISSUED, ENTRY_RENEWED */
	const uint8_t *uvci_hash;    /* ENTRY_HASH_BYTES: field 7 */
	const uint8_t *revocation;   /* ENTRY_REVOCATION_BYTES: field 9 */
	const uint8_t *content_hash; /* ENTRY_HASH_BYTES: field 10 */
	int64_t iat, exp;
	const uint8_t *policy_hash;
	const uint8_t *attestation;
	struct span operation;	  /* of ENTRY_CEREMONY, ENTRY_REVOCATION */
	struct span refusal;	  /* of ENTRY_CEREMONY; empty: accepted */
	const uint8_t *outcome;	  /* likewise: SHA-256 of what came of it */
	struct span label, state; /* of ENTRY_KEY_EVENT, */
	const uint8_t *operation_hash; /* and ENTRY_HASH_BYTES, or NULL */
	struct entry_refused refused;  /* of ENTRY_REFUSED */
};

/* Decode IN, strictly: deterministic, the fields of its type and no others.
 * OUT is undefined after an error.  Errors: SG_MALFORMED, SG_DUPLICATE_KEY,
 * SG_TOO_BIG. */
SG_MUST_USE enum sg_err entry_decode(struct span in, struct entry *out);

/* Do SIGNATURE, UVCI and SIG_STRUCTURE (see above) belong to E?  Errors:
 * SG_BAD_SIGNATURE (they do not), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err entry_matches(const struct entry *e,
				      struct span signature, struct span uvci,
				      struct span sig_structure);

#endif /* SG_ENTRY_H */
