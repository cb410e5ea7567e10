/* SPDX-License-Identifier: Apache-2.0 */
#include "batches.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/bytes.h"
#include "tools/common/times.h"

struct one {
	uint8_t hash[ENTRY_REVOCATION_BYTES];
	int64_t exp;
};

/* A country and key, and its certificates. */
struct group {
	struct batches_key key;
	struct one *one;
	size_t n, cap;
};

struct batches {
	enum batches_type type;
	size_t n, cap;
	struct group *group; /* in ascending order */
	size_t last;	     /* where the last item went */
};

static const char *const TYPE_NAMES[BATCHES_TYPES] = {
	[BATCHES_SIGNATURE] = "SIGNATURE",
	[BATCHES_UCI] = "UCI",
	[BATCHES_COUNTRYCODEUCI] = "COUNTRYCODEUCI",
};

const char *batches_type_name(enum batches_type type)
{
	return TYPE_NAMES[type];
}

enum batches_type batches_type_of(const char *name)
{
	unsigned i = 0;

	while (i < BATCHES_TYPES && strcmp(name, TYPE_NAMES[i]) != 0)
		i++;
	return (enum batches_type)i;
}

enum sg_err batches_create(enum batches_type type, struct batches **out)
{
	struct batches *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return SG_NO_MEMORY;
	b->type = type;
	*out = b;
	return SG_OK;
}

void batches_free(struct batches *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		free(b->group[i].one);
	free(b->group);
	free(b);
}

static int compare_key(const struct batches_key *key,
		       const struct batches_item *item)
{
	const int by_country =
		memcmp(key->country, item->country, sizeof(key->country));

	return by_country != 0 ? by_country
			       : memcmp(key->kid, item->kid, sizeof(key->kid));
}

static enum sg_err insert(struct batches *b, size_t at,
			  const struct batches_item *item)
{
	struct group *g;

	if (b->n == BATCHES_KEYS_MAX)
		return SG_TOO_BIG;
	if (b->n == b->cap) {
		const size_t cap = b->cap == 0 ? 8 : 2 * b->cap;

		g = realloc(b->group, cap * sizeof(*g));
		if (g == NULL)
			return SG_NO_MEMORY;
		b->group = g;
		b->cap = cap;
	}
	g = &b->group[at];
	memmove(g + 1, g, (b->n - at) * sizeof(*g));
	memset(g, 0, sizeof(*g));
	memcpy(g->key.country, item->country, sizeof(g->key.country));
	memcpy(g->key.kid, item->kid, sizeof(g->key.kid));
	b->n++;
	return SG_OK;
}

/* The group of ITEM.  Most follow one of their own. */
static enum sg_err find(struct batches *b, const struct batches_item *item,
			struct group **out)
{
	size_t low = 0;
	size_t high = b->n;
	enum sg_err err = SG_OK;

	if (b->last < b->n && compare_key(&b->group[b->last].key, item) == 0) {
		*out = &b->group[b->last];
		return SG_OK;
	}
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare_key(&b->group[middle].key, item) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == b->n || compare_key(&b->group[low].key, item) != 0)
		err = insert(b, low, item);
	b->last = low;
	*out = &b->group[low];
	return err;
}

enum sg_err batches_add(struct batches *b, const struct batches_item *item)
{
	struct group *g;
	const enum sg_err err = find(b, item, &g);

	if (err != SG_OK)
		return err;
	if (g->n == g->cap) {
		const size_t cap = g->cap == 0 ? 1024 : 2 * g->cap;
		struct one *grown = realloc(g->one, cap * sizeof(*grown));

		if (grown == NULL)
			return SG_NO_MEMORY;
		g->one = grown;
		g->cap = cap;
	}
	memcpy(g->one[g->n].hash, item->hash, sizeof(item->hash));
	g->one[g->n++].exp = item->exp;
	if (g->key.certificates++ == 0 || item->exp > g->key.exp)
		g->key.exp = item->exp;
	return SG_OK;
}

static int compare_one(const void *a, const void *b)
{
	const struct one *x = a;
	const struct one *y = b;

	return memcmp(x->hash, y->hash, sizeof(x->hash));
}

/* A certificate and its renewals have one UVCI: its hash has to stay as long
 * as the last of them. */
static void unite(struct group *g)
{
	size_t n = 0;

	for (size_t i = 1; i < g->n; i++) {
		if (compare_one(&g->one[n], &g->one[i]) != 0)
			g->one[++n] = g->one[i];
		else if (g->one[i].exp > g->one[n].exp)
			g->one[n].exp = g->one[i].exp;
	}
	g->n = n + 1;
}

void batches_seal(struct batches *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct group *g = &b->group[i];

		if (g->n == 0)
			continue;
		qsort(g->one, g->n, sizeof(*g->one), compare_one);
		unite(g);
		g->key.hashes = g->n;
		g->key.batches =
			(g->n + BATCHES_ENTRIES_MAX - 1) / BATCHES_ENTRIES_MAX;
	}
}

const struct batches_key *batches_key(const struct batches *b, size_t i)
{
	return i < b->n ? &b->group[i].key : NULL;
}

static json_t *make_entries(const struct group *g, size_t first, size_t end,
			    int64_t *exp)
{
	json_t *entries = json_array();
	char hash[BYTES_BASE64(ENTRY_REVOCATION_BYTES)];

	*exp = INT64_MIN;
	for (size_t i = first; i < end; i++) {
		const struct one *one = &g->one[i];

		(void)bytes_base64(one->hash, sizeof(one->hash), hash);
		if (json_array_append_new(
			    entries, json_pack("{ss}", "hash", hash)) != 0) {
			json_decref(entries);
			return NULL;
		}
		if (one->exp > *exp)
			*exp = one->exp;
	}
	return entries;
}

enum sg_err batches_write(const struct batches *b, size_t i, uint64_t n,
			  FILE *to)
{
	const struct group *g = &b->group[i];
	const size_t first = (size_t)n * BATCHES_ENTRIES_MAX;
	const size_t end = first + BATCHES_ENTRIES_MAX < g->n
				   ? first + BATCHES_ENTRIES_MAX
				   : g->n;
	char kid[BYTES_BASE64(COSE_KID_BYTES)];
	char expires[TIMES_TEXT];
	json_t *j;
	int64_t exp;
	json_t *entries = make_entries(g, first, end, &exp);
	int wrote;

	times_format(exp, expires);
	j = json_pack("{s:s%,s:s,s:s,s:s,s:o}", "country", g->key.country,
		      sizeof(g->key.country), "expires", expires, "kid",
		      bytes_base64(g->key.kid, sizeof(g->key.kid), kid),
		      "hashType", TYPE_NAMES[b->type], "entries", entries);
	if (j == NULL)
		return SG_NO_MEMORY;
	wrote = json_dumpf(j, to, JSON_COMPACT);
	json_decref(j);
	return wrote == 0 ? SG_OK : SG_IO;
}
