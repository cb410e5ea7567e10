/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CERTLOGIC_JUDGE_H
#define SG_CERTLOGIC_JUDGE_H

#include "certlogic_rule.h"
#include "rule.h"

/*
 * certlogic_judge: the CertLogic rules of a policy, and their judge.  A rule
 * that does not evaluate to true, for whatever reason, is not kept.
 */
enum {
	CERTLOGIC_CODES_MAX = 16,
	/* Steps of all rules together over one request, 0.4 ms at most: one
	 * made to be slow does not hold up the others.  A rule that reads a
	 * payload as it should be takes about a hundred. */
	CERTLOGIC_REQUEST_STEPS = 40000
};

struct certlogic_set {
	size_t n;
	struct certlogic_rule *rule;
	uint32_t *order; /* of their codes in deterministic CBOR */
	/* external.valueSets, by the names that the EU gave them */
	uint32_t ncodes;
	struct certlogic_member codes[CERTLOGIC_CODES_MAX];
	struct certlogic_value *item[CERTLOGIC_CODES_MAX]; /* of each */
};

/* Room for N rules, each empty; certlogic_set_clear().
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err certlogic_set_create(size_t n,
					     struct certlogic_set *out);
/* The rules are there: put them in order. */
void certlogic_set_sort(struct certlogic_set *s);
/*
 * Let rules read the N codes at CODE as external.valueSets.NAME.  The texts of
 * both must outlive S.
 * Errors: SG_NO_MEMORY; SG_TOO_BIG beyond CERTLOGIC_CODES_MAX sets.
 */
SG_MUST_USE enum sg_err certlogic_set_codes(struct certlogic_set *s,
					    const char *name,
					    const struct span *code, size_t n);
void certlogic_set_clear(struct certlogic_set *s); /* twice is allowed */

/*
 * Report the rules that CONTEXT's document does not keep, each at its level in
 * the profile.  What they can read beside the payload, in `external`:
 * validationClock, iat, exp (date-times as texts), valueSets, countryCode and
 * issuerCountryCode (the entry's co), client (its name).
 */
void certlogic_judge(const struct rule_context *context, struct verdict *v);

#endif /* SG_CERTLOGIC_JUDGE_H */
