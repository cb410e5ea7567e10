/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include <search.h>
#include <stdlib.h>

struct counts {
	struct hsearch_data table;
	size_t n, cap;
	struct count *entry; /* CAP of them */
	struct count other;
	const struct count **sorted; /* CAP + 1 */
	char other_key[8];
};

enum sg_err counts_create(size_t n, struct counts **out)
{
	struct counts *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return SG_NO_MEMORY;
	c->cap = n;
	c->entry = calloc(n, sizeof(*c->entry));
	c->sorted = calloc(n + 1, sizeof(const struct count *));
	memcpy(c->other_key, "(other)", sizeof(c->other_key));
	c->other.key = c->other_key;
	/* A third of the table stays free, or its searches grow long. */
	if (c->entry == NULL || c->sorted == NULL ||
	    hcreate_r(n + n / 2, &c->table) == 0) {
		free(c->entry);
		free((void *)c->sorted);
		free(c);
		return SG_NO_MEMORY;
	}
	*out = c;
	return SG_OK;
}

void counts_free(struct counts *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		free(c->entry[i].key);
	hdestroy_r(&c->table);
	free(c->entry);
	free((void *)c->sorted);
	free(c);
}

/* KEY as a string without control characters, cut between characters. */
static void make_key(struct span key, char out[COUNTS_KEY_MAX + 1])
{
	size_t n = key.n < COUNTS_KEY_MAX ? key.n : COUNTS_KEY_MAX;

	while (n < key.n && n > 0 && (key.p[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(out, key.p, n);
	out[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
			out[i] = '?';
}

static struct count *find(struct counts *c, struct span key)
{
	char text[COUNTS_KEY_MAX + 1];
	ENTRY wanted = {.key = text};
	ENTRY *found;

	make_key(key, text);
	if (hsearch_r(wanted, FIND, &found, &c->table) != 0)
		return found->data;
	if (c->n == c->cap || (wanted.key = strdup(text)) == NULL)
		return &c->other;
	wanted.data = &c->entry[c->n];
	if (hsearch_r(wanted, ENTER, &found, &c->table) == 0) {
		free(wanted.key);
		return &c->other;
	}
	c->entry[c->n].key = wanted.key;
	c->entry[c->n].warning = true;
	return &c->entry[c->n++];
}

struct count *counts_add(struct counts *c, struct span key, uint64_t line)
{
	struct count *e = find(c, key);

	e->n++;
	if (e->nlines < COUNTS_LINES &&
	    (e->nlines == 0 || e->lines[e->nlines - 1] != line))
		e->lines[e->nlines++] = line;
	return e;
}

static int compare(const void *a, const void *b)
{
	const struct count *x = *(const struct count *const *)a;
	const struct count *y = *(const struct count *const *)b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return strcmp(x->key, y->key);
}

const struct count *const *counts_sorted(struct counts *c, size_t *n)
{
	for (size_t i = 0; i < c->n; i++)
		c->sorted[i] = &c->entry[i];
	qsort((void *)c->sorted, c->n, sizeof(const struct count *), compare);
	*n = c->n;
	if (c->other.n > 0)
		c->sorted[(*n)++] = &c->other;
	return c->sorted;
}
