/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "policy/certlogic_evaluate.h"
#include "policy/certlogic_load.h"
#include "rules.h"
#include "tools/common/json_cbor.h"

enum { NAME_BYTES = 256, WHY_BYTES = 256 };

/* The faults that an expression was found to have. */
struct found {
	json_t *at; /* the parts of it, in their order */
	char why[WHY_BYTES];
};

static void note_fault(void *ctx, const char *place, json_t *at,
		       const char *why)
{
	struct found *f = ctx;

	if (json_array_size(f->at) == 0)
		(void)snprintf(f->why, sizeof(f->why), "%s%s%s", place,
			       *place != '\0' ? ": " : "", why);
	(void)json_array_append(f->at, at);
}

/* --- results -------------------------------------------------------------- */

/* A value as JSON, to be compared; NULL for what JSON lacks.  *NESTED is
 * bounded by the program and by the data. */
static json_t *json_of(const struct certlogic_value *v,
		       struct certlogic_scratch *s)
{
	struct certlogic_walk w;
	json_t *array;

	switch (v->type) {
	case CERTLOGIC_NULL: return json_null();
	case CERTLOGIC_FALSE: return json_false();
	case CERTLOGIC_TRUE: return json_true();
	case CERTLOGIC_INTEGER: return json_integer(v->integer);
	case CERTLOGIC_TEXT:
		return json_stringn((const char *)v->text.p, v->text.n);
	case CERTLOGIC_ARRAY:
	case CERTLOGIC_LIST: break;
	default: return NULL;
	}
	array = json_array();
	w = certlogic_walk(v);
	while (w.rest.n > 0) {
		struct certlogic_value item;

		if (certlogic_walk_next(&w, s, &item) != CERTLOGIC_OK ||
		    json_array_append_new(array, json_of(&item, s)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Does V equal EXPECTED?  Of a map, each member does, and there are as many. */
static bool is_expected(const struct certlogic_value *v, json_t *expected,
			struct certlogic_scratch *s)
{
	const char *key;
	json_t *value;
	json_t *is;
	bool same;

	if (v->type == CERTLOGIC_MAP || v->type == CERTLOGIC_RECORD) {
		if (json_object_size(expected) != v->n ||
		    !json_is_object(expected))
			return false;
		json_object_foreach(expected, key, value)
		{
			struct certlogic_value member;

			if (certlogic_value_member(v, span_str(key), s,
						   &member) != CERTLOGIC_OK ||
			    !is_expected(&member, value, s))
				return false;
		}
		return true;
	}
	is = json_of(v, s);
	same = is != NULL && json_equal(is, expected) != 0;
	json_decref(is);
	return same;
}

static const char *evaluate(const struct certlogic *program, struct span data,
			    json_t *expected)
{
	struct certlogic_scratch scratch;
	struct certlogic_value context;
	struct certlogic_value value;
	enum certlogic_error err = certlogic_value_read(data, &context);

	certlogic_scratch_init(&scratch);
	if (err == CERTLOGIC_OK)
		err = certlogic_evaluate(program, &context, &scratch, &value);
	if (err != CERTLOGIC_OK)
		return certlogic_error_text(err);
	certlogic_scratch_init(&scratch); /* its steps: for comparing */
	return is_expected(&value, expected, &scratch)
		       ? NULL
		       : "it does not evaluate to what is expected";
}

static void assert_one(struct rules_run *r, const char *file, const char *name,
		       json_t *expression, const json_t *assertion)
{
	struct found found = {.at = json_array()};
	const struct certlogic_listener listener = {.tell = note_fault,
						    .ctx = &found};
	json_t *data = json_object_get(assertion, "data");
	json_t *expected = json_object_get(assertion, "expected");
	struct certlogic *program;
	uint8_t *cbor = NULL;
	size_t n;

	if (certlogic_load(expression, &listener, &program) != SG_OK) {
		rules_count(r, file, name, found.why);
	} else if (data == NULL || expected == NULL ||
		   json_cbor(data, &cbor, &n) != SG_OK) {
		rules_count(r, file, name, "it needs data and expected");
	} else {
		rules_count(r, file, name,
			    evaluate(program, span_of(cbor, n), expected));
	}
	free(cbor);
	certlogic_free(program);
	json_decref(found.at);
}

/* --- faults --------------------------------------------------------------- */

/* As many faults, and at the same parts; how they are worded is our own. */
static void validate_one(struct rules_run *r, const char *file,
			 const char *name, json_t *expression,
			 const json_t *issues)
{
	struct found found = {.at = json_array()};
	const struct certlogic_listener listener = {.tell = note_fault,
						    .ctx = &found};
	const size_t n = json_array_size(issues);
	struct certlogic *program;
	char why[WHY_BYTES];
	const enum sg_err err = certlogic_load(expression, &listener, &program);

	certlogic_free(program);
	why[0] = '\0';
	if ((err != SG_OK) != (n > 0) || json_array_size(found.at) != n)
		(void)snprintf(why, sizeof(why),
			       "%zu faults expected, found: %zu", n,
			       json_array_size(found.at));
	for (size_t i = 0; i < n && why[0] == '\0'; i++)
		if (json_equal(json_array_get(found.at, i),
			       json_object_get(json_array_get(issues, i),
					       "expr")) == 0)
			(void)snprintf(why, sizeof(why),
				       "fault %zu is at another part", i);
	rules_count(r, file, name, why[0] != '\0' ? why : NULL);
	json_decref(found.at);
}

/* --- a suite -------------------------------------------------------------- */

static bool is_skipped(const json_t *j)
{
	const char *directive =
		json_string_value(json_object_get(j, "directive"));

	return directive != NULL && strcmp(directive, "skip") == 0;
}

static void run_case(struct rules_run *r, const char *file, const char *suite,
		     size_t at, const json_t *one)
{
	json_t *expression = json_object_get(one, "certLogicExpression");
	const json_t *issues = json_object_get(one, "issues");
	const json_t *assertions = json_object_get(one, "assertions");
	const char *name = json_string_value(json_object_get(one, "name"));
	char label[NAME_BYTES];

	if (issues != NULL) {
		(void)snprintf(label, sizeof(label), "%s [%zu]", suite, at);
		validate_one(r, file, label, expression, issues);
	}
	for (size_t i = 0; i < json_array_size(assertions); i++) {
		const json_t *a = json_array_get(assertions, i);
		json_t *own = json_object_get(a, "certLogicExpression");

		(void)snprintf(label, sizeof(label), "%s [%zu]",
			       name != NULL ? name : suite, i);
		if (is_skipped(one) || is_skipped(a))
			r->skipped++;
		else
			assert_one(r, file, label,
				   own != NULL ? own : expression, a);
	}
}

void rules_run_suite(struct rules_run *r, const char *file, const json_t *suite)
{
	const json_t *cases = json_object_get(suite, "cases");
	const char *name = json_string_value(json_object_get(suite, "name"));

	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *one = json_array_get(cases, i);

		if (is_skipped(suite))
			r->skipped += json_array_size(
				json_object_get(one, "assertions"));
		else
			run_case(r, file, name != NULL ? name : "", i, one);
	}
}
