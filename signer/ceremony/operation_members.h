/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_OPERATION_MEMBERS_H
#define SG_OPERATION_MEMBERS_H

#include "operation.h"

/*
 * The members of an operation, in the order of their keys in deterministic CBOR
 * (shorter ones first, then byte by byte).  Only for this folder.
 *
 *	X(key, member of struct operation, form, OP_... or 0: of all, optional)
 */
#define MEMBER_MAP(X)                                                          \
	X("op", kind, FORM_KIND, 0, false)                                     \
	X("alg", alg, FORM_ALG, OP_ALG, false)                                 \
	X("hsm", hsm, FORM_TEXT, OP_HSM, false)                                \
	X("key", key, FORM_TEXT, OP_KEY, false)                                \
	X("bits", bits, FORM_UINT32, OP_ALG, true)                             \
	X("last", last, FORM_BOOL, OP_RETIRE, true)                            \
	X("lead", roll.lead_s, FORM_UINT32, OP_ROLL, false)                    \
	X("root", root, FORM_ROOT, 0, false)                                   \
	X("size", size, FORM_UINT64, 0, false)                                 \
	X("spki", spki, FORM_BYTES, OP_SPKI, false)                            \
	X("kinds", kinds, FORM_KINDS, OP_KINDS, true)                          \
	X("nonce", nonce, FORM_NONCE, 0, false)                                \
	X("stale", roll.stale_s, FORM_UINT32, OP_ROLL, false)                  \
	X("origin", origin, FORM_TEXT, 0, false)                               \
	X("period", period_s, FORM_INT64, OP_LIMITS, true)                     \
	X("policy", policy, FORM_HASH, OP_POLICY, false)                       \
	X("reason", reason, FORM_TEXT, 0, true)                                \
	X("retire", retire, FORM_INT64, OP_RETIRE, true)                       \
	X("country", country, FORM_TEXT, OP_COUNTRY, true)                     \
	X("created", created, FORM_INT64, 0, false)                            \
	X("expires", expires, FORM_INT64, 0, false)                            \
	X("subject", subject, FORM_BYTES, OP_SUBJECT, false)                   \
	X("activate", activate, FORM_INT64, OP_ACTIVATE, true)                 \
	X("officers", roll, FORM_OFFICERS, OP_ROLL, false)                     \
	X("override", override, FORM_BOOL, OP_ACTIVATE, true)                  \
	X("proposer", proposer, FORM_TEXT, 0, false)                           \
	X("threshold", roll.threshold, FORM_UINT32, OP_ROLL, false)            \
	X("signatures", signatures, FORM_UINT64, OP_LIMITS, true)              \
	X("certificate", certificate, FORM_BYTES, OP_CERTIFICATE, false)       \
	X("policy-approval", roll.policy_approval, FORM_BOOL, OP_ROLL, false)  \
	X("proposer-approves", roll.proposer_may_approve, FORM_BOOL, OP_ROLL,  \
	  false)

/* How a member stands in CBOR and in the struct. */
enum member_form {
	FORM_TEXT,     /* struct span */
	FORM_BYTES,    /* struct span */
	FORM_NONCE,    /* a pointer to OPERATION_NONCE_BYTES */
	FORM_HASH,     /* a pointer to OPERATION_HASH_BYTES */
	FORM_INT64,    /* int64_t */
	FORM_UINT64,   /* uint64_t */
	FORM_UINT32,   /* uint32_t */
	FORM_BOOL,     /* bool */
	FORM_KIND,     /* text of enum operation_kind */
	FORM_ALG,      /* enum cose_alg */
	FORM_KINDS,    /* text: some of "vtr" in this order */
	FORM_ROOT,     /* bytes of a struct merkle_hash */
	FORM_OFFICERS, /* of a struct roll: its officers */
};

struct member {
	struct span key;
	size_t at; /* in struct operation */
	enum member_form form;
	unsigned of;
	bool optional;
};

enum { MEMBERS = 31 };
extern const struct member OPERATION_MEMBERS[MEMBERS];

/* Has an operation of KIND M, which may be optional? */
bool member_belongs(const struct member *m, enum operation_kind kind);
/* Does O, of whose kind it is, have M?  Optional ones that are empty, 0 or
 * false are left out, and have no other spelling. */
bool member_present(const struct member *m, const struct operation *o);

/* What is wrong with the values of O; NULL: nothing.  Static. */
const char *operation_fault(const struct operation *o);

#endif /* SG_OPERATION_MEMBERS_H */
