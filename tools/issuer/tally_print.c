/* SPDX-License-Identifier: Apache-2.0 */
#include "tally_print.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/common/csv.h"
#include "tools/common/meaning.h"
#include "tools/common/number.h"

enum {
	ROWS_MAX = 20,	 /* of fields and issuers: names that others chose */
	CODES_MAX = 100, /* all codes; only CertLogic rules may be more */
	KEY_WIDTH = 28,
	PER_CENT = 100
};

static double share(uint64_t n, uint64_t of)
{
	return of == 0 ? 0 : PER_CENT * (double)n / (double)of;
}

/* Columns that TEXT takes: characters, as far as UTF-8 tells. */
static int columns(const char *text)
{
	int n = 0;

	for (const char *p = text; *p != '\0'; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

static void put_key(FILE *to, const char *key)
{
	const int pad = KEY_WIDTH - columns(key);

	(void)fprintf(to, "  %s%*s", key, pad > 0 ? pad : 0, "");
}

/* A space at an end would not be seen. */
static void put_issuer(FILE *to, const char *key)
{
	char quoted[COUNTS_KEY_MAX + sizeof("\"\"")];

	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", key);
	put_key(to, key[0] == '(' ? key : quoted);
}

static void put_lines(FILE *to, const struct count *c, const char *between)
{
	for (unsigned i = 0; i < c->nlines; i++)
		(void)fprintf(to, "%s%" PRIu64, i > 0 ? between : "",
			      c->lines[i]);
}

static void table_of(FILE *to, const char *title, struct counts *counts,
		     bool codes)
{
	const size_t max = codes ? CODES_MAX : ROWS_MAX;
	const struct count *const *c;
	char number[32];
	size_t n;

	c = counts_sorted(counts, &n);
	if (n == 0)
		return;
	(void)fprintf(to, "\n%-30s %11s  %s\n", title, "times", "first lines");
	for (size_t i = 0; i < n && i < max; i++) {
		put_key(to, c[i]->key);
		(void)fprintf(to, " %11s  ", number_text(c[i]->n, number));
		put_lines(to, c[i], " ");
		(void)fputs(c[i]->warning ? "  (warning)\n" : "\n", to);
		if (codes && meaning_of(c[i]->key) != NULL)
			(void)fprintf(to, "      %s\n", meaning_of(c[i]->key));
	}
	if (n > max)
		(void)fprintf(to, "  and %zu more\n", n - max);
}

static void table_of_issuers(FILE *to, struct counts *counts)
{
	const struct count *const *c;
	char records[32];
	char refused[32];
	size_t n;

	c = counts_sorted(counts, &n);
	if (n == 0)
		return;
	(void)fprintf(to, "\n%-30s %11s %11s %8s  %s\n", "issuer", "records",
		      "refused", "accepted", "first lines");
	for (size_t i = 0; i < n && i < ROWS_MAX; i++) {
		put_issuer(to, c[i]->key);
		(void)fprintf(to, " %11s %11s %6.1f %%  ",
			      number_text(c[i]->n, records),
			      number_text(c[i]->n - c[i]->good, refused),
			      share(c[i]->good, c[i]->n));
		put_lines(to, c[i], " ");
		(void)fputc('\n', to);
	}
	if (n > ROWS_MAX)
		(void)fprintf(to, "  and %zu more\n", n - ROWS_MAX);
}

void tally_print_table(FILE *to, struct tally *t)
{
	table_of(to, "code", t->codes, true);
	if (t->fields != NULL)
		table_of(to, "field", t->fields, false);
	if (t->issuers != NULL)
		table_of_issuers(to, t->issuers);
}

static void csv_of(FILE *to, const char *section, struct counts *counts)
{
	const struct count *const *c;
	size_t n;

	c = counts_sorted(counts, &n);
	for (size_t i = 0; i < n; i++) {
		(void)fprintf(to, "%s,", section);
		csv_text(to, c[i]->key);
		if (section[0] == 'i')
			(void)fprintf(to, ",,%" PRIu64 ",%" PRIu64 ",", c[i]->n,
				      c[i]->n - c[i]->good);
		else
			(void)fprintf(to, ",%s,%" PRIu64 ",,",
				      c[i]->warning ? "warning" : "error",
				      c[i]->n);
		put_lines(to, c[i], " ");
		(void)fputs("\r\n", to);
	}
}

void tally_print_csv(FILE *to, struct tally *t)
{
	csv_begin(to, "section,key,level,count,refused,lines");
	(void)fprintf(to, "total,records,,%" PRIu64 ",%" PRIu64 ",\r\n",
		      t->records, t->records - t->good);
	csv_of(to, "code", t->codes);
	if (t->fields != NULL)
		csv_of(to, "field", t->fields);
	if (t->issuers != NULL)
		csv_of(to, "issuer", t->issuers);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *json_of(struct counts *counts, const char *name)
{
	const struct count *const *c;
	json_t *list = json_array();
	size_t n;

	c = counts_sorted(counts, &n);
	for (size_t i = 0; i < n; i++) {
		json_t *j = json_object();
		json_t *lines = json_array();

		for (unsigned k = 0; k < c[i]->nlines; k++)
			json_array_append_new(lines, number(c[i]->lines[k]));
		json_object_set_new(j, name, json_string(c[i]->key));
		if (name[0] == 'i') {
			json_object_set_new(j, "records", number(c[i]->n));
			json_object_set_new(j, "refused",
					    number(c[i]->n - c[i]->good));
		} else {
			json_object_set_new(j, "level",
					    json_string(c[i]->warning
								? "warning"
								: "error"));
			json_object_set_new(j, "count", number(c[i]->n));
		}
		json_object_set_new(j, "lines", lines);
		json_array_append_new(list, j);
	}
	return list;
}

json_t *tally_json(struct tally *t)
{
	json_t *j = json_object();

	json_object_set_new(j, "records", number(t->records));
	json_object_set_new(j, "refused", number(t->refused));
	json_object_set_new(j, "again", number(t->again));
	json_object_set_new(j, "warned", number(t->warned));
	json_object_set_new(j, "codes", json_of(t->codes, "code"));
	if (t->fields != NULL)
		json_object_set_new(j, "fields", json_of(t->fields, "field"));
	if (t->issuers != NULL)
		json_object_set_new(j, "issuers",
				    json_of(t->issuers, "issuer"));
	return j;
}

void tally_print_json(FILE *to, json_t *j)
{
	char *text = json_dumps(j, JSON_INDENT(2));

	(void)fprintf(to, "%s\n", text != NULL ? text : "{}");
	free(text);
	json_decref(j);
}
