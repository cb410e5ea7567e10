/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <assert.h>
#include <stdlib.h>

struct record {
	char *text; /* with its line feed */
	size_t text_n;
	char *answer; /* final, or kept for want of a better one; or NULL */
	size_t answer_n;
	bool done;
	struct window_mark mark;
};

/* A record to be sent again. */
struct again {
	uint64_t due, seq;
};

struct window {
	struct record *ring;
	size_t cap; /* a power of two */
	size_t limit;
	size_t bytes, max;
	uint64_t base, next;
	uint64_t fresh;	    /* no record from here on was taken */
	struct again *heap; /* the earliest first, then the lowest number */
	size_t heap_n;
};

static struct record *at(const struct window *w, uint64_t seq)
{
	return &w->ring[seq & (w->cap - 1)];
}

enum sg_err window_create(size_t n, size_t max, uint64_t first,
			  struct window **out)
{
	struct window *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return SG_NO_MEMORY;
	for (w->cap = 1; w->cap < n; w->cap *= 2)
		;
	w->limit = n;
	w->max = max;
	w->base = w->next = w->fresh = first;
	w->ring = calloc(w->cap, sizeof(*w->ring));
	w->heap = calloc(w->cap, sizeof(*w->heap));
	if (w->ring == NULL || w->heap == NULL) {
		window_free(w);
		return SG_NO_MEMORY;
	}
	*out = w;
	return SG_OK;
}

void window_free(struct window *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; w->ring != NULL && i < w->cap; i++) {
		free(w->ring[i].text);
		free(w->ring[i].answer);
	}
	free(w->ring);
	free(w->heap);
	free(w);
}

bool window_room(const struct window *w)
{
	return w->next == w->base ||
	       (w->next - w->base < w->limit && w->bytes < w->max);
}

enum sg_err window_admit(struct window *w, struct span text)
{
	struct record *r = at(w, w->next);
	char *copy = malloc(text.n + 1);

	assert(window_room(w));
	if (copy == NULL)
		return SG_NO_MEMORY;
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\n';
	*r = (struct record){.text = copy, .text_n = text.n + 1};
	w->bytes += r->text_n;
	w->next++;
	return SG_OK;
}

uint64_t window_next(const struct window *w)
{
	return w->next;
}

uint64_t window_base(const struct window *w)
{
	return w->base;
}

bool window_open(const struct window *w, uint64_t seq)
{
	return seq >= w->base && seq < w->next && !at(w, seq)->done;
}

struct span window_text(const struct window *w, uint64_t seq)
{
	return span_of(at(w, seq)->text, at(w, seq)->text_n);
}

static bool before(const struct again *a, const struct again *b)
{
	return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void swap(struct window *w, size_t i, size_t j)
{
	const struct again held = w->heap[i];

	w->heap[i] = w->heap[j];
	w->heap[j] = held;
}

static void drop_top(struct window *w)
{
	size_t i = 0;

	w->heap[0] = w->heap[--w->heap_n];
	for (;;) {
		size_t least = i;

		for (size_t j = 2 * i + 1; j <= 2 * i + 2 && j < w->heap_n; j++)
			if (before(&w->heap[j], &w->heap[least]))
				least = j;
		if (least == i)
			return;
		swap(w, i, least);
		i = least;
	}
}

void window_again(struct window *w, uint64_t seq, uint64_t due)
{
	size_t i = w->heap_n++;

	assert(w->heap_n <= w->cap && window_open(w, seq));
	w->heap[i] = (struct again){due, seq};
	while (i > 0 && before(&w->heap[i], &w->heap[(i - 1) / 2])) {
		swap(w, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

uint64_t window_due(const struct window *w)
{
	return w->heap_n > 0 ? w->heap[0].due : UINT64_MAX;
}

/* The first record never sent; w->next if there is none. */
static uint64_t first_fresh(const struct window *w)
{
	uint64_t seq = w->fresh < w->base ? w->base : w->fresh;

	while (seq < w->next && at(w, seq)->done)
		seq++;
	return seq;
}

bool window_has(const struct window *w, uint64_t now)
{
	return window_due(w) <= now || first_fresh(w) < w->next;
}

bool window_take(struct window *w, uint64_t now, uint64_t *seq)
{
	if (window_due(w) <= now) {
		*seq = w->heap[0].seq;
		drop_top(w);
		return true;
	}
	w->fresh = first_fresh(w);
	if (w->fresh == w->next)
		return false;
	*seq = w->fresh++;
	return true;
}

enum sg_err window_keep(struct window *w, uint64_t seq, struct span line)
{
	struct record *r = at(w, seq);
	char *copy = malloc(line.n + 1);

	assert(window_open(w, seq));
	if (copy == NULL)
		return SG_NO_MEMORY;
	if (line.n > 0)
		memcpy(copy, line.p, line.n);
	free(r->answer);
	w->bytes += line.n;
	w->bytes -= r->answer_n;
	r->answer = copy;
	r->answer_n = line.n;
	return SG_OK;
}

enum sg_err window_answer(struct window *w, uint64_t seq, struct span line)
{
	const enum sg_err err = window_keep(w, seq, line);

	if (err == SG_OK)
		at(w, seq)->done = true;
	return err;
}

bool window_done(const struct window *w, uint64_t seq, struct span *line)
{
	const struct record *r = at(w, seq);

	if (seq < w->base || seq >= w->next || !r->done)
		return false;
	*line = span_of(r->answer, r->answer_n);
	return true;
}

bool window_front(const struct window *w, struct span *line)
{
	return window_done(w, w->base, line);
}

void window_pop(struct window *w)
{
	struct record *r = at(w, w->base);

	assert(w->base < w->next);
	w->bytes -= r->text_n + r->answer_n;
	free(r->text);
	free(r->answer);
	*r = (struct record){0};
	w->base++;
}

struct window_mark *window_mark(struct window *w, uint64_t seq)
{
	return &at(w, seq)->mark;
}

bool window_settle(struct window *w)
{
	for (uint64_t seq = w->base; seq < w->next; seq++)
		if (at(w, seq)->answer == NULL)
			return false;
	for (uint64_t seq = w->base; seq < w->next; seq++)
		at(w, seq)->done = true;
	w->heap_n = 0;
	w->fresh = w->next;
	return true;
}
