/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "base/memory.h"

enum { BUCKETS = CLAIMS_RECENT_MAX }; /* a power of two */

_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "a bucket is some bits");

/* One UVCI: in flight, on record, or (signed anew) both. */
struct claim {
	LIST_ENTRY(claim) link;	   /* of its bucket; or the free list */
	TAILQ_ENTRY(claim) recent; /* while it is on record */
	uint8_t uvci[INDEX_HASH_BYTES];
	void *holder; /* NULL: it is not in flight */
	bool on_record;
	uint64_t offset;
};

LIST_HEAD(claim_list, claim);
TAILQ_HEAD(claim_queue, claim);

/* All memory is there from the start. */
struct claims {
	struct index *index;
	uint64_t secret[2];	   /* of the bucket's choice */
	struct claim_list free;	   /* the one that was in use last, first */
	struct claim_queue recent; /* oldest record first */
	size_t fresh;		   /* of `pool`: never in use, from here on */
	size_t nrecent;
	bool whole;
	struct claim_list bucket[BUCKETS];
	struct claim pool[CLAIMS_RECENT_MAX];
};

/* UVCIs are the clients' to choose, and so are their hashes' bits, with some
 * patience: without the secret nobody fills one bucket. */
static struct claim_list *bucket_of(struct claims *c,
				    const uint8_t uvci[INDEX_HASH_BYTES])
{
	uint64_t word[2];

	memcpy(word, uvci, sizeof(word));
	word[0] = (word[0] ^ c->secret[0]) * (c->secret[1] | 1U);
	word[0] ^= word[0] >> 32;
	word[0] = (word[0] ^ word[1]) * (c->secret[1] | 1U);
	return &c->bucket[(word[0] >> 32) & (BUCKETS - 1)];
}

static struct claim *look(struct claims *c,
			  const uint8_t uvci[INDEX_HASH_BYTES])
{
	struct claim *p;

	LIST_FOREACH (p, bucket_of(c, uvci), link)
		if (memcmp(p->uvci, uvci, INDEX_HASH_BYTES) == 0)
			return p;
	return NULL;
}

/* Take P, which is neither in flight nor on record, out. */
static void discard(struct claims *c, struct claim *p)
{
	LIST_REMOVE(p, link);
	LIST_INSERT_HEAD(&c->free, p, link);
}

enum sg_err claims_create(struct index *index, struct claims **out)
{
	struct claims *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL)
		return SG_NO_MEMORY;
	memory_take(c, sizeof(*c));
	if (getrandom(c->secret, sizeof(c->secret), 0) !=
	    (ssize_t)sizeof(c->secret)) {
		free(c);
		return SG_INTERNAL;
	}
	c->index = index;
	TAILQ_INIT(&c->recent);
	*out = c;
	return SG_OK;
}

enum sg_err claims_find(struct claims *c, const uint8_t uvci[INDEX_HASH_BYTES],
			enum claim_state *state, void **holder,
			uint64_t *offset)
{
	const struct claim *p = look(c, uvci);
	enum sg_err err;

	if (p != NULL && p->holder != NULL) {
		*state = CLAIM_IN_FLIGHT;
		*holder = p->holder;
		return SG_OK;
	}
	if (p != NULL) {
		*state = CLAIM_ON_RECORD;
		*offset = p->offset;
		return SG_OK;
	}
	err = index_get(c->index, uvci, offset);
	if (err == SG_OK)
		*state = CLAIM_ON_RECORD;
	if (err == SG_NOT_FOUND) {
		*state = CLAIM_FREE;
		err = SG_OK;
	}
	return err;
}

enum sg_err claims_find_record(struct claims *c,
			       const uint8_t uvci[INDEX_HASH_BYTES],
			       bool *found, uint64_t *offset)
{
	const struct claim *p = look(c, uvci);
	enum sg_err err;

	*found = p != NULL && p->on_record;
	if (*found) {
		*offset = p->offset;
		return SG_OK;
	}
	err = index_get(c->index, uvci, offset);
	*found = err == SG_OK;
	return err == SG_NOT_FOUND ? SG_OK : err;
}

enum sg_err claims_take(struct claims *c, const uint8_t uvci[INDEX_HASH_BYTES],
			void *holder)
{
	struct claim *p = look(c, uvci);

	assert(holder != NULL && (p == NULL || p->holder == NULL));
	if (p != NULL) {
		p->holder = holder;
		return SG_OK;
	}
	p = LIST_FIRST(&c->free);
	if (p != NULL)
		LIST_REMOVE(p, link);
	else if (c->fresh < CLAIMS_RECENT_MAX)
		p = &c->pool[c->fresh++];
	else
		return SG_BUSY;
	memcpy(p->uvci, uvci, INDEX_HASH_BYTES);
	p->holder = holder;
	p->on_record = false;
	LIST_INSERT_HEAD(bucket_of(c, uvci), p, link);
	return SG_OK;
}

void claims_drop(struct claims *c, const uint8_t uvci[INDEX_HASH_BYTES])
{
	struct claim *p = look(c, uvci);

	assert(p != NULL && p->holder != NULL);
	p->holder = NULL;
	if (!p->on_record)
		discard(c, p);
}

void claims_record(struct claims *c, const uint8_t uvci[INDEX_HASH_BYTES],
		   uint64_t offset)
{
	struct claim *p = look(c, uvci);

	assert(p != NULL && p->holder != NULL);
	p->holder = NULL;
	if (p->on_record)
		TAILQ_REMOVE(&c->recent, p, recent);
	else
		c->nrecent++;
	p->on_record = true;
	p->offset = offset;
	TAILQ_INSERT_TAIL(&c->recent, p, recent);
}

void claims_indexed(struct claims *c, uint64_t watermark)
{
	struct claim *p;

	/* The journal commits in order, so they stand in order. */
	while ((p = TAILQ_FIRST(&c->recent)) != NULL && p->offset < watermark) {
		TAILQ_REMOVE(&c->recent, p, recent);
		c->nrecent--;
		p->on_record = false;
		if (p->holder == NULL)
			discard(c, p);
	}
}

void claims_set_whole(struct claims *c, bool whole)
{
	c->whole = whole;
}

bool claims_is_whole(const struct claims *c)
{
	return c->whole;
}

size_t claims_recent(const struct claims *c)
{
	return c->nrecent;
}

void claims_free(struct claims *c)
{
	free(c);
}
