/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_EXPRESSION_H
#define SG_TEST_EXPRESSION_H

#include <jansson.h>

#include "policy/certlogic_evaluate.h"
#include "policy/certlogic_load.h"
#include "request.h"

/* For the tests: CertLogic expressions and rules, ' in place of ". */

static inline json_t *expression_json(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *j;

	assert_non_null(copy);
	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	j = json_loads(copy, JSON_DECODE_ANY, &error);
	if (j == NULL)
		fail_msg("%s: %s", text, error.text);
	free(copy);
	return j;
}

/* The program that TEXT is; certlogic_free() it. */
static inline struct certlogic *expression_of(const char *text)
{
	json_t *j = expression_json(text);
	struct certlogic *program;

	assert_int_equal(certlogic_load(j, NULL, &program), SG_OK);
	json_decref(j);
	return program;
}

/* Faults as lines "place: why". */
struct expression_faults {
	size_t n;
	char text[2048];
};

static inline void expression_tell(void *ctx, const char *place, json_t *at,
				   const char *why)
{
	struct expression_faults *f = ctx;
	const size_t n = strlen(f->text);

	(void)at;
	(void)snprintf(f->text + n, sizeof(f->text) - n, "%s: %s\n", place,
		       why);
	f->n++;
}

#endif /* SG_TEST_EXPRESSION_H */
