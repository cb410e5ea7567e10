/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_RULES_H
#define SG_TOOLS_RULES_H

#include <jansson.h>

#include "base/err.h"
#include "base/span.h"

/*
 * rules: CertLogic rules and their tests, as they are published, run by the
 * evaluator that the server has.  Three kinds of file are known by what is in
 * them: a rule (in rule.json, its tests in tests/), a suite of expressions with
 * data and results, and a suite of expressions with their faults.
 */
struct rules_run {
	bool quiet;	  /* failures are collected, not printed */
	json_t *failures; /* of {"file", "name", "why"} */
	json_t *rules;	  /* the rules met, each its JSON, in their order */
	size_t passed, failed, skipped;
	size_t nrules, nuntested;
	bool trouble; /* a file cannot be read */
};

/* Run what is below the folder PATH, recursively, in the names' order.
 * Errors: SG_IO, SG_NO_MEMORY; told on standard error. */
SG_MUST_USE enum sg_err rules_run_folder(struct rules_run *r, const char *path);

/* A test of FILE called NAME, which passed if WHY is NULL. */
void rules_count(struct rules_run *r, const char *file, const char *name,
		 const char *why);

/* One suite, in CertLogic's own format for results or for faults. */
void rules_run_suite(struct rules_run *r, const char *file,
		     const json_t *suite);

#endif /* SG_TOOLS_RULES_H */
