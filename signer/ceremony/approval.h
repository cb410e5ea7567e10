/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_APPROVAL_H
#define SG_APPROVAL_H

#include "operation.h"

/*
 * approval: an operation with officers' signatures: a COSE_Sign (RFC 9052 s.
 * 4.1) whose payload is the operation's bytes, one COSE_Signature an officer:
 *
 *	98([h'a10378...', {}, OPERATION, [[{1: alg, 4: kid}, {}, SIG], ...]])
 *
 * The body's protected header is {3: "application/signerd-operation+cbor"}, a
 * signature's {1: alg, 4: kid of the officer}; both unprotected ones are
 * empty, external_aad is.  Nothing else is accepted, and one spelling only.
 * Pure, thread-safe.
 */
enum {
	APPROVALS_MAX = 32, /* signatures */
	/* Of a COSE_Sign: fits WIRE_OPERATE and a leaf of the ledger. */
	APPROVED_BYTES_MAX = 32768
};

struct approval {
	enum cose_alg alg;
	const uint8_t *kid; /* ROLL_KID_BYTES */
	struct span prot;   /* protected header's bytes */
	struct span signature;
};

struct approved {
	struct span operation; /* its bytes */
	size_t n;
	struct approval approval[APPROVALS_MAX];
};

/* Take IN apart: a COSE_Sign as above, or an operation alone (n = 0: nobody has
 * signed yet).  Spans lie in IN.  The operation is not decoded.
 * Errors: SG_MALFORMED, SG_TOO_BIG, SG_DUPLICATE_KEY. */
SG_MUST_USE enum sg_err approved_decode(struct span in, struct approved *out);
/* The Sig_structure that OFFICER signs over OPERATION's bytes.  *LEN as
 * cbor_done().  Errors: SG_TOO_BIG. */
SG_MUST_USE enum sg_err approval_message(const struct officer *officer,
					 struct span operation, uint8_t *out,
					 size_t cap, size_t *len);
/* A with SIGNATURE (COSE form) by OFFICER added; where it has signed before,
 * in place of that.  Errors: SG_TOO_BIG, SG_MALFORMED (no signature). */
SG_MUST_USE enum sg_err approved_add(const struct approved *a,
				     const struct officer *officer,
				     struct span signature, uint8_t *out,
				     size_t cap, size_t *len);
/* A without the signatures of KID; the operation alone, if there is no other.
 * Errors: SG_NOT_FOUND (KID has not signed), SG_TOO_BIG. */
SG_MUST_USE enum sg_err approved_drop(const struct approved *a,
				      const uint8_t kid[ROLL_KID_BYTES],
				      uint8_t *out, size_t cap, size_t *len);
/* Has OFFICER made signature I of A?
 * Errors: SG_BAD_SIGNATURE, SG_BAD_KEY, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err approval_verify(const struct approved *a, size_t i,
					const struct officer *officer);

/* How many of R, which is in force, must approve an operation of KIND. */
unsigned approval_needed(const struct roll *r, enum operation_kind kind);

/* Who of R has approved A, which holds O? */
struct approval_count {
	unsigned officers;   /* of R, each once, that count */
	bool signed_by_any;  /* by an officer of R, whether it counts */
	bool lacks_proposer; /* FAULT is that: another signature mends it */
	const char *first[ROLL_OFFICERS_MAX]; /* their names, in R */
	const char *fault; /* why A cannot be accepted, whoever signed it; NULL:
			      nothing: "a signature does not verify", "somebody
			      has signed who is no officer", "an officer has
			      signed twice", "its proposer is no officer", "its
			      proposer has not signed it" */
};
/* The proposer's own approval counts where R says so, and for GENESIS and STOP;
 * where it does not count, it must be there nevertheless.
 * After a fault the counts are of what came before it.
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err approval_judge(const struct roll *r,
				       const struct approved *a,
				       const struct operation *o,
				       struct approval_count *out);

#endif /* SG_APPROVAL_H */
