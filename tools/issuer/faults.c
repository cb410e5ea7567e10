/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <inttypes.h>
#include <jansson.h>

#include "counts.h"
#include "tally.h"
#include "tools/common/csv.h"

static const char *member(const json_t *j, const char *name)
{
	const char *text = json_string_value(json_object_get(j, name));

	return text != NULL ? text : "";
}

static void put_row(FILE *to, uint64_t line, const char *const field[4])
{
	(void)fprintf(to, "%" PRIu64, line);
	for (size_t i = 0; i < 4; i++) {
		(void)fputc(',', to);
		csv_text(to, field[i]);
	}
	(void)fputs("\r\n", to);
}

static void put_violation(FILE *to, uint64_t line, const json_t *v)
{
	char pointer[COUNTS_KEY_MAX];

	tally_field(member(v, "pointer"), pointer, sizeof(pointer));
	put_row(to, line,
		(const char *const[]){pointer, member(v, "code"),
				      member(v, "level"), member(v, "detail")});
}

/* A problem without violations goes by its own name. */
static void put_problem(FILE *to, uint64_t line, const json_t *j)
{
	static const char prefix[] = "/problems/";
	const char *type = member(j, "type");

	if (strncmp(type, prefix, sizeof(prefix) - 1) == 0)
		type += sizeof(prefix) - 1;
	put_row(to, line,
		(const char *const[]){"", type, "error", member(j, "detail")});
}

void faults_begin(FILE *to)
{
	csv_begin(to, "line,pointer,code,level,detail");
}

void faults_add(FILE *to, uint64_t line, const struct answer *a,
		struct span text)
{
	const bool bad = a->kind == ANSWER_PROBLEM;
	json_t *list = NULL;
	json_t *j;
	const json_t *v;
	size_t i;

	if (a->violations.n > 0)
		list = json_loadb((const char *)a->violations.p,
				  a->violations.n, JSON_ALLOW_NUL, NULL);
	json_array_foreach(list, i, v)
	{
		put_violation(to, line, v);
	}
	if (bad && json_array_size(list) == 0) {
		j = json_loadb((const char *)text.p, text.n, JSON_ALLOW_NUL,
			       NULL);
		put_problem(to, line, j);
		json_decref(j);
	}
	json_decref(list);
}
