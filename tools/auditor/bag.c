/* SPDX-License-Identifier: Apache-2.0 */
#include "bag.h"

#include <stdlib.h>

struct bag {
	size_t n, cap;
	size_t last;		/* where the last one was found */
	struct bag_cell **cell; /* CAP of them, N in the order of their keys */
	struct bag_cell other;
};

enum sg_err bag_create(size_t cap, struct bag **out)
{
	struct bag *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return SG_NO_MEMORY;
	b->cap = cap;
	b->cell = calloc(cap, sizeof(struct bag_cell *));
	if (b->cell == NULL) {
		free(b);
		return SG_NO_MEMORY;
	}
	*out = b;
	return SG_OK;
}

void bag_free(struct bag *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		free(b->cell[i]);
	free((void *)b->cell);
	free(b);
}

static int compare(const struct bag_cell *c, struct span key)
{
	const size_t n = c->n < key.n ? c->n : key.n;
	const int by_bytes = n > 0 ? memcmp(c->key, key.p, n) : 0;

	if (by_bytes != 0)
		return by_bytes;
	return c->n < key.n ? -1 : c->n > key.n;
}

static struct bag_cell *insert(struct bag *b, size_t at, struct span key)
{
	struct bag_cell *c;

	if (b->n == b->cap)
		return &b->other;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return &b->other;
	memcpy(c->key, key.p, key.n);
	c->n = key.n;
	memmove((void *)(b->cell + at + 1), (const void *)(b->cell + at),
		(b->n - at) * sizeof(struct bag_cell *));
	b->cell[at] = c;
	b->n++;
	return c;
}

static struct bag_cell *find(struct bag *b, struct span key)
{
	size_t low = 0;
	size_t high = b->n;

	if (b->last < b->n && compare(b->cell[b->last], key) == 0)
		return b->cell[b->last];
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare(b->cell[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	b->last = low;
	if (low < b->n && compare(b->cell[low], key) == 0)
		return b->cell[low];
	return insert(b, low, key);
}

struct bag_cell *bag_see(struct bag *b, struct span key, uint64_t index,
			 int64_t time_ms)
{
	struct bag_cell *c;

	if (key.n > BAG_KEY_MAX)
		key.n = BAG_KEY_MAX;
	c = key.n > 0 ? find(b, key) : &b->other;
	if (c->seen == 0 || time_ms < c->first_ms)
		c->first_ms = time_ms;
	if (c->seen == 0 || time_ms > c->last_ms)
		c->last_ms = time_ms;
	if (c->seen == 0 || index < c->first)
		c->first = index;
	if (c->seen == 0 || index > c->last)
		c->last = index;
	c->seen++;
	return c;
}

const struct bag_cell *bag_at(const struct bag *b, size_t i)
{
	if (i < b->n)
		return b->cell[i];
	return i == b->n && b->other.seen > 0 ? &b->other : NULL;
}

size_t bag_keys(const struct bag *b)
{
	return b->n;
}
