/* SPDX-License-Identifier: Apache-2.0 */
#include "lookup.h"

#include <assert.h>
#include <stdlib.h>

struct entry {
	struct span key;
	uint32_t hash;
	uint32_t number; /* LOOKUP_NONE: free */
	enum lookup_space space;
};

struct lookup {
	size_t mask; /* entries - 1, a power of two */
	size_t left; /* that may still be added */
	struct entry entry[];
};

static uint8_t fold(uint8_t c, enum lookup_space space)
{
	if (space == LOOKUP_DNS && c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A' + 'a');
	return c;
}

/* FNV-1a: draft-eastlake-fnv, 32 bits. */
static uint32_t hash(enum lookup_space space, struct span key)
{
	uint32_t h = (2166136261U ^ (uint32_t)space) * 16777619U;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ fold(key.p[i], space)) * 16777619U;
	return h;
}

static bool same(const struct entry *e, enum lookup_space space,
		 struct span key)
{
	if (e->space != space || e->key.n != key.n)
		return false;
	for (size_t i = 0; i < key.n; i++)
		if (fold(e->key.p[i], space) != fold(key.p[i], space))
			return false;
	return true;
}

/* The place of KEY, or the free one where it would be. */
static size_t place(const struct lookup *l, enum lookup_space space,
		    struct span key, uint32_t h)
{
	size_t at = h & l->mask;

	while (l->entry[at].number != LOOKUP_NONE &&
	       (l->entry[at].hash != h || !same(&l->entry[at], space, key)))
		at = (at + 1) & l->mask;
	return at;
}

enum sg_err lookup_create(size_t max, struct lookup **out)
{
	struct lookup *l;
	size_t n = 2;

	*out = NULL;
	if (max > SIZE_MAX / 4 / sizeof(l->entry[0]))
		return SG_NO_MEMORY;
	while (n < max * 2)
		n *= 2;
	l = calloc(1, sizeof(*l) + n * sizeof(l->entry[0]));
	if (l == NULL)
		return SG_NO_MEMORY;
	l->mask = n - 1;
	l->left = max;
	for (size_t i = 0; i < n; i++)
		l->entry[i].number = LOOKUP_NONE;
	*out = l;
	return SG_OK;
}

uint32_t lookup_add(struct lookup *l, enum lookup_space space, struct span key,
		    uint32_t number)
{
	const uint32_t h = hash(space, key);
	struct entry *e = &l->entry[place(l, space, key, h)];

	assert(number != LOOKUP_NONE);
	if (e->number != LOOKUP_NONE)
		return e->number;
	assert(l->left > 0);
	l->left--;
	*e = (struct entry){
		.key = key, .hash = h, .number = number, .space = space};
	return LOOKUP_NONE;
}

uint32_t lookup_find(const struct lookup *l, enum lookup_space space,
		     struct span key)
{
	return l->entry[place(l, space, key, hash(space, key))].number;
}

void lookup_free(struct lookup *l)
{
	free(l);
}
