/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge_all VALUESETS DIR...: every NAME.dcc.json of the directories through
 * the rules of names and of value sets.  Names must be right, but for what is
 * not a transliteration by the standard (none is known).  What is not in a
 * value set, and what is no vaccine, must be just what the EU's own files in
 * the directory VALUESETS say.  Prints each payload that a rule refuses, how
 * many pass each rule, and last "N passed, N failed"; exits 0 when some passed
 * and none failed.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/names.h"
#include "policy/valueset_table.h"

enum { PATH_SIZE = 4096 };

static const char SUFFIX[] = ".dcc.json";

/* A field with a value set, and the EU's file of it. */
static const struct {
	const char *key;
	enum document_field field;
	const char *file;
	bool only_vaccination; /* a test's ma is another thing */
} CODED[] = {
	{"tg", DOC_TG, "disease-agent-targeted", false},
	{"vp", DOC_VP, "vaccine-prophylaxis", false},
	{"mp", DOC_MP, "vaccine-medicinal-product", false},
	{"ma", DOC_MA, "vaccine-mah-manf", true},
	{"tt", DOC_TT, "test-type", false},
	{"tr", DOC_TR, "test-result", false},
	{"co", DOC_CO, "country-2-codes", false},
};
enum { CODED_N = sizeof(CODED) / sizeof(CODED[0]) };

static json_t *eu[CODED_N];
static json_t *instructions;
static struct valuesets sets;
static unsigned passed, failed, names_good, codes_good, vaccines_good;

static json_t *load_values(const char *dir, const char *file)
{
	char path[PATH_SIZE];
	json_t *root;
	json_t *values;

	(void)snprintf(path, sizeof(path), "%s/%s.json", dir, file);
	root = json_load_file(path, 0, NULL);
	values = json_incref(json_object_get(root, "valueSetValues"));
	json_decref(root);
	if (!json_is_object(values)) {
		(void)fprintf(stderr, "%s: no value set\n", path);
		exit(2); /* NOLINT(concurrency-*) */
	}
	return values;
}

/* Do the EU's instructions have the three codes in one entry? */
static bool eu_has_vaccine(const char *mp, const char *ma, const char *vp)
{
	const char *label;
	json_t *x;

	json_object_foreach(instructions, label, x)
	{
		const char *code =
			json_string_value(json_object_get(x, "vaccine-code"));
		const char *holder = json_string_value(
			json_object_get(x, "vaccine-manufacturer"));
		const json_t *types = json_object_get(x, "sct-codes");

		/* "NVX-CoV2373 (deprecated)" */
		if (strncmp(code, mp, strlen(mp)) != 0 ||
		    (code[strlen(mp)] != '\0' && code[strlen(mp)] != ' ') ||
		    strcmp(holder, ma) != 0)
			continue;
		for (size_t i = 0; i < json_array_size(types); i++)
			if (strcmp(json_string_value(json_array_get(types, i)),
				   vp) == 0)
				return true;
	}
	return false;
}

static void put(struct document *d, enum document_field field,
		const json_t *value)
{
	if (!json_is_string(value))
		return;
	d->present[field] = true;
	d->text[field] =
		span_of(json_string_value(value), json_string_length(value));
}

/* What the EU's files say of the first entry of LIST; D gets its fields. */
static unsigned read_entry(const json_t *list, struct document *d,
			   bool *vaccine)
{
	const json_t *entry = json_array_get(list, 0);
	const char *code[CODED_N] = {NULL};
	unsigned wrong = 0;
	bool whole = true;

	for (size_t i = 0; i < CODED_N; i++) {
		const json_t *value = json_object_get(entry, CODED[i].key);

		put(d, CODED[i].field, value);
		if (CODED[i].only_vaccination && d->kind != DCC_VACCINATION)
			continue;
		code[i] = json_string_value(value);
		if (code[i] != NULL && json_object_get(eu[i], code[i]) == NULL)
			wrong++;
		if (i >= 1 && i <= 3 && /* vp, mp, ma */
		    (code[i] == NULL ||
		     json_object_get(eu[i], code[i]) == NULL))
			whole = false;
	}
	*vaccine = d->kind != DCC_VACCINATION || !whole ||
		   eu_has_vaccine(code[2], code[3], code[1]);
	return wrong;
}

