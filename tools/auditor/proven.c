/* SPDX-License-Identifier: Apache-2.0 */
#include "proven.h"

#include <stdlib.h>

/* One tile of a level, with WIDTH hashes; 0: there is none yet. */
struct kept {
	uint64_t n;
	unsigned width;
	uint8_t data[TILE_BYTES_MAX];
};

struct proven {
	struct proven_from from;
	struct merkle *merkle;
	uint64_t size;
	struct merkle_frontier edge; /* of which the root is made */
	struct kept level[TILE_LEVELS];
	struct merkle_hash leaf[TILE_WIDTH];
	struct tile where;
	uint8_t bundle[TILE_BUNDLE_MAX];
};

static enum sg_err read_hashes(struct proven *p, int level, uint64_t n,
			       struct kept *out)
{
	size_t len;
	enum sg_err err;

	p->where = (struct tile){level, n, tile_width(level, n, p->size)};
	out->width = 0;
	if (p->where.width == 0)
		return SG_NOT_FOUND;
	err = p->from.tile(p->from.ctx, &p->where, out->data, sizeof(out->data),
			   &len);
	if (err != SG_OK)
		return err;
	if (len != (size_t)p->where.width * MERKLE_HASH_BYTES)
		return SG_MALFORMED;
	out->n = n;
	out->width = p->where.width;
	return SG_OK;
}

/* The full subtrees of a partial tile, from the widest on: those of the tree
 * whose leaves are its hashes.  FN gets each. */
static enum sg_err each_subtree(struct proven *p, struct span data,
				unsigned level, unsigned width,
				enum sg_err (*fn)(struct proven *p,
						  unsigned level,
						  const struct merkle_hash *h))
{
	unsigned first = 0;

	for (unsigned bit = TILE_HEIGHT; bit-- > 0;) {
		struct merkle_hash hash;
		enum sg_err err;

		if ((width & 1U << bit) == 0)
			continue;
		err = tile_hash(p->merkle, data, first, 1U << bit, &hash);
		if (err == SG_OK)
			err = fn(p, level * TILE_HEIGHT + bit, &hash);
		if (err != SG_OK)
			return err;
		first += 1U << bit;
	}
	return SG_OK;
}

static enum sg_err put_edge(struct proven *p, unsigned level,
			    const struct merkle_hash *hash)
{
	p->edge.node[level] = *hash;
	return SG_OK;
}

static enum sg_err check_edge(struct proven *p, unsigned level,
			      const struct merkle_hash *hash)
{
	return memcmp(&p->edge.node[level], hash, sizeof(*hash)) == 0
		       ? SG_OK
		       : SG_BAD_SIGNATURE;
}

static enum sg_err open_edge(struct proven *p, const struct merkle_hash *root)
{
	struct merkle_hash made;
	enum sg_err err;

	p->edge.size = p->size;
	for (unsigned i = 0; i < TILE_LEVELS; i++) {
		const uint64_t hashes = p->size >> (TILE_HEIGHT * i);
		const unsigned width = (unsigned)(hashes % TILE_WIDTH);
		struct kept *kept = &p->level[i];

		if (width == 0)
			continue;
		err = read_hashes(p, (int)i, hashes / TILE_WIDTH, kept);
		if (err != SG_OK)
			return err;
		err = each_subtree(p, span_of(kept->data, sizeof(kept->data)),
				   i, width, put_edge);
		if (err != SG_OK)
			return err;
	}
	err = merkle_frontier_root(p->merkle, &p->edge, &made);
	if (err != SG_OK)
		return err;
	return memcmp(&made, root, sizeof(made)) == 0 ? SG_OK
						      : SG_BAD_SIGNATURE;
}

enum sg_err proven_open(const struct proven_from *from, uint64_t size,
			const struct merkle_hash *root, struct proven **out)
{
	struct proven *p = calloc(1, sizeof(*p));
	enum sg_err err;

	if (p == NULL)
		return SG_NO_MEMORY;
	p->from = *from;
	p->size = size;
	err = merkle_create(&p->merkle);
	if (err == SG_OK)
		err = open_edge(p, root);
	if (err != SG_OK) {
		proven_close(p);
		return err;
	}
	*out = p;
	return SG_OK;
}

void proven_close(struct proven *p)
{
	if (p == NULL)
		return;
	merkle_free(p->merkle);
	free(p);
}

