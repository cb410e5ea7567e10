/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "scan.h"

enum {
	CODES_MAX = 512,
	FIELDS_MAX = 2048,
	ISSUERS_MAX = 4096,
	NAME_MAX_BYTES = 32 /* of a field */
};

enum sg_err tally_create(bool cleaning, struct tally **out)
{
	struct tally *t = calloc(1, sizeof(*t));
	enum sg_err err;

	if (t == NULL)
		return SG_NO_MEMORY;
	err = counts_create(CODES_MAX, &t->codes);
	if (err == SG_OK && cleaning)
		err = counts_create(FIELDS_MAX, &t->fields);
	if (err == SG_OK && cleaning)
		err = counts_create(ISSUERS_MAX, &t->issuers);
	if (err != SG_OK) {
		tally_free(t);
		return err;
	}
	*out = t;
	return SG_OK;
}

void tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	counts_free(t->codes);
	counts_free(t->fields);
	counts_free(t->issuers);
	free(t);
}

bool tally_issuer(struct span request, char *out, size_t cap)
{
	static const char *const kinds[] = {"v", "t", "r"};
	struct span dcc;
	struct span list;
	struct span entry;
	struct span value;
	json_t *text;

	if (!scan_find(request, "dcc", &dcc))
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!scan_find(dcc, kinds[i], &list) ||
		    !scan_first(list, &entry) ||
		    !scan_find(entry, "is", &value) || value.p[0] != '"')
			continue;
		text = json_loadb((const char *)value.p, value.n,
				  JSON_DECODE_ANY, NULL);
		if (text == NULL)
			return false;
		(void)snprintf(out, cap, "%s", json_string_value(text));
		json_decref(text);
		return true;
	}
	return false;
}

/* Does the segment of N bytes at P look like a field's name, or an index? */
static bool is_name(const char *p, size_t n)
{
	if (n == 0 || n > NAME_MAX_BYTES)
		return false;
	if (isdigit((unsigned char)p[0])) /* an index, and no number of data */
		return n <= 2 && (n == 1 || isdigit((unsigned char)p[1]));
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)p[i]) && p[i] != '_' && p[i] != '-')
			return false;
	return true;
}

void tally_field(const char *pointer, char *out, size_t cap)
{
	size_t at = 0;

	out[0] = '\0';
	while (*pointer == '/' && at + 1 < cap) {
		const size_t n = strcspn(pointer + 1, "/");
		const bool name = is_name(pointer + 1, n);
		const int len =
			snprintf(out + at, cap - at, "/%.*s", name ? (int)n : 1,
				 name ? pointer + 1 : "?");

		if (len < 0)
			return;
		at += (size_t)len;
		pointer += n + 1;
	}
}

static const char *member(const json_t *j, const char *name)
{
	const char *text = json_string_value(json_object_get(j, name));

	return text != NULL ? text : "";
}

static void add_violation(struct tally *t, uint64_t line, const json_t *v)
{
	const bool warning = member(v, "level")[0] == 'w';
	char field[COUNTS_KEY_MAX];
	struct count *c;

	c = counts_add(t->codes, span_str(member(v, "code")), line);
	c->warning = c->warning && warning;
	if (t->fields == NULL)
		return;
	tally_field(member(v, "pointer"), field, sizeof(field));
	c = counts_add(t->fields,
		       field[0] != '\0' ? span_str(field)
					: SPAN_LIT("(whole record)"),
		       line);
	c->warning = c->warning && warning;
}

/* A problem without violations goes by its own name. */
static void add_type(struct tally *t, uint64_t line, struct span type)
{
	static const struct span prefix = {(const uint8_t *)"/problems/", 10};
	struct count *c;

	if (type.n > prefix.n && memcmp(type.p, prefix.p, prefix.n) == 0)
		type = span_of(type.p + prefix.n, type.n - prefix.n);
	c = counts_add(t->codes, type.n > 0 ? type : SPAN_LIT("(unnamed)"),
		       line);
	c->warning = false;
}

static void add_reasons(struct tally *t, uint64_t line, const struct answer *a)
{
	json_t *list = NULL;
	const json_t *v;
	size_t i;

	if (a->violations.n > 0)
		list = json_loadb((const char *)a->violations.p,
				  a->violations.n, JSON_ALLOW_NUL, NULL);
	json_array_foreach(list, i, v)
	{
		add_violation(t, line, v);
	}
	if (a->kind == ANSWER_PROBLEM && json_array_size(list) == 0)
		add_type(t, line, a->type);
	json_decref(list);
}

static void add_issuer(struct tally *t, uint64_t line, struct span request,
		       const struct answer *a)
{
	char issuer[4 * COUNTS_KEY_MAX]; /* counts cuts between characters */
	struct count *c;

	if (!tally_issuer(request, issuer, sizeof(issuer)))
		issuer[0] = '\0';
	c = counts_add(t->issuers,
		       issuer[0] != '\0' ? span_str(issuer)
					 : SPAN_LIT("(none)"),
		       line);
	c->good += a->kind == ANSWER_GOOD;
}

void tally_add(struct tally *t, uint64_t line, struct span request,
	       const struct answer *a)
{
	t->records++;
	if (a->kind == ANSWER_GOOD) {
		t->good++;
		t->replayed += a->replayed;
		t->warned += a->violations.n > 0;
	} else if (a->again) {
		t->again++;
	} else {
		t->refused++;
	}
	if (a->kind == ANSWER_PROBLEM || a->violations.n > 0)
		add_reasons(t, line, a);
	if (t->issuers != NULL)
		add_issuer(t, line, request, a);
}
