/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <assert.h>
#include <stdlib.h>

enum {
	TEXT_MIN = 64,
	TEXT_KEPT_MAX = 8192 /* bytes that stay for the next record */
};

static struct record *at(const struct records *q, uint32_t number)
{
	return &q->record[number % RECORDS_MAX];
}

enum sg_err records_create(struct records *q)
{
	*q = (struct records){0};
	q->record = calloc(RECORDS_MAX, sizeof(q->record[0]));
	return q->record != NULL ? SG_OK : SG_NO_MEMORY;
}

void records_shed(struct records *q)
{
	if (!q->used)
		return;
	for (size_t i = 0; i < RECORDS_MAX; i++) {
		free(q->record[i].id.p);
		free(q->record[i].line.p);
		free(q->record[i].request.p);
		free(q->record[i].presented.p);
		free(q->record[i].signature.p);
		q->record[i] = (struct record){0};
	}
	q->used = false;
}

void records_free(struct records *q)
{
	records_shed(q);
	free(q->record);
	*q = (struct records){0};
}

size_t records_count(const struct records *q)
{
	return q->next - q->first;
}

struct record *records_push(struct records *q, void *owner, uint64_t now_us)
{
	struct record *r = at(q, q->next);

	assert(records_count(q) < RECORDS_MAX);
	q->next++;
	q->used = true;
	r->owner = owner;
	r->number = q->next;
	r->taken_us = now_us;
	r->asked = false;
	r->answered = false;
	r->later = false;
	r->id.n = 0;
	r->line.n = 0;
	return r;
}

struct record *records_first(const struct records *q)
{
	return records_count(q) > 0 ? at(q, q->first) : NULL;
}

bool records_is_next(const struct records *q, const struct record *r)
{
	return records_first(q) == r;
}

struct record *records_next_answered(const struct records *q, struct span *line)
{
	struct record *r = records_first(q);

	if (r == NULL || !r->answered)
		return NULL;
	*line = span_of(r->line.p, r->line.n);
	return r;
}

static void shed(struct record_text *t)
{
	if (t->cap <= TEXT_KEPT_MAX)
		return;
	free(t->p);
	*t = (struct record_text){0};
}

void records_pop(struct records *q)
{
	struct record *r = records_first(q);

	assert(r != NULL);
	shed(&r->line);
	shed(&r->request);
	q->first++;
}

static enum sg_err keep(struct record_text *t, struct span s)
{
	size_t cap = t->cap > 0 ? t->cap : TEXT_MIN;

	while (cap < s.n)
		cap *= 2;
	if (cap != t->cap) {
		uint8_t *p = realloc(t->p, cap);

		if (p == NULL)
			return SG_NO_MEMORY;
		t->p = p;
		t->cap = cap;
	}
	if (s.n > 0)
		memcpy(t->p, s.p, s.n);
	t->n = s.n;
	return SG_OK;
}

void *record_owner(const struct record *r)
{
	return r->owner;
}

struct span record_id(const struct record *r)
{
	return span_of(r->id.p, r->id.n);
}

enum sg_err record_keep_id(struct record *r, struct span id)
{
	return id.n > 0 ? keep(&r->id, id) : SG_OK;
}

void record_answered(struct record *r, struct span line)
{
	r->answered = true;
	if (keep(&r->line, line) != SG_OK)
		r->line.n = 0;
}

size_t brought_bytes(const struct brought *b)
{
	return b->request.n + b->presented.n + b->signature.n;
}

/* Most bring none: no memory for it. */
static enum sg_err keep_if_any(struct record_text *t, struct span s)
{
	t->n = 0;
	return s.n > 0 ? keep(t, s) : SG_OK;
}

enum sg_err record_put_off(struct record *r, const struct brought *b)
{
	enum sg_err err = keep(&r->request, b->request);

	if (err == SG_OK)
		err = keep_if_any(&r->presented, b->presented);
	if (err == SG_OK)
		err = keep_if_any(&r->signature, b->signature);
	r->later = err == SG_OK;
	return err;
}

struct record *records_put_off(const struct records *q)
{
	for (uint32_t i = q->first; i != q->next; i++) {
		struct record *r = at(q, i);

		if (r->later)
			return r;
	}
	return NULL;
}

struct brought record_resume(struct record *r)
{
	r->later = false;
	return (struct brought){
		.request = span_of(r->request.p, r->request.n),
		.presented = span_of(r->presented.p, r->presented.n),
		.signature = span_of(r->signature.p, r->signature.n)};
}
