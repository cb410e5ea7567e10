/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "hcert/utf8.h"
#include "officer.h"
#include "policy/policy_source.h"
#include "policy/valueset.h"

enum { OPT_COUNT = OPT_COMMON, FILE_MAX = 16 << 20 };

static const struct arg_option OPTIONS[OPT_COUNT] = {COMMON_OPTIONS};

static const char VACCINES[] = "vaccines";
/* What the encoding instructions write behind a code that is not to be used
 * any more; it is no part of the code. */
static const char DEPRECATED[] = " (deprecated)";

/* One run: what is read into SETS, and of what. */
struct reading {
	const char *file;
	json_t *sets; /* key of policy.yaml: list of codes, or of vaccines */
	char why[WHY_MAX];
};

__attribute__((format(printf, 2, 3))) static bool trouble(struct reading *r,
							  const char *fmt, ...)
{
	int n = snprintf(r->why, sizeof(r->why), "%s: ", r->file);
	va_list args;

	if (n < 0 || n >= (int)sizeof(r->why))
		return false;
	va_start(args, fmt);
	(void)vsnprintf(r->why + n, sizeof(r->why) - (size_t)n, fmt, args);
	va_end(args);
	return false;
}

/* Is CODE fit for policy.yaml?  It is shown only if it is fit to be seen. */
static bool check_code(struct reading *r, const char *code)
{
	const struct span text = span_str(code);

	if (text.n == 0)
		return trouble(r, "an empty code");
	if (text.n > SOURCE_TEXT_MAX)
		return trouble(r, "a code is longer than %d bytes",
			       SOURCE_TEXT_MAX);
	if (utf8_has_hidden(text))
		return trouble(r, "a code has control characters");
	return true;
}

/* The codes that are the members' names of VALUES. */
static bool read_codes(struct reading *r, json_t *values, json_t *out)
{
	const char *code;
	json_t *value;

	json_object_foreach(values, code, value)
	{
		if (!check_code(r, code))
			return false;
		if (!json_is_object(value))
			return trouble(r, "'%s' is not described by an object",
				       code);
		if (json_array_append_new(out, json_string(code)) != 0)
			return trouble(r, "no memory");
	}
	return true;
}

/* Member NAME of what the instructions say of vaccine LABEL. */
static const char *member(struct reading *r, const char *label,
			  const json_t *value, const char *name)
{
	const char *text = json_string_value(json_object_get(value, name));

	if (text == NULL)
		(void)trouble(r, "'%s' has no %s", label, name);
	else if (!check_code(r, text))
		return NULL;
	return text;
}

/* The vaccines of one product: one for each of its "sct-codes". */
static bool read_product(struct reading *r, const char *label,
			 const json_t *value, json_t *out)
{
	const char *mp = member(r, label, value, "vaccine-code");
	const char *ma =
		mp == NULL ? NULL
			   : member(r, label, value, "vaccine-manufacturer");
	const json_t *codes = json_object_get(value, "sct-codes");
	const size_t tail = strlen(DEPRECATED);
	size_t n;

	if (mp == NULL || ma == NULL)
		return false;
	n = strlen(mp);
	if (n > tail && strcmp(mp + n - tail, DEPRECATED) == 0)
		n -= tail;
	if (json_array_size(codes) == 0)
		return trouble(r, "'%s' has no sct-codes", label);
	for (size_t i = 0; i < json_array_size(codes); i++) {
		const char *vp = json_string_value(json_array_get(codes, i));

		if (vp == NULL)
			return trouble(r, "'%s' has sct-codes that are no text",
				       label);
		if (!check_code(r, vp))
			return false;
		if (json_array_append_new(out, json_pack("{s:s%,s:s,s:s}", "mp",
							 mp, n, "ma", ma, "vp",
							 vp)) != 0)
			return trouble(r, "no memory");
	}
	return true;
}

static bool read_vaccines(struct reading *r, json_t *values, json_t *out)
{
	const char *label;
	json_t *value;

	json_object_foreach(values, label, value)
	{
		if (!check_code(r, label) ||
		    !read_product(r, label, value, out))
			return false;
	}
	return true;
}

