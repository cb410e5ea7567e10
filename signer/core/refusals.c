/* SPDX-License-Identifier: Apache-2.0 */
#include "refusals.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct tally {
	char client[ENTRY_NAME_MAX + 1];
	int64_t since_ms; /* of these counts */
	uint64_t index;	  /* once it is taken: the leaf */
	uint64_t records;
	uint64_t count[VIOLATION_COUNT];
};

struct refusals {
	int64_t since_ms; /* when they were taken last */
	size_t n, last;	  /* tallies in use; the one that was used last */
	struct tally tally[REFUSALS_CLIENTS_MAX];
	size_t ntaken; /* the last time, in case that it is lost */
	struct tally taken[REFUSALS_CLIENTS_MAX];
	/* The codes in the order in which an entry has them. */
	enum violation_code order[VIOLATION_COUNT];
};

_Static_assert((int)VIOLATION_COUNT <= (int)ENTRY_CODES_MAX,
	       "one entry must hold every code");

static const char OTHERS[] = "other";

/* Bytewise order of the CBOR of text keys: the shorter first. */
static int compare_codes(const void *a, const void *b)
{
	const char *x = violation_code_text(*(const enum violation_code *)a);
	const char *y = violation_code_text(*(const enum violation_code *)b);
	const size_t nx = strlen(x);
	const size_t ny = strlen(y);

	if (nx != ny)
		return nx < ny ? -1 : 1;
	return strcmp(x, y);
}

enum sg_err refusals_create(int64_t now_ms, struct refusals **out)
{
	struct refusals *r = calloc(1, sizeof(*r));

	*out = r;
	if (r == NULL)
		return SG_NO_MEMORY;
	r->since_ms = now_ms;
	for (size_t i = 0; i < VIOLATION_COUNT; i++)
		r->order[i] = (enum violation_code)i;
	qsort(r->order, VIOLATION_COUNT, sizeof(r->order[0]), compare_codes);
	return SG_OK;
}

/* The tally of CLIENT; that of the others where there is no more room. */
static struct tally *find(struct refusals *r, const char *client)
{
	struct tally *t;

	if (r->last < r->n && strcmp(r->tally[r->last].client, client) == 0)
		return &r->tally[r->last];
	for (r->last = 0; r->last < r->n; r->last++) {
		if (strcmp(r->tally[r->last].client, client) == 0)
			return &r->tally[r->last];
	}
	if (r->n == REFUSALS_CLIENTS_MAX) {
		r->last = r->n - 1;
		return &r->tally[r->last];
	}
	if (r->n == REFUSALS_CLIENTS_MAX - 1)
		client = OTHERS;
	t = &r->tally[r->n++];
	*t = (struct tally){.since_ms = r->since_ms};
	(void)snprintf(t->client, sizeof(t->client), "%s", client);
	return t;
}

void refusals_add(struct refusals *r, const char *client,
		  const struct verdict *v)
{
	struct tally *t = find(r, client);
	uint64_t seen = 0;

	_Static_assert(VIOLATION_COUNT <= 64, "the codes must fit a bit mask");
	t->records++;
	for (size_t i = 0; i < v->n; i++) {
		const struct violation *one = &v->violation[i];
		const uint64_t bit = UINT64_C(1) << one->code;

		if (one->warning || (seen & bit) != 0)
			continue;
		seen |= bit;
		t->count[one->code]++;
	}
}

static void fill(const struct refusals *r, const struct tally *t,
		 struct entry_refused *e)
{
	*e = (struct entry_refused){.client = span_str(t->client),
				    .from_ms = t->since_ms,
				    .records = t->records};
	for (size_t i = 0; i < VIOLATION_COUNT; i++) {
		const enum violation_code code = r->order[i];

		if (t->count[code] == 0)
			continue;
		e->code[e->n].code = span_str(violation_code_text(code));
		e->code[e->n].count = t->count[code];
		e->n++;
	}
}

void refusals_take(struct refusals *r, int64_t now_ms,
		   bool (*put)(void *ctx, const struct entry_refused *e,
			       uint64_t *index),
		   void *ctx)
{
	struct entry_refused e;
	size_t kept = 0;

	r->ntaken = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct tally *t = &r->tally[i];

		fill(r, t, &e);
		if (put(ctx, &e, &t->index))
			r->taken[r->ntaken++] = *t;
		else
			r->tally[kept++] = *t;
	}
	r->n = kept;
	r->since_ms = now_ms;
}

void refusals_lost(struct refusals *r, uint64_t first)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->ntaken; i++) {
		const struct tally *from = &r->taken[i];
		struct tally *t;

		if (from->index < first) {
			r->taken[kept++] = *from;
			continue;
		}
		t = find(r, from->client);
		if (from->since_ms < t->since_ms)
			t->since_ms = from->since_ms;
		t->records += from->records;
		for (size_t c = 0; c < VIOLATION_COUNT; c++)
			t->count[c] += from->count[c];
	}
	r->ntaken = kept;
}

void refusals_free(struct refusals *r)
{
	free(r);
}
