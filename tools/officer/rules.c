/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "officer.h"
#include "tools/common/printable.h"

enum { OPT_POLICY = OPT_COMMON, OPT_COUNT };

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS,
	[OPT_POLICY] = {"policy", NULL, NULL,
			"print the rules as policy.yaml is to have them"}};

/* A rule as a block of YAML, whose lines are indented. */
static bool print_rule(const json_t *rule)
{
	char *text = printable_json(rule, JSON_INDENT(2));
	char *rest = NULL;

	if (text == NULL)
		return false;
	(void)puts("  - |");
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		(void)printf("    %s\n", line);
	free(text);
	return true;
}

static int print_policy(const struct rules_run *r)
{
	const size_t n = json_array_size(r->rules);

	if (r->failed > 0)
		return EXIT_REFUSED; /* no rules that fail their tests */
	if (n > 0)
		(void)puts("certlogic:");
	for (size_t i = 0; i < n; i++)
		if (!print_rule(json_array_get(r->rules, i)))
			return officer_trouble("out of memory");
	return EXIT_GOOD;
}

static int print_json(const struct rules_run *r)
{
	json_t *result = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:O}", "passed",
		(json_int_t)r->passed, "failed", (json_int_t)r->failed,
		"skipped", (json_int_t)r->skipped, "rules",
		(json_int_t)r->nrules, "untested", (json_int_t)r->nuntested,
		"failures", r->failures);
	char *text =
		result != NULL ? printable_json(result, JSON_INDENT(2)) : NULL;

	json_decref(result);
	if (text == NULL)
		return officer_trouble("out of memory");
	(void)puts(text);
	free(text);
	return r->failed > 0 ? EXIT_REFUSED : EXIT_GOOD;
}

static void print_counts(FILE *to, const struct rules_run *r)
{
	if (r->nrules > 0)
		(void)fprintf(to, "%zu rules\n", r->nrules);
	if (r->nuntested > 0)
		(void)fprintf(to, "%zu of %zu rules have no test\n",
			      r->nuntested, r->nrules);
	if (r->skipped > 0)
		(void)fprintf(to, "%zu skipped, as their files say\n",
			      r->skipped);
	(void)fprintf(to, "%zu passed, %zu failed\n", r->passed, r->failed);
}

static int finish(const struct rules_run *r, const struct args *args)
{
	int status;

	if (r->trouble)
		return EXIT_TROUBLE;
	if (r->nrules == 0 && r->passed + r->failed + r->skipped == 0)
		return officer_trouble("there are no rules and no tests");
	if (args->value[OPT_POLICY] != NULL) {
		if (r->failed > 0) {
			char *text =
				printable_json(r->failures, JSON_INDENT(2));

			(void)fprintf(stderr, "%s\n",
				      text != NULL ? text : "out of memory");
			free(text);
		}
		status = print_policy(r);
		/* Last, where both go to a terminal: who takes the rules is to
		 * see how many of them no test vouches for. */
		(void)fflush(stdout);
		print_counts(stderr, r);
		return status;
	}
	if (args->value[OPT_JSON] != NULL)
		return print_json(r);
	print_counts(stdout, r);
	return r->failed > 0 ? EXIT_REFUSED : EXIT_GOOD;
}

static int run(const struct args *args)
{
	struct rules_run r = {.quiet = args->value[OPT_JSON] != NULL ||
				       args->value[OPT_POLICY] != NULL};
	int status;

	if (args->n == 0)
		return officer_trouble("rules takes folders with rules");
	if (args->value[OPT_JSON] != NULL && args->value[OPT_POLICY] != NULL)
		return officer_trouble("either --json or --policy");
	r.failures = json_array();
	r.rules = json_array();
	for (size_t i = 0; i < args->n; i++)
		if (rules_run_folder(&r, args->rest[i]) != SG_OK)
			r.trouble = true;
	status = finish(&r, args);
	json_decref(r.failures);
	json_decref(r.rules);
	return status;
}

const struct command RULES_COMMAND = {
	.name = "rules",
	.usage = "DIR...",
	.about = "run CertLogic rules with their tests",
	.more = "A rule is a file rule.json in the EU's format; its tests are "
		"tests/*.json beside it.\n"
		"Folders are searched recursively.  CertLogic's own suites are "
		"run, too.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
