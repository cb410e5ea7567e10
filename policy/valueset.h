/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_VALUESET_H
#define SG_VALUESET_H

#include "base/err.h"
#include "rule.h"

/*
 * valueset: the codes that a field may have, and the vaccines: which mp, ma
 * and vp belong together.  The EU's (valueset_table) or the policy's own, set
 * by set.  A look-up is a binary search; none allocates.
 */

/*	X(id, key in policy.yaml, valueSetId of the EU) */
#define VALUESET_MAP(X)                                                        \
	X(MP, "mp", "vaccines-covid-19-names")                                 \
	X(MA, "ma", "vaccines-covid-19-auth-holders")                          \
	X(VP, "vp", "sct-vaccines-covid-19")                                   \
	X(TT, "tt", "covid-19-lab-test-type")                                  \
	X(TR, "tr", "covid-19-lab-result")                                     \
	X(TG, "tg", "disease-agent-targeted")                                  \
	X(CO, "co", "country-2-codes")                                         \
	X(TEST_DEVICES, "test_devices",                                        \
	  "covid-19-lab-test-manufacturer-and-name")

enum valueset_id {
#define X(id, key, name) VALUESET_##id,
	VALUESET_MAP(X)
#undef X
		VALUESET_COUNT
};

/* Codes in bytewise order, no two alike.  None at all: whatever it is, it is
 * right (test devices, of which the EU publishes no fixed list). */
struct valueset {
	size_t n;
	const struct span *code;
};

enum { VALUESET_NONE = -1 };

struct vaccine {
	struct span mp, ma, vp;
};

struct valuesets {
	struct valueset set[VALUESET_COUNT];
	size_t nvaccines;
	uint64_t *vaccine; /* the codes' places in their sets, in order */
};

/* "mp", "test_devices"; static. */
const char *valueset_key(enum valueset_id id);
/* Its valueSetId among the EU's: what CertLogic rules call it; static. */
const char *valueset_name(enum valueset_id id);

/* The place of CODE in S, VALUESET_NONE if it is not there. */
ptrdiff_t valueset_find(const struct valueset *s, struct span code);

/*
 * Make the vaccines of V, whose sets are there, of the N of VACCINE; one that
 * has a code that is in no set is left out.
 * Owns: V has memory until valueset_clear().
 * Errors: SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err valueset_set_vaccines(struct valuesets *v,
					      const struct vaccine *vaccine,
					      size_t n);
void valueset_clear(struct valuesets *v); /* the vaccines; sets are borrowed */

/* Do the codes, of which each is in its set, belong together? */
bool valueset_has_vaccine(const struct valuesets *v, struct span mp,
			  struct span ma, struct span vp);
/* Does any vaccine have this mp? */
bool valueset_has_product(const struct valuesets *v, struct span mp);

/* not-in-value-set at the fields of the entry, and inconsistent-vaccine at the
 * entry when its three codes are each in its set. */
void valueset_judge(const struct rule_context *x, struct verdict *v);

#endif /* SG_VALUESET_H */
