/* SPDX-License-Identifier: Apache-2.0 */
#include "valueset.h"

#include <assert.h>
#include <stdlib.h>

#include "place.h"

enum {
	PLACE_BITS = 20, /* of a code in its set */
	PLACE_MAX = 1 << PLACE_BITS
};

const char *valueset_key(enum valueset_id id)
{
	static const char *const key[VALUESET_COUNT] = {
#define X(id, key, name) [VALUESET_##id] = (key),
		VALUESET_MAP(X)
#undef X
	};

	assert(id < VALUESET_COUNT);
	return key[id];
}

const char *valueset_name(enum valueset_id id)
{
	static const char *const name[VALUESET_COUNT] = {
#define X(id, key, name) [VALUESET_##id] = (name),
		VALUESET_MAP(X)
#undef X
	};

	assert(id < VALUESET_COUNT);
	return name[id];
}

ptrdiff_t valueset_find(const struct valueset *s, struct span code)
{
	size_t low = 0;
	size_t high = s->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = span_compare(s->code[middle], code);

		if (order == 0)
			return (ptrdiff_t)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return VALUESET_NONE;
}

/* --- vaccines ------------------------------------------------------------- */

/* The three places as one number; false if a code is not in its set. */
static bool vaccine_number(const struct valuesets *v, const struct vaccine *x,
			   uint64_t *out)
{
	const ptrdiff_t mp = valueset_find(&v->set[VALUESET_MP], x->mp);
	const ptrdiff_t ma = valueset_find(&v->set[VALUESET_MA], x->ma);
	const ptrdiff_t vp = valueset_find(&v->set[VALUESET_VP], x->vp);

	if (mp < 0 || ma < 0 || vp < 0)
		return false;
	assert(mp < PLACE_MAX && ma < PLACE_MAX && vp < PLACE_MAX);
	*out = (uint64_t)mp << 2 * PLACE_BITS | (uint64_t)ma << PLACE_BITS |
	       (uint64_t)vp;
	return true;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

enum sg_err valueset_set_vaccines(struct valuesets *v,
				  const struct vaccine *vaccine, size_t n)
{
	v->nvaccines = 0;
	v->vaccine = calloc(n > 0 ? n : 1, sizeof(v->vaccine[0]));
	if (v->vaccine == NULL)
		return SG_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		if (vaccine_number(v, &vaccine[i], &v->vaccine[v->nvaccines]))
			v->nvaccines++;
	qsort(v->vaccine, v->nvaccines, sizeof(v->vaccine[0]), compare_numbers);
	return SG_OK;
}

void valueset_clear(struct valuesets *v)
{
	free(v->vaccine);
	v->vaccine = NULL;
	v->nvaccines = 0;
}

/* The first vaccine whose number is not below NUMBER; nvaccines if none is. */
static size_t first_from(const struct valuesets *v, uint64_t number)
{
	size_t low = 0;
	size_t high = v->nvaccines;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (v->vaccine[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool valueset_has_vaccine(const struct valuesets *v, struct span mp,
			  struct span ma, struct span vp)
{
	const struct vaccine x = {mp, ma, vp};
	uint64_t number;
	size_t i;

	if (!vaccine_number(v, &x, &number))
		return false;
	i = first_from(v, number);
	return i < v->nvaccines && v->vaccine[i] == number;
}

bool valueset_has_product(const struct valuesets *v, struct span mp)
{
	const ptrdiff_t place = valueset_find(&v->set[VALUESET_MP], mp);
	size_t i;

	if (place < 0)
		return false;
	i = first_from(v, (uint64_t)place << 2 * PLACE_BITS);
	return i < v->nvaccines &&
	       v->vaccine[i] >> 2 * PLACE_BITS == (uint64_t)place;
}

/* --- the judge ------------------------------------------------------------ */

struct coded {
	enum document_field field;
	enum valueset_id set;
};

/* The fields of an entry of each kind, in the order of the schema. */
static const struct {
	size_t n;
	struct coded coded[5];
} CODED[DCC_KINDS] = {
	[DCC_VACCINATION] = {5,
			     {{DOC_TG, VALUESET_TG},
			      {DOC_VP, VALUESET_VP},
			      {DOC_MP, VALUESET_MP},
			      {DOC_MA, VALUESET_MA},
			      {DOC_CO, VALUESET_CO}}},
	[DCC_TEST] = {5,
		      {{DOC_TG, VALUESET_TG},
		       {DOC_TT, VALUESET_TT},
		       {DOC_MA, VALUESET_TEST_DEVICES},
		       {DOC_TR, VALUESET_TR},
		       {DOC_CO, VALUESET_CO}}},
	[DCC_RECOVERY] = {2, {{DOC_TG, VALUESET_TG}, {DOC_CO, VALUESET_CO}}},
};

static bool is_member(const struct valuesets *sets, enum valueset_id id,
		      struct span code)
{
	const struct valueset *s = &sets->set[id];

	return s->n == 0 || valueset_find(s, code) != VALUESET_NONE;
}

/* Are all three codes there, each in its set, but no vaccine? */
static bool is_inconsistent(const struct rule_context *x)
{
	const struct document *d = x->document;
	const struct valuesets *sets = x->valuesets;

	return d->present[DOC_MP] && d->present[DOC_MA] && d->present[DOC_VP] &&
	       is_member(sets, VALUESET_MP, d->text[DOC_MP]) &&
	       is_member(sets, VALUESET_MA, d->text[DOC_MA]) &&
	       is_member(sets, VALUESET_VP, d->text[DOC_VP]) &&
	       !valueset_has_vaccine(sets, d->text[DOC_MP], d->text[DOC_MA],
				     d->text[DOC_VP]);
}

void valueset_judge(const struct rule_context *x, struct verdict *v)
{
	const struct document *d = x->document;

	if (!d->has_kind) /* refused, and there is no one entry to look at */
		return;
	for (size_t i = 0; i < CODED[d->kind].n; i++) {
		const struct coded *c = &CODED[d->kind].coded[i];

		if (d->present[c->field] &&
		    !is_member(x->valuesets, c->set, d->text[c->field]))
			place_report(x, v, VIOLATION_NOT_IN_VALUE_SET,
				     c->field);
	}
	if (d->kind == DCC_VACCINATION && is_inconsistent(x))
		place_report_entry(x, v, VIOLATION_INCONSISTENT_VACCINE);
}
