/* SPDX-License-Identifier: Apache-2.0 */
#include "young.h"

#include <assert.h>
#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/memory.h"

enum {
	SLOTS = 2 * YOUNG_MAX, /* a power of two */
	NUMBER_BITS = 18       /* of an item's number */
};

_Static_assert((SLOTS & (SLOTS - 1)) == 0, "a slot is some bits");
_Static_assert(YOUNG_MAX == 1 << NUMBER_BITS, "a number has as many");

struct young {
	pthread_mutex_t lock; /* of ITEM, N and SLOT, against who gets */
	uint64_t secret[2];   /* of the slot's choice */
	size_t n;
	uint32_t slot[SLOTS]; /* number of the item, from 1 on; 0: empty */
	struct index_item item[YOUNG_MAX];
	uint64_t rank[YOUNG_MAX];
	const struct index_item *sorted[YOUNG_MAX];
};

/* Where UVCI is, or would be.  Clients choose UVCIs: without the secret nobody
 * makes many of them meet in one place. */
static uint32_t *find(struct young *y, const uint8_t uvci[INDEX_HASH_BYTES])
{
	uint64_t word[2];
	size_t at;

	memcpy(word, uvci, sizeof(word));
	word[0] = (word[0] ^ y->secret[0]) * (y->secret[1] | 1U);
	word[0] ^= word[0] >> 32;
	word[0] = (word[0] ^ word[1]) * (y->secret[1] | 1U);
	at = (word[0] >> 32) & (SLOTS - 1);
	while (y->slot[at] != 0 && memcmp(y->item[y->slot[at] - 1].uvci, uvci,
					  INDEX_HASH_BYTES) != 0)
		at = (at + 1) & (SLOTS - 1);
	return &y->slot[at];
}

enum sg_err young_create(struct young **out)
{
	struct young *y = calloc(1, sizeof(*y));

	*out = NULL;
	if (y == NULL)
		return SG_NO_MEMORY;
	memory_take(y, sizeof(*y));
	if (getrandom(y->secret, sizeof(y->secret), 0) !=
		    (ssize_t)sizeof(y->secret) ||
	    pthread_mutex_init(&y->lock, NULL) != 0) {
		free(y);
		return SG_INTERNAL;
	}
	*out = y;
	return SG_OK;
}

size_t young_room(const struct young *y)
{
	return YOUNG_MAX - y->n;
}

void young_put(struct young *y, const struct index_item *item)
{
	uint32_t *slot;

	(void)pthread_mutex_lock(&y->lock);
	slot = find(y, item->uvci);
	if (*slot == 0) {
		assert(y->n < YOUNG_MAX);
		*slot = (uint32_t)++y->n;
	}
	y->item[*slot - 1] = *item;
	(void)pthread_mutex_unlock(&y->lock);
}

enum sg_err young_get(struct young *y, const uint8_t uvci[INDEX_HASH_BYTES],
		      uint64_t *offset)
{
	uint32_t slot;

	(void)pthread_mutex_lock(&y->lock);
	slot = *find(y, uvci);
	if (slot != 0)
		*offset = y->item[slot - 1].offset;
	(void)pthread_mutex_unlock(&y->lock);
	return slot != 0 ? SG_OK : SG_NOT_FOUND;
}

/* The first bits of the UVCI of item I, as a number, and I.  To sort these
 * rarely asks the items, of which each would be a walk through memory. */
static uint64_t rank_of(const struct young *y, size_t i)
{
	uint64_t first;

	memcpy(&first, y->item[i].uvci, sizeof(first));
	return (be64toh(first) & ~(uint64_t)(YOUNG_MAX - 1)) | i;
}

static const struct index_item *ranked(const struct young *y, uint64_t rank)
{
	return &y->item[rank & (YOUNG_MAX - 1)];
}

static int order(const void *a, const void *b, void *young)
{
	const struct young *y = young;
	const uint64_t p = *(const uint64_t *)a;
	const uint64_t q = *(const uint64_t *)b;

	if (((p ^ q) >> NUMBER_BITS) != 0)
		return p < q ? -1 : 1;
	return memcmp(ranked(y, p)->uvci, ranked(y, q)->uvci, INDEX_HASH_BYTES);
}

const struct index_item *const *young_sorted(struct young *y, size_t *n)
{
	for (size_t i = 0; i < y->n; i++)
		y->rank[i] = rank_of(y, i);
	qsort_r(y->rank, y->n, sizeof(y->rank[0]), order, y);
	for (size_t i = 0; i < y->n; i++)
		y->sorted[i] = ranked(y, y->rank[i]);
	*n = y->n;
	return y->sorted;
}

void young_clear(struct young *y)
{
	(void)pthread_mutex_lock(&y->lock);
	memset(y->slot, 0, sizeof(y->slot));
	y->n = 0;
	(void)pthread_mutex_unlock(&y->lock);
}

void young_free(struct young *y)
{
	if (y == NULL)
		return;
	(void)pthread_mutex_destroy(&y->lock);
	free(y);
}
