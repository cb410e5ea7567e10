/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RULE_H
#define SG_RULE_H

#include "document.h"
#include "verdict.h"

/*
 * rule: what a request is judged by beyond the schema.  A rule is named by
 * the code of the violation that it reports.  The ones in RULE_MAP have a
 * level in each profile of the policy; every other code is always an error.
 *
 * A rule to come needs three lines: its code in VERDICT_MAP, its name here if
 * it can be switched, its judge in rule.c.
 *
 *	X(id of the violation, name in policy.yaml, the same as its code)
 */
#define RULE_MAP(X)                                                            \
	X(UNKNOWN_FIELD, "unknown-field")                                      \
	X(BAD_FORMAT, "bad-format")                                            \
	X(CONTROL_CHARACTER, "control-character")                              \
	X(UNTRIMMED, "untrimmed")                                              \
	X(EMPTY_FIELD, "empty-field")                                          \
	X(NAME_MISSING, "name-missing")                                        \
	X(NOT_IN_VALUE_SET, "not-in-value-set")                                \
	X(INCONSISTENT_VACCINE, "inconsistent-vaccine")                        \
	X(NAME_TRANSLITERATION, "name-transliteration")                        \
	X(DATE_IMPOSSIBLE, "date-impossible")                                  \
	X(DATE_IN_FUTURE, "date-in-future")                                    \
	X(DATE_TOO_EARLY, "date-too-early")                                    \
	X(DATE_ORDER, "date-order")                                            \
	X(BIRTH_AFTER_EVENT, "birth-after-event")                              \
	X(DOSE_EXCEEDS_SERIES, "dose-exceeds-series")                          \
	X(UVCI_FORMAT, "uvci-format")                                          \
	X(UVCI_COUNTRY, "uvci-country")                                        \
	X(UVCI_CHECKSUM, "uvci-checksum")                                      \
	X(VALIDITY_TOO_LONG, "validity-too-long")                              \
	X(VALIDITY_IN_PAST, "validity-in-past")

enum rule {
#define X(id, name) RULE_##id,
	RULE_MAP(X)
#undef X
		RULE_COUNT
};

enum rule_level { RULE_ERROR, RULE_WARNING, RULE_OFF, RULE_LEVEL_COUNT };

/* The level of each violation code, so that a look-up is one load. */
struct rule_profile {
	uint8_t level[VIOLATION_COUNT]; /* enum rule_level */
	/* The same of each CertLogic rule of the policy, by its place in the
	 * policy's set; NULL: each an error. */
	const uint8_t *certlogic;
};

/* "unknown-field"; static. */
const char *rule_name(enum rule rule);
enum violation_code rule_code(enum rule rule);
/* "error", "warning", "off"; static. */
const char *rule_level_name(enum rule_level level);
/* The level of that name; false if there is none. */
bool rule_level_of(const char *name, enum rule_level *level);

/* Every rule an error: what a profile is where it says nothing. */
void rule_profile_init(struct rule_profile *p);
void rule_profile_set(struct rule_profile *p, enum rule rule,
		      enum rule_level level);
enum rule_level rule_profile_level(const struct rule_profile *p,
				   enum rule rule);

/* Add CODE at its level in P, or not at all when it is off there. */
void rule_report(const struct rule_profile *p, struct verdict *v,
		 enum violation_code code, const struct pointer *at);

/* What the judges look at; nothing of it is theirs to change. */
struct certlogic_set;
struct client;
struct policy_bounds;
struct valuesets;
struct rule_context {
	const struct client *client;
	const struct rule_profile *profile; /* the client's */
	const struct document *document;
	const struct policy_bounds *bounds;    /* DCC_KINDS of them */
	const struct valuesets *valuesets;     /* the policy's */
	const struct certlogic_set *certlogic; /* the policy's; NULL: none */
	int64_t now, exp; /* to be signed, seconds since 1970 */
	bool renewal;	  /* of what has been issued */
	int32_t zone_s;	  /* of the policy's clocks, ahead of UTC */
};

/* Have every judge look at CONTEXT and add what it finds to V. */
void rule_judge(const struct rule_context *context, struct verdict *v);
/* The same by the one judge I of rule_judges(): each adds the same whatever the
 * others have added, so their order is that of the telling alone. */
void rule_judge_one(size_t i, const struct rule_context *context,
		    struct verdict *v);
size_t rule_judges(void);

#endif /* SG_RULE_H */
