/* SPDX-License-Identifier: Apache-2.0 */
#include "args.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 26 };

static const struct arg_option *find(const struct arg_option *table, size_t n,
				     const char *name, size_t name_n)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].name != NULL && strlen(table[i].name) == name_n &&
		    memcmp(table[i].name, name, name_n) == 0)
			return &table[i];
	return NULL;
}

struct parse {
	const struct arg_option *table;
	size_t n;
	struct args *out;
};

__attribute__((format(printf, 2, 3))) static enum sg_err refuse(
	const struct parse *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->out->why, sizeof(p->out->why), fmt, ap);
	va_end(ap);
	return SG_CONFIG;
}

/* May it be given several times? */
static bool is_many(const struct arg_option *o)
{
	const size_t n = o->value != NULL ? strlen(o->value) : 0;

	return n > 3 && strcmp(o->value + n - 3, "...") == 0;
}

/* One word that begins with "--".  *USED says whether NEXT was its value. */
static enum sg_err take_option(const struct parse *p, const char *word,
			       const char *next, bool *used)
{
	const char *equals = strchr(word, '=');
	const size_t name_n =
		equals != NULL ? (size_t)(equals - word) - 2 : strlen(word) - 2;
	const struct arg_option *o = find(p->table, p->n, word + 2, name_n);
	const char **value;

	*used = false;
	if (o == NULL)
		return refuse(p, "unknown option --%.*s", (int)name_n,
			      word + 2);
	value = &p->out->value[o - p->table];
	if (*value != NULL && !is_many(o))
		return refuse(p, "--%s is given twice", o->name);
	if (o->value == NULL && equals != NULL)
		return refuse(p, "--%s takes no value", o->name);
	if (o->value == NULL) {
		*value = "";
		return SG_OK;
	}
	*used = equals == NULL;
	*value = equals != NULL ? equals + 1 : next;
	if (*value == NULL)
		return refuse(p, "--%s needs a value (%s)", o->name, o->value);
	if (is_many(o)) {
		if (p->out->nmany == ARGS_MANY_MAX)
			return refuse(p, "--%s is given too often", o->name);
		p->out->many[p->out->nmany++] = *value;
	}
	return SG_OK;
}

/* An argument that is no option; "-" alone is standard input. */
static enum sg_err take_rest(const struct parse *p, const char *word,
			     bool options)
{
	if (options && word[0] == '-' && word[1] != '\0')
		return refuse(p, "unknown option %s", word);
	if (p->out->n == ARGS_REST_MAX)
		return refuse(p, "too many arguments");
	p->out->rest[p->out->n++] = word;
	return SG_OK;
}

static void take_environment(const struct arg_option *table, size_t n,
			     struct args *out)
{
	for (size_t i = 0; i < n; i++) {
		const char *value;

		if (out->value[i] != NULL || table[i].env == NULL)
			continue;
		/* Read before any thread is started. */
		value = getenv(/* NOLINT(concurrency-mt-unsafe) */
			       table[i].env);
		if (value != NULL && value[0] != '\0')
			out->value[i] = value;
	}
}

enum sg_err args_parse(const struct arg_option *table, size_t n, int argc,
		       char *const argv[], struct args *out)
{
	const struct parse p = {table, n, out};
	bool options = true;

	assert(n <= ARGS_OPTIONS_MAX);
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < argc; i++) {
		enum sg_err err;
		bool used = false;

		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
			continue;
		}
		if (options && strncmp(argv[i], "--", 2) == 0)
			err = take_option(&p, argv[i],
					  i + 1 < argc ? argv[i + 1] : NULL,
					  &used);
		else
			err = take_rest(&p, argv[i], options);
		if (err != SG_OK)
			return err;
		i += used ? 1 : 0;
	}
	take_environment(table, n, out);
	return SG_OK;
}

void args_help(FILE *to, const struct arg_option *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct arg_option *o = &table[i];
		int width;

		if (o->name == NULL)
			continue;
		width = fprintf(to, "  --%s%s%s", o->name,
				o->value != NULL ? " " : "",
				o->value != NULL ? o->value : "");

		if (width < 0)
			return;
		if (width >= HELP_COLUMN) {
			(void)fputc('\n', to);
			width = 0;
		}
		(void)fprintf(to, "%*s%s", HELP_COLUMN - width, "", o->help);
		if (o->env != NULL)
			(void)fprintf(to, " [%s]", o->env);
		(void)fputc('\n', to);
	}
}

bool args_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (text[0] == '\0')
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		const uint64_t digit = (uint64_t)(*p - '0');

		if (*p < '0' || *p > '9' || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}
