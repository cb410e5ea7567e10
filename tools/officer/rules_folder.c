/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "officer.h"
#include "policy/certlogic_rule.h"
#include "rules.h"
#include "tools/common/input.h"
#include "tools/common/json_cbor.h"
#include "tools/common/printable.h"

enum { PATH_BYTES = 1024, DEPTH_MAX = 32 };

/* A rule, and the first of the faults that it was found to have. */
struct tried {
	struct certlogic_rule rule;
	char why[WHY_MAX];
};

void rules_count(struct rules_run *r, const char *file, const char *name,
		 const char *why)
{
	if (why == NULL) {
		r->passed++;
		return;
	}
	r->failed++;
	if (r->quiet) {
		(void)json_array_append_new(
			r->failures, json_pack("{s:s, s:s, s:s}", "file", file,
					       "name", name, "why", why));
		return;
	}
	printable_put(stdout, span_str(file));
	(void)fputs(": ", stdout);
	printable_put(stdout, span_str(name));
	(void)fputs(": ", stdout);
	printable_put(stdout, span_str(why));
	(void)putchar('\n');
}

/* --- files ---------------------------------------------------------------- */

static bool join(char out[PATH_BYTES], const char *folder, const char *name)
{
	const int n = snprintf(out, PATH_BYTES, "%s/%s", folder, name);

	return n > 0 && n < PATH_BYTES;
}

/* The file's JSON, or NULL and a failure (of the rule, of the test). */
static json_t *read_json(struct rules_run *r, const char *path)
{
	char why[WHY_MAX] = "";
	json_error_t error;
	uint8_t *bytes;
	json_t *j;
	size_t n;

	if (input_bytes(path, &bytes, &n, why, sizeof(why)) != SG_OK) {
		r->trouble = true;
		(void)officer_trouble(why);
		return NULL;
	}
	j = json_loadb((const char *)bytes, n,
		       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	free(bytes);
	if (j == NULL) {
		(void)snprintf(why, sizeof(why), "line %d: %s", error.line,
			       error.text);
		rules_count(r, path, "JSON", why);
	}
	return j;
}

static bool is_json(const char *name)
{
	const size_t n = strlen(name);

	return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".json") == 0;
}