/* A partial tile makes up the root itself; a full one stands in the tile above
 * it, which is the one that is kept there. */
static enum sg_err check_tile(struct proven *p, struct kept *kept,
			      unsigned level)
{
	const struct span data = span_of(kept->data, sizeof(kept->data));
	const struct kept *above = &p->level[level + 1];
	struct merkle_hash hash;
	enum sg_err err;

	if (kept->width < TILE_WIDTH)
		return each_subtree(p, data, level, kept->width, check_edge);
	if (level + 1 == TILE_LEVELS)
		return SG_INTERNAL;
	err = tile_hash(p->merkle, data, 0, TILE_WIDTH, &hash);
	if (err != SG_OK)
		return err;
	return memcmp(above->data + kept->n % TILE_WIDTH * MERKLE_HASH_BYTES,
		      &hash, sizeof(hash)) == 0
		       ? SG_OK
		       : SG_BAD_SIGNATURE;
}

static bool is_kept(const struct kept *kept, uint64_t n)
{
	return kept->width > 0 && kept->n == n;
}

/*
 * Have tile N of LEVEL, proven.  Upwards to the first that is kept or makes up
 * the root itself, and down again, so that each tile is held against one that
 * is proven already.
 */
static enum sg_err need_tile(struct proven *p, unsigned level, uint64_t n)
{
	unsigned top = level;

	while (top < TILE_LEVELS &&
	       !is_kept(&p->level[top], n >> (TILE_HEIGHT * (top - level)))) {
		const uint64_t at = n >> (TILE_HEIGHT * (top - level));

		top++;
		if (tile_width((int)top - 1, at, p->size) < TILE_WIDTH)
			break;
	}
	while (top-- > level) {
		struct kept *kept = &p->level[top];
		enum sg_err err = read_hashes(
			p, (int)top, n >> (TILE_HEIGHT * (top - level)), kept);

		if (err == SG_OK)
			err = check_tile(p, kept, top);
		if (err != SG_OK) {
			kept->width = 0;
			return err;
		}
	}
	return SG_OK;
}

static enum sg_err hash_leaves(struct proven *p, struct span rest,
			       unsigned width)
{
	for (unsigned i = 0; i < width; i++) {
		struct span entry;
		enum sg_err err = tile_next_entry(&rest, &entry);

		if (err != SG_OK)
			return err == SG_NOT_FOUND ? SG_MALFORMED : err;
		err = merkle_leaf(p->merkle, entry, &p->leaf[i]);
		if (err != SG_OK)
			return err;
	}
	return rest.n == 0 ? SG_OK : SG_MALFORMED;
}

enum sg_err proven_bundle(struct proven *p, uint64_t n, struct span *out)
{
	const struct tile bundle = {TILE_ENTRIES, n,
				    tile_width(TILE_ENTRIES, n, p->size)};
	const struct span leaves = span_of(p->leaf, sizeof(p->leaf));
	struct merkle_hash hash;
	size_t len;
	enum sg_err err;

	p->where = bundle;
	if (bundle.width == 0)
		return SG_NOT_FOUND;
	if (bundle.width == TILE_WIDTH) {
		err = need_tile(p, 1, n / TILE_WIDTH);
		if (err != SG_OK)
			return err;
		p->where = bundle;
	}
	err = p->from.tile(p->from.ctx, &bundle, p->bundle, sizeof(p->bundle),
			   &len);
	if (err == SG_OK)
		err = hash_leaves(p, span_of(p->bundle, len), bundle.width);
	if (err != SG_OK)
		return err;
	*out = span_of(p->bundle, len);
	if (bundle.width < TILE_WIDTH)
		return each_subtree(p, leaves, 0, bundle.width, check_edge);
	err = tile_hash(p->merkle, leaves, 0, TILE_WIDTH, &hash);
	if (err != SG_OK)
		return err;
	return memcmp(p->level[1].data + n % TILE_WIDTH * MERKLE_HASH_BYTES,
		      &hash, sizeof(hash)) == 0
		       ? SG_OK
		       : SG_BAD_SIGNATURE;
}

const struct merkle_hash *proven_leaf(const struct proven *p, unsigned i)
{
	return &p->leaf[i];
}

const struct tile *proven_where(const struct proven *p)
{
	return &p->where;
}
