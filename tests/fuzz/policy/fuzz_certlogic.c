/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CertLogic expression, or a whole rule, in JSON; behind a NUL the data in
 * CBOR, which has not been checked.  Whatever both are, the evaluation ends
 * within its steps, and its result can be walked.
 */
#include <jansson.h>

#include "../require.h"
#include "policy/certlogic_evaluate.h"
#include "policy/certlogic_load.h"
#include "policy/certlogic_paths.h"
#include "policy/certlogic_rule.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1700000000, DEPTH_MAX = 40 };

struct told {
	size_t n;
};

static void tell(void *ctx, const char *place, json_t *at, const char *why)
{
	struct told *t = ctx;

	(void)at;
	t->n++;
	require(strlen(place) < CERTLOGIC_PATH_MAX + 16 && strlen(why) > 0,
		"a fault says where and why");
}

/* Touch every byte of V. */
static void walk(const struct certlogic_value *v, struct certlogic_scratch *s,
		 unsigned depth)
{
	static volatile uint8_t sink;
	struct certlogic_walk w = certlogic_walk(v);
	struct certlogic_value item;

	if (v->type == CERTLOGIC_TEXT)
		for (size_t i = 0; i < v->text.n; i++)
			sink = v->text.p[i];
	if (v->type == CERTLOGIC_RECORD)
		for (uint32_t i = 0; i < v->n && depth < DEPTH_MAX; i++)
			walk(&v->member[i].value, s, depth + 1);
	if (v->type == CERTLOGIC_MAP)
		(void)certlogic_value_member(v, SPAN_LIT("none"), s, &item);
	while (certlogic_is_array(v) && w.rest.n > 0 && depth < DEPTH_MAX &&
	       certlogic_walk_next(&w, s, &item) == CERTLOGIC_OK)
		walk(&item, s, depth + 1);
	(void)sink;
}

static void evaluate(const struct certlogic *program,
		     const struct certlogic_value *context)
{
	struct certlogic_scratch scratch;
	struct certlogic_value value;

	certlogic_scratch_init(&scratch);
	if (certlogic_evaluate(program, context, &scratch, &value) !=
	    CERTLOGIC_OK)
		return;
	require(scratch.steps < CERTLOGIC_STEPS_MAX, "it takes steps");
	require(scratch.n <= CERTLOGIC_SCRATCH_MAX &&
			scratch.nmembers <= CERTLOGIC_MEMBERS_MAX,
		"it stays in its scratch");
	scratch.steps = CERTLOGIC_STEPS_MAX;
	walk(&value, &scratch, 0);
}

static void try_expression(struct span text, const struct certlogic_value *data)
{
	const struct certlogic_member member[] = {
		{SPAN_LIT("payload"), *data},
		{SPAN_LIT("external"), *data},
	};
	const struct certlogic_value whole = certlogic_record(member, 2);
	struct told told = {.n = 0};
	const struct certlogic_listener listener = {.tell = tell, .ctx = &told};
	json_t *j = json_loadb((const char *)text.p, text.n,
			       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	struct certlogic *program;
	enum sg_err err;

	if (j == NULL)
		return;
	err = certlogic_load(j, &listener, &program);
	json_decref(j); /* the program is on its own */
	require((err == SG_OK) == (told.n == 0), "faults say why");
	require((program != NULL) == (err == SG_OK), "a program or faults");
	if (program == NULL)
		return;
	evaluate(program, data);
	evaluate(program, &whole);
	certlogic_free(program);
}

/* Does what it reads exist?  What is told is not counted. */
static void check_paths(struct span text)
{
	struct told told = {.n = 0};
	const struct certlogic_listener listener = {.tell = tell, .ctx = &told};
	json_t *j = json_loadb((const char *)text.p, text.n,
			       JSON_REJECT_DUPLICATES, NULL);

	require(j != NULL, "a rule is JSON");
	certlogic_paths_check(j, &listener);
	json_decref(j);
}

static void try_rule(struct span text, const struct certlogic_value *data)
{
	struct told told = {.n = 0};
	const struct certlogic_listener listener = {.tell = tell, .ctx = &told};
	struct certlogic_scratch scratch;
	struct certlogic_rule rule;
	enum certlogic_error why;
	const enum sg_err err = certlogic_rule_parse(text, &listener, &rule);

	require((err == SG_OK) == (told.n == 0), "a rule's faults say why");
	if (err != SG_OK)
		return;
	require(rule.kinds != 0 && rule.from_ms <= rule.to_ms, "a rule");
	for (unsigned l = 0; l < VERDICT_LANGUAGES; l++)
		require(rule.violation.detail[l].n > 0 &&
				rule.violation.detail[l].n <=
					CERTLOGIC_DETAIL_MAX,
			"a detail");
	for (unsigned k = 0; k < DCC_KINDS; k++) {
		require(rule.pointer_n[k] < VERDICT_POINTER_MAX, "a pointer");
		(void)certlogic_rule_applies(&rule, (enum dcc_kind)k, NOW);
	}
	check_paths(text);
	certlogic_scratch_init(&scratch);
	(void)certlogic_rule_holds(&rule, data, data, &scratch, &why);
	certlogic_rule_clear(&rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
	const size_t n = end != NULL ? (size_t)(end - data) : size;
	const size_t rest = end != NULL ? size - n - 1 : 0;
	struct certlogic_value value = {.type = CERTLOGIC_NULL};

	(void)certlogic_value_read(span_of(end != NULL ? end + 1 : data, rest),
				   &value);
	try_expression(span_of(data, n), &value);
	try_rule(span_of(data, n), &value);
	return 0;
}
