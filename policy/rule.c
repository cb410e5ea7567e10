/* SPDX-License-Identifier: Apache-2.0 */
#include "rule.h"

#include <assert.h>

#include "attested.h"
#include "certlogic_judge.h"
#include "dates.h"
#include "doses.h"
#include "names.h"
#include "rights.h"
#include "uvci.h"
#include "validity.h"
#include "valueset.h"

static const char *const NAME[RULE_COUNT] = {
#define X(id, name) [RULE_##id] = (name),
	RULE_MAP(X)
#undef X
};

static const enum violation_code CODE[RULE_COUNT] = {
#define X(id, name) [RULE_##id] = VIOLATION_##id,
	RULE_MAP(X)
#undef X
};

static const char *const LEVEL[RULE_LEVEL_COUNT] = {
	[RULE_ERROR] = "error",
	[RULE_WARNING] = "warning",
	[RULE_OFF] = "off",
};

/* In the order in which their violations are told. */
static void (*const JUDGE[])(const struct rule_context *, struct verdict *) = {
	rights_judge,	 uvci_judge,	 names_judge,
	dates_judge,	 doses_judge,	 valueset_judge,
	certlogic_judge, attested_judge, validity_judge,
};

const char *rule_name(enum rule rule)
{
	assert(rule < RULE_COUNT);
	return NAME[rule];
}

enum violation_code rule_code(enum rule rule)
{
	assert(rule < RULE_COUNT);
	return CODE[rule];
}

const char *rule_level_name(enum rule_level level)
{
	assert(level < RULE_LEVEL_COUNT);
	return LEVEL[level];
}

bool rule_level_of(const char *name, enum rule_level *level)
{
	for (unsigned i = 0; i < RULE_LEVEL_COUNT; i++) {
		if (strcmp(name, LEVEL[i]) == 0) {
			*level = (enum rule_level)i;
			return true;
		}
	}
	return false;
}

void rule_profile_init(struct rule_profile *p)
{
	memset(p->level, RULE_ERROR, sizeof(p->level));
	p->certlogic = NULL;
}

void rule_profile_set(struct rule_profile *p, enum rule rule,
		      enum rule_level level)
{
	p->level[rule_code(rule)] = (uint8_t)level;
}

enum rule_level rule_profile_level(const struct rule_profile *p, enum rule rule)
{
	return (enum rule_level)p->level[rule_code(rule)];
}

void rule_report(const struct rule_profile *p, struct verdict *v,
		 enum violation_code code, const struct pointer *at)
{
	const uint8_t level = p->level[code];

	if (level != RULE_OFF)
		verdict_add_at(v, code, level == RULE_WARNING, at);
}

void rule_judge(const struct rule_context *context, struct verdict *v)
{
	for (size_t i = 0; i < rule_judges(); i++)
		rule_judge_one(i, context, v);
}

void rule_judge_one(size_t i, const struct rule_context *context,
		    struct verdict *v)
{
	assert(i < rule_judges());
	JUDGE[i](context, v);
}

size_t rule_judges(void)
{
	return sizeof(JUDGE) / sizeof(JUDGE[0]);
}
