/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CHECK_H
#define SG_TOOLS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "hcert/cwt.h"
#include "keyset.h"

/*
 * check: is an HC1 text a genuine certificate, as an offline verifier would
 * ask: step by step, and the first step that fails is the reason.
 *
 *	X(id, name, what it is about)
 */
#define CHECK_MAP(X)                                                           \
	X(PREFIX, "prefix", "the text begins with HC1:")                       \
	X(BASE45, "base45", "base45 (RFC 9285)")                               \
	X(COMPRESSION, "compression", "one zlib stream (RFC 1950)")            \
	X(DECODE, "decode", "a COSE_Sign1 with a CWT with an EU DCC in it")    \
	X(SIGNATURE, "signature", "by a signer whose certificate was given")   \
	X(EXPIRY, "expiry", "issued, and not run out, nor its signer's")       \
	X(KEY_USAGE, "key-usage", "the signer may sign this kind")

enum check_step {
#define X(id, name, about) CHECK_##id,
	CHECK_MAP(X)
#undef X
		CHECK_STEPS /* none failed */
};

enum { CHECK_DETAIL_MAX = 200 };

#define CHECK_BIT(step) (1U << (step))

struct check {
	/* The first step that failed; CHECK_STEPS: none. */
	enum check_step failed;
	/* CHECK_BIT()s of all that failed: what does not decode has no good
	 * signature either, but the last three are judged each on its own. */
	unsigned failures;
	unsigned unknown; /* CHECK_BIT()s of what could not be judged */
	char detail[CHECK_STEPS][CHECK_DETAIL_MAX]; /* why each failed */
	char warning[CHECK_DETAIL_MAX];		    /* empty: none */
	/* Set as far as the steps went: */
	struct span cose;	      /* COMPRESSION passed */
	struct cose_sign1 sign1;      /* DECODE passed */
	struct cwt_claims claims;     /* the same */
	unsigned kinds;		      /* the same; DCC_KIND_BIT()s */
	const struct keyset_key *key; /* NULL unless SIGNATURE passed */
};

struct checker; /* opaque: working memory */

SG_MUST_USE enum sg_err checker_create(struct checker **out);
void checker_free(struct checker *c);

/*
 * Check TEXT by the certificates in SET at the time AT (seconds since 1970).
 * Spans of *OUT lie in C and last until its next use.  A signer's certificate
 * outside of its own time at AT is a failure; one that only ends before the
 * certificate does earns a warning.
 * Returns whether all steps passed.
 */
bool checker_run(struct checker *c, struct span text, const struct keyset *set,
		 int64_t at, struct check *out);
/* Only down to the COSE_Sign1, whatever it holds: for showing what nobody
 * vouches for. */
bool checker_decode(struct checker *c, struct span text, struct check *out);

/* "key-usage"; static. */
const char *check_step_name(enum check_step step);

#endif /* SG_TOOLS_CHECK_H */