/* The key in policy.yaml of the set that the EU calls ID; NULL if none. */
static const char *key_of(const char *id)
{
	if (strcmp(id, "vaccines-covid-19-encoding-instructions") == 0)
		return VACCINES;
	for (unsigned i = 0; i < VALUESET_COUNT; i++)
		if (strcmp(id, valueset_name((enum valueset_id)i)) == 0)
			return valueset_key((enum valueset_id)i);
	return NULL;
}

static bool read_set(struct reading *r, const json_t *root)
{
	const char *id = json_string_value(json_object_get(root, "valueSetId"));
	json_t *values = json_object_get(root, "valueSetValues");
	json_t *list;
	const char *key;

	if (id == NULL || !json_is_object(values))
		return trouble(r, "not a value set: no valueSetId or no "
				  "valueSetValues");
	key = utf8_has_hidden(span_str(id)) ? NULL : key_of(id);
	if (key == NULL)
		return trouble(r, "no field of a certificate has this value "
				  "set (see valueSetId)");
	if (json_object_get(r->sets, key) != NULL)
		return trouble(r, "a second file for %s", key);
	list = json_array();
	if (json_object_set_new(r->sets, key, list) != 0)
		return trouble(r, "no memory");
	if (key == VACCINES ? !read_vaccines(r, values, list)
			    : !read_codes(r, values, list))
		return false;
	if (json_array_size(list) == 0)
		return trouble(r, "has no codes");
	if (json_array_size(list) > SOURCE_LIST_MAX)
		return trouble(r, "has more than %d codes", SOURCE_LIST_MAX);
	return true;
}

static bool read_file(struct reading *r, const char *path)
{
	json_error_t error;
	uint8_t *text;
	size_t len;
	json_t *root;
	bool good;

	r->file = path;
	if (fileio_read(path, FILE_MAX, &text, &len) != SG_OK)
		return trouble(r, "cannot be read (at most 16 MiB)");
	root = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES,
			  &error);
	free(text);
	/* Not what jansson says: it would show the file's text. */
	if (root == NULL)
		return trouble(r,
			       "line %d is not JSON, or a name is there "
			       "twice",
			       error.line);
	good = read_set(r, root);
	json_decref(root);
	return good;
}

/* A JSON string is a YAML text in double quotes: no character of ours needs
 * what the two write in different ways. */
static bool print_text(const json_t *text)
{
	return json_dumpf(text, stdout, JSON_ENCODE_ANY) == 0;
}

static bool print_item(const json_t *item)
{
	bool good;

	(void)fputs("    - ", stdout);
	if (!json_is_object(item)) {
		good = print_text(item);
	} else {
		(void)fputs("{mp: ", stdout);
		good = print_text(json_object_get(item, "mp"));
		(void)fputs(", ma: ", stdout);
		good = good && print_text(json_object_get(item, "ma"));
		(void)fputs(", vp: ", stdout);
		good = good && print_text(json_object_get(item, "vp"));
		(void)fputs("}", stdout);
	}
	(void)fputs("\n", stdout);
	return good;
}

static bool print_yaml(json_t *sets)
{
	const char *key;
	json_t *list;
	bool good = true;

	puts("value_sets:");
	json_object_foreach(sets, key, list)
	{
		printf("  %s:\n", key);
		for (size_t i = 0; i < json_array_size(list); i++)
			good = good && print_item(json_array_get(list, i));
	}
	return good;
}

static bool print_json(json_t *sets)
{
	json_t *root = json_pack("{s:O}", "value_sets", sets);
	const bool good =
		root != NULL && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;

	json_decref(root);
	puts("");
	return good;
}

static int run(const struct args *args)
{
	struct reading r = {.sets = json_object()};
	int status = EXIT_GOOD;

	if (args->n == 0)
		status = officer_trouble("valuesets takes the EU's JSON files");
	for (size_t i = 0; status == EXIT_GOOD && i < args->n; i++)
		if (!read_file(&r, args->rest[i]))
			status = officer_trouble(r.why);
	if (status == EXIT_GOOD &&
	    !(args->value[OPT_JSON] != NULL ? print_json(r.sets)
					    : print_yaml(r.sets)))
		status = officer_trouble("no memory");
	json_decref(r.sets);
	return status;
}

const struct command VALUESETS_COMMAND = {
	.name = "valuesets",
	.usage = "FILE...",
	.about = "turn the EU's value sets into a part of policy.yaml",
	.more = "FILE is JSON as in ehn-dcc-valuesets: a value set, or the\n"
		"vaccine encoding instructions.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
