/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_values.h"

#include <stdlib.h>

#include "valueset_table.h"

/* The set ID of the file, if it has one. */
static enum sg_err read_set(struct reading *r, enum valueset_id id)
{
	const struct source_list *l = &r->out->source->value_sets.set[id];
	struct text_set *own = &r->out->own_set[id];
	char path[READING_PATH_BYTES];

	r->out->valuesets.set[id] = VALUESET_TABLE[id];
	if (l->n == 0)
		return SG_OK;
	own->text = calloc(l->n, sizeof(own->text[0]));
	if (own->text == NULL)
		return SG_NO_MEMORY;
	own->n = l->n;
	for (uint32_t i = 0; i < l->n; i++)
		own->text[i] = span_str(l->text[i]);
	if (!text_set_sort(own)) {
		reading_path(path, "value_sets.%s", valueset_key(id));
		reading_fault(r, path, "a code is there twice");
	}
	r->out->valuesets.set[id] =
		(struct valueset){.n = own->n, .code = own->text};
	return SG_OK;
}

/* CODE of vaccine INDEX must be there, and in set ID. */
static bool read_code(struct reading *r, uint32_t index, enum valueset_id id,
		      const char *code, struct span *out)
{
	char path[READING_PATH_BYTES];

	reading_path(path, "value_sets.vaccines[%u].%s", (unsigned)index,
		     valueset_key(id));
	if (code == NULL) {
		reading_fault(r, path, "is missing");
		return false;
	}
	*out = span_str(code);
	if (valueset_find(&r->out->valuesets.set[id], *out) != VALUESET_NONE)
		return true;
	reading_fault(r, path, "'%.*s' is not in the value set %s",
		      reading_shown(code), code, valueset_key(id));
	return false;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Is a vaccine of the file there twice?  They are in order. */
static void check_twice(struct reading *r)
{
	const struct valuesets *v = &r->out->valuesets;

	for (size_t i = 1; i < v->nvaccines; i++)
		if (compare_numbers(&v->vaccine[i - 1], &v->vaccine[i]) == 0) {
			reading_fault(r, "value_sets.vaccines",
				      "a vaccine is there twice");
			return;
		}
}

static enum sg_err read_vaccines(struct reading *r)
{
	const struct source_valuesets *s = &r->out->source->value_sets;
	struct vaccine *vaccine =
		calloc((size_t)s->nvaccines + 1, sizeof(vaccine[0]));
	size_t n = 0;
	enum sg_err err;

	if (vaccine == NULL)
		return SG_NO_MEMORY;
	for (uint32_t i = 0; i < s->nvaccines; i++) {
		const struct source_vaccine *from = &s->vaccines[i];
		bool good = true;

		good &= read_code(r, i, VALUESET_MP, from->mp, &vaccine[n].mp);
		good &= read_code(r, i, VALUESET_MA, from->ma, &vaccine[n].ma);
		good &= read_code(r, i, VALUESET_VP, from->vp, &vaccine[n].vp);
		n += good ? 1 : 0;
	}
	err = valueset_set_vaccines(&r->out->valuesets, vaccine, n);
	free(vaccine);
	if (err == SG_OK)
		check_twice(r);
	return err;
}

/* A product of no vaccine could never be certified: the file has forgotten
 * something. */
static void check_products(struct reading *r)
{
	const struct source_list *l =
		&r->out->source->value_sets.set[VALUESET_MP];
	char path[READING_PATH_BYTES];

	for (uint32_t i = 0; i < l->n; i++) {
		reading_path(path, "value_sets.mp[%u]", (unsigned)i);
		if (!valueset_has_product(&r->out->valuesets,
					  span_str(l->text[i])))
			reading_fault(r, path, "no vaccine has '%.*s'",
				      reading_shown(l->text[i]), l->text[i]);
	}
}

enum sg_err policy_values_read(struct reading *r)
{
	const size_t before = r->faults->n;
	enum sg_err err = SG_OK;

	for (unsigned i = 0; err == SG_OK && i < VALUESET_COUNT; i++)
		err = read_set(r, (enum valueset_id)i);
	if (err != SG_OK)
		return err;
	if (r->out->source->value_sets.nvaccines > 0)
		err = read_vaccines(r);
	else
		err = valueset_set_vaccines(&r->out->valuesets,
					    VALUESET_VACCINES,
					    VALUESET_NVACCINES);
	/* One that is wrong may be the one that a product lacks. */
	if (err == SG_OK && r->faults->n == before)
		check_products(r);
	return err;
}

void policy_values_clear(struct policy_file *f)
{
	valueset_clear(&f->valuesets);
	for (size_t i = 0; i < VALUESET_COUNT; i++)
		free(f->own_set[i].text);
}