static int shown(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* --- a rule and its tests ------------------------------------------------- */

static void note_first(void *ctx, const char *place, json_t *at,
		       const char *why)
{
	struct tried *t = ctx;

	(void)at;
	if (t->why[0] == '\0')
		(void)snprintf(t->why, sizeof(t->why), "%s%s%s", place,
			       *place != '\0' ? ": " : "", why);
}

static const char *judge(const struct certlogic_rule *rule, struct span payload,
			 struct span external, bool expected, char *why)
{
	struct certlogic_scratch scratch;
	struct certlogic_value data[2];
	enum certlogic_error err;
	bool holds;

	if (certlogic_value_read(payload, &data[0]) != CERTLOGIC_OK ||
	    certlogic_value_read(external, &data[1]) != CERTLOGIC_OK)
		return "the data cannot be read";
	certlogic_scratch_init(&scratch);
	holds = certlogic_rule_holds(rule, &data[0], &data[1], &scratch, &err);
	if (holds == expected)
		return NULL;
	(void)snprintf(why, WHY_MAX, "expected %s, but %s",
		       expected ? "true" : "false",
		       err != CERTLOGIC_OK ? certlogic_error_text(err)
		       : holds		   ? "it is true"
					   : "it is not true");
	return why;
}

static void run_test(struct rules_run *r, const struct certlogic_rule *rule,
		     const char *path)
{
	json_t *test = read_json(r, path);
	json_t *payload = json_object_get(test, "payload");
	json_t *external = json_object_get(test, "external");
	const json_t *expected = json_object_get(test, "expected");
	const char *name = json_string_value(json_object_get(test, "name"));
	uint8_t *p = NULL;
	uint8_t *e = NULL;
	char why[WHY_MAX];
	size_t pn;
	size_t en;

	if (test == NULL)
		return;
	name = name != NULL ? name : rule->identifier;
	if (!json_is_object(payload) || !json_is_object(external) ||
	    !json_is_boolean(expected))
		rules_count(r, path, name,
			    "it needs payload, external and expected");
	else if (json_cbor(payload, &p, &pn) != SG_OK ||
		 json_cbor(external, &e, &en) != SG_OK)
		rules_count(r, path, name, "its data is too large");
	else
		rules_count(r, path, name,
			    judge(rule, span_of(p, pn), span_of(e, en),
				  json_is_true(expected), why));
	free(p);
	free(e);
	json_decref(test);
}

static void run_tests(struct rules_run *r, const struct certlogic_rule *rule,
		      const char *folder)
{
	struct dirent **entry;
	const int n = scandir(folder, &entry, shown, alphasort);
	char path[PATH_BYTES];
	size_t tests = 0;

	for (int i = 0; i < n; i++) {
		if (is_json(entry[i]->d_name) &&
		    join(path, folder, entry[i]->d_name)) {
			run_test(r, rule, path);
			tests++;
		}
		free(entry[i]);
	}
	if (n >= 0)
		free((void *)entry);
	if (tests == 0)
		r->nuntested++;
}

static void run_rule(struct rules_run *r, const char *folder, const char *path)
{
	struct tried t = {.why = ""};
	const struct certlogic_listener listener = {.tell = note_first,
						    .ctx = &t};
	json_t *rule = read_json(r, path);
	char tests[PATH_BYTES];

	if (rule == NULL)
		return;
	r->nrules++;
	if (certlogic_rule_load(rule, &listener, &t.rule) != SG_OK) {
		rules_count(r, path, "the rule", t.why);
		json_decref(rule);
		return;
	}
	if (join(tests, folder, "tests"))
		run_tests(r, &t.rule, tests);
	certlogic_rule_clear(&t.rule);
	(void)json_array_append_new(r->rules, rule);
}

/* --- a folder ------------------------------------------------------------- */

static enum sg_err run_folder(struct rules_run *r, const char *folder,
			      unsigned depth);

/* A file that is neither a rule nor a suite is none of ours. */
static void run_file(struct rules_run *r, const char *folder, const char *name,
		     const char *path)
{
	json_t *j;

	if (strcmp(name, "rule.json") == 0) {
		run_rule(r, folder, path);
		return;
	}
	j = read_json(r, path);
	if (json_is_array(json_object_get(j, "cases")))
		rules_run_suite(r, path, j);
	json_decref(j);
}

static enum sg_err run_entry(struct rules_run *r, const char *folder,
			     const char *name, bool has_rule, unsigned depth)
{
	char path[PATH_BYTES];
	struct stat st;

	if (!join(path, folder, name) || stat(path, &st) != 0)
		return SG_IO;
	if (S_ISDIR(st.st_mode)) {
		if (has_rule && strcmp(name, "tests") == 0)
			return SG_OK; /* run with the rule */
		return run_folder(r, path, depth + 1);
	}
	if (S_ISREG(st.st_mode) && is_json(name))
		run_file(r, folder, name, path);
	return SG_OK;
}

static enum sg_err run_folder(struct rules_run *r, const char *folder,
			      unsigned depth)
{
	struct dirent **entry;
	enum sg_err err = SG_OK;
	bool has_rule = false;
	int n;

	if (depth > DEPTH_MAX)
		return SG_IO;
	n = scandir(folder, &entry, shown, alphasort);
	if (n < 0)
		return SG_IO;
	for (int i = 0; i < n; i++)
		if (strcmp(entry[i]->d_name, "rule.json") == 0)
			has_rule = true;
	for (int i = 0; i < n; i++) {
		if (err == SG_OK)
			err = run_entry(r, folder, entry[i]->d_name, has_rule,
					depth);
		free(entry[i]);
	}
	free((void *)entry);
	return err;
}

enum sg_err rules_run_folder(struct rules_run *r, const char *path)
{
	char why[WHY_MAX];
	const enum sg_err err = run_folder(r, path, 0);

	if (err != SG_OK) {
		(void)snprintf(why, sizeof(why), "cannot read the folder %s",
			       path);
		(void)officer_trouble(why);
	}
	return err;
}
