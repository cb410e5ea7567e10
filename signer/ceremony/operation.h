/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_OPERATION_H
#define SG_OPERATION_H

#include "ledger/merkle.h"
#include "roll.h"

/*
 * operation: what officers decide about keys, about themselves and about the
 * policy: a map in deterministic CBOR, see README.md for the CDDL.  Its bytes
 * are what each of them signs; what a person is shown is made of them alone.
 * Pure, thread-safe.
 *
 *	X(id, text, members beside those that all have)
 */
#define OPERATION_MAP(X)                                                       \
	X(GENESIS, "genesis", OP_ROLL)	 /* the first officers; all sign */    \
	X(OFFICERS, "officers", OP_ROLL) /* others, or other terms */          \
	X(POLICY, "policy", OP_POLICY)	 /* may be in force from now on */     \
	X(GENERATE, "generate",                                                \
	  OP_KEY | OP_HSM | OP_ALG | OP_KINDS | OP_COUNTRY | OP_LIMITS)        \
	X(REQUEST, "csr", OP_KEY | OP_SUBJECT)	     /* a CSR for it */        \
	X(IMPORT, "import", OP_KEY | OP_CERTIFICATE) /* its DSC */             \
	X(PUBLISH, "publish", OP_KEY)		     /* in /v1/keys */         \
	X(ACTIVATE, "activate", OP_KEY | OP_ACTIVATE)                          \
	X(RETIRE, "retire", OP_KEY | OP_RETIRE)                                \
	X(DESTROY, "destroy", OP_KEY)                                          \
	X(STOP, "stop", OP_KEY) /* one officer's signature is enough */        \
	X(START, "start", OP_KEY)                                              \
	X(COMPROMISE, "compromise", OP_KEY)                                    \
	X(LOG_KEY, "log-key", OP_KEY | OP_SPKI) /* signs the ledger */

enum operation_kind {
#define X(id, text, members) OPERATION_##id,
	OPERATION_MAP(X)
#undef X
		OPERATION_KINDS
};

/* Members, as bits: what an operation of a kind has, and no other. */
enum {
	OP_KEY = 1,
	OP_HSM = 2,
	OP_ALG = 4, /* and the bits of an RSA key */
	OP_KINDS = 8,
	OP_COUNTRY = 16, /* optional */
	OP_LIMITS = 32,	 /* optional: signatures, period */
	OP_SUBJECT = 64,
	OP_CERTIFICATE = 128,
	OP_ACTIVATE = 256, /* activate, override */
	OP_RETIRE = 512,   /* retire, last */
	OP_POLICY = 1024,
	OP_ROLL = 2048,
	OP_SPKI = 4096
};

enum {
	OPERATION_BYTES_MAX = 16384,
	OPERATION_NONCE_BYTES = 16,
	OPERATION_HASH_BYTES = 32,
	OPERATION_REASON_MAX = 200, /* bytes, printable UTF-8 */
	OPERATION_SUBJECT_MAX = 512,
	OPERATION_CERTIFICATE_MAX = 8192,
	OPERATION_SPKI_BYTES = 44, /* Ed25519: the raw key is at its end */
	OPERATION_ED25519_BYTES = 32
};

struct operation {
	enum operation_kind kind;
	struct span origin; /* of the ledger */
	const uint8_t *nonce;
	int64_t created, expires; /* seconds since 1970 */
	struct span proposer;	  /* an officer's name */
	struct span reason;	  /* may be empty */
	uint64_t size;		  /* the ledger's checkpoint: its leaves */
	struct merkle_hash root;  /* and root */
	/* What the kind has; else empty, 0 or NULL. */
	struct span key, hsm;	 /* labels, [A-Za-z0-9._-]{1,63} */
	enum cose_alg alg;	 /* ES256, PS256, EdDSA */
	uint32_t bits;		 /* of an RSA key */
	unsigned kinds;		 /* DCC_KIND_BIT()s; 0: a key of the ledger's */
	struct span country;	 /* alpha-2, or empty */
	uint64_t signatures;	 /* at most so many; 0: no limit */
	int64_t period_s;	 /* signs for so long at most; 0: no limit */
	struct span subject;	 /* X.501 Name, DER */
	struct span certificate; /* DER */
	struct span spki;	 /* DER, of an Ed25519 key */
	int64_t activate;	 /* at this time; 0: at once */
	bool override;		 /* although it was not published long enough */
	int64_t retire;		 /* at this time; 0: at once */
	bool last;		 /* although nothing signs its kinds then */
	const uint8_t *policy;	 /* SHA-256 of the file */
	struct roll roll;
};

/* "genesis"; static.  And back: OPERATION_KINDS if it is none. */
const char *operation_kind_name(enum operation_kind kind);
enum operation_kind operation_kind_of(struct span name);
/* OP_... of KIND. */
unsigned operation_members(enum operation_kind kind);

/* *LEN is the bytes needed, also on SG_TOO_BIG.  Errors: SG_MALFORMED (what is
 * not as above); SG_TOO_BIG. */
SG_MUST_USE enum sg_err operation_encode(const struct operation *o,
					 uint8_t *out, size_t cap, size_t *len);
/* Strictly: deterministic, the members of its kind and no others.  Spans and
 * pointers of OUT lie in IN.  WHY (static) says what is wrong.
 * Errors: SG_MALFORMED, SG_DUPLICATE_KEY, SG_TOO_BIG, SG_BAD_KEY. */
SG_MUST_USE enum sg_err operation_decode(struct span in, struct operation *out,
					 const char **why);
/* Are BITS those of an RSA key that is made: 2048, 3072 or 4096?  An operation
 * that is read may have others, by 256; no key came of it. */
static inline bool operation_rsa_bits(uint64_t bits)
{
	return bits == 2048 || bits == 3072 || bits == 4096;
}
/* The raw key of O's spki, which has one. */
static inline const uint8_t *operation_ed25519(const struct operation *o)
{
	return o->spki.p + OPERATION_SPKI_BYTES - OPERATION_ED25519_BYTES;
}
/* O for a person, a line each member, UTF-8 without control characters but the
 * lines' ends, with a NUL.  Times in UTC, hashes in hexadecimal, a
 * certificate's names and validity.  After an error OUT is not to be shown.
 * Errors: SG_TOO_BIG, SG_MALFORMED (no operation_encode() for it). */
enum { OPERATION_TEXT_MAX = 16384 };
SG_MUST_USE enum sg_err operation_text(const struct operation *o, char *out,
				       size_t cap);

#endif /* SG_OPERATION_H */