static unsigned count(const struct verdict *v, enum violation_code code)
{
	unsigned n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->violation[i].code == code ? 1 : 0;
	return n;
}

static void print(const char *file, const struct verdict *v)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct span at = verdict_pointer(v, i);

		printf("%s: %s %.*s\n", file,
		       violation_code_text(v->violation[i].code), (int)at.n,
		       (const char *)at.p);
	}
}

static void judge(const char *file, const json_t *dcc)
{
	static const char *const kind[DCC_KINDS] = {[DCC_VACCINATION] = "v",
						    [DCC_TEST] = "t",
						    [DCC_RECOVERY] = "r"};
	const json_t *nam = json_object_get(dcc, "nam");
	struct rule_profile profile;
	struct document d = {.has_kind = false};
	const struct rule_context x = {
		.profile = &profile, .document = &d, .valuesets = &sets};
	struct verdict v;
	unsigned wrong = 0;
	unsigned got;
	bool vaccine = true;
	bool good;

	rule_profile_init(&profile);
	verdict_init(&v);
	put(&d, DOC_FN, json_object_get(nam, "fn"));
	put(&d, DOC_FNT, json_object_get(nam, "fnt"));
	put(&d, DOC_GN, json_object_get(nam, "gn"));
	put(&d, DOC_GNT, json_object_get(nam, "gnt"));
	for (unsigned k = 0; k < DCC_KINDS && !d.has_kind; k++) {
		const json_t *list = json_object_get(dcc, kind[k]);

		if (json_array_size(list) == 0)
			continue;
		d.has_kind = true;
		d.kind = (enum dcc_kind)k;
		wrong = read_entry(list, &d, &vaccine);
	}
	names_judge(&x, &v);
	valueset_judge(&x, &v);
	print(file, &v);
	got = count(&v, VIOLATION_NOT_IN_VALUE_SET);
	names_good += count(&v, VIOLATION_NAME_TRANSLITERATION) == 0 ? 1 : 0;
	codes_good += got == 0 ? 1 : 0;
	vaccines_good += count(&v, VIOLATION_INCONSISTENT_VACCINE) == 0 ? 1 : 0;
	good = count(&v, VIOLATION_NAME_TRANSLITERATION) == 0 && got == wrong &&
	       (count(&v, VIOLATION_INCONSISTENT_VACCINE) == 0) == vaccine;
	if (good)
		passed++;
	else
		failed++;
	if (!good)
		printf("%s: FAILED: %u codes and %s vaccine by the EU's "
		       "files\n",
		       file, wrong, vaccine ? "no" : "a wrong");
}

static bool judge_dir(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	if (d == NULL) {
		perror(dir);
		return false;
	}
	while ((entry = readdir(d)) != NULL) { /* NOLINT(concurrency-*) */
		const size_t n = strlen(entry->d_name);
		char path[PATH_SIZE];
		json_t *dcc;

		if (n < strlen(SUFFIX) ||
		    strcmp(entry->d_name + n - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		dcc = json_load_file(path, 0, NULL);
		if (dcc == NULL) {
			printf("%s: FAILED: no JSON\n", entry->d_name);
			failed++;
			continue;
		}
		judge(entry->d_name, dcc);
		json_decref(dcc);
	}
	(void)closedir(d);
	return true;
}

int main(int argc, char *argv[])
{
	bool good = true;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: judge_all VALUESETS DIR...\n");
		return 2;
	}
	for (size_t i = 0; i < CODED_N; i++)
		eu[i] = load_values(argv[1], CODED[i].file);
	instructions = load_values(argv[1], "vaccine-encoding-instructions");
	memcpy(sets.set, VALUESET_TABLE, sizeof(sets.set));
	if (valueset_set_vaccines(&sets, VALUESET_VACCINES,
				  VALUESET_NVACCINES) != SG_OK)
		return 2;
	for (int i = 2; i < argc; i++)
		good = judge_dir(argv[i]) && good;
	printf("names right in %u, all codes known in %u, vaccine consistent "
	       "in %u of %u\n",
	       names_good, codes_good, vaccines_good, passed + failed);
	printf("%u passed, %u failed\n", passed, failed);
	valueset_clear(&sets);
	for (size_t i = 0; i < CODED_N; i++)
		json_decref(eu[i]);
	json_decref(instructions);
	return good && passed > 0 && failed == 0 ? 0 : 1;
}
