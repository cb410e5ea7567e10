/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ROLL_H
#define SG_ROLL_H

#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"

/*
 * roll: the officers, and the terms under which they decide.  It comes with an
 * operation (genesis, officers) and stays until the next one.  Pure,
 * thread-safe.
 */
enum {
	ROLL_OFFICERS_MAX = 16,
	ROLL_NAME_MAX = 64,  /* bytes, with a NUL: [A-Za-z0-9._-]+ */
	ROLL_SPKI_MAX = 600, /* bytes: RSA-4096 */
	ROLL_KID_BYTES = 8   /* first bytes of SHA-256(SPKI) */
};

struct officer {
	char name[ROLL_NAME_MAX];
	enum cose_alg alg; /* the one that fits: ES256, ES384, PS256, EdDSA */
	uint8_t kid[ROLL_KID_BYTES];
	size_t spki_n;
	uint8_t spki[ROLL_SPKI_MAX]; /* DER SubjectPublicKeyInfo */
};

struct roll {
	size_t n; /* 0: there is no roll yet */
	struct officer officer[ROLL_OFFICERS_MAX];
	unsigned threshold;	   /* approvals that an operation needs: 1..n */
	uint32_t lead_s;	   /* from a key's publication to its use */
	uint32_t stale_s;	   /* an operation's checkpoint may be so old */
	bool proposer_may_approve; /* counts the proposer's own approval */
	bool policy_approval;	   /* a policy needs an operation, too */
};

/* Is NAME one for an officer, a key or an HSM: [A-Za-z0-9._-]{1,63}? */
bool roll_is_name(struct span name);
/* Make *OUT of NAME and SPKI: its algorithm and kid.
 * Errors: SG_MALFORMED (the name; the DER, which must be the one spelling of
 * its key: named curves, points that are not compressed, rsaEncryption),
 * SG_BAD_KEY (no algorithm of ours; one that anybody could sign by),
 * SG_TOO_BIG, SG_INTERNAL. */
SG_MUST_USE enum sg_err officer_make(struct span name, struct span spki,
				     struct officer *out);
/* NULL: R is a roll that can be.  Else what is wrong with it, static: no
 * officer, a threshold of 0 or beyond those who count, a name or a key twice,
 * a stale_s of 0. */
const char *roll_fault(const struct roll *r);
/* The officer with KID, or of NAME; NULL: none. */
const struct officer *roll_find(const struct roll *r,
				const uint8_t kid[ROLL_KID_BYTES]);
const struct officer *roll_named(const struct roll *r, struct span name);

#endif /* SG_ROLL_H */
