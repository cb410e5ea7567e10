/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <stdlib.h>

#include "base/metrics.h"

enum {
	/* Partial tiles outlive their full one by so many flushes: whoever
	 * copies the directory meets one or the other. */
	DROP_LAG = 64,
	/* Tiles of a level that are looked at for what an earlier run left. */
	SWEEP = 64
};

struct tree {
	struct tiles *tiles;
	struct merkle *m;
	struct merkle_frontier f;
	uint64_t flushed; /* leaves whose tiles are all on the disk */
	struct merkle_hash flushed_root;
	bool synced;   /* since it was opened */
	bool doubtful; /* a sync failed: what is beyond flushed may be lost */
	uint64_t past[DROP_LAG]; /* sizes of the last flushes, a ring */
	unsigned past_at;
	uint8_t *bundle; /* of the tile that fills, TILE_BUNDLE_MAX */
	size_t bundle_len;
	uint8_t hashes[TILE_LEVELS][TILE_BYTES_MAX]; /* and its hashes */
};

/* How many hashes of LEVEL there are in a log of SIZE. */
static uint64_t hashes_of(int level, uint64_t size)
{
	return level == TILE_ENTRIES ? size
				     : size >> ((unsigned)level * TILE_HEIGHT);
}

/* The tile of LEVEL that fills at SIZE; its width is 0 where it is empty. */
static struct tile edge(int level, uint64_t size)
{
	const uint64_t hashes = hashes_of(level, size);

	return (struct tile){level, hashes / TILE_WIDTH,
			     (unsigned)(hashes % TILE_WIDTH)};
}

static struct merkle_hash *hash_in(uint8_t *data, unsigned i)
{
	return (struct merkle_hash *)(data + (size_t)i * MERKLE_HASH_BYTES);
}

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* --- opening -------------------------------------------------------------- */

/* A source over the tiles that fill: a frontier lies in them alone. */
static enum sg_err edge_get(void *ctx, unsigned level, uint64_t index,
			    struct merkle_hash *out)
{
	struct tree *t = ctx;
	struct tile tile;
	unsigned first;
	unsigned count;

	tile_of(level, index, &tile, &first, &count);
	return tile_hash(t->m, span_of(t->hashes[tile.level], TILE_BYTES_MAX),
			 first, count, out);
}

/* Are the entries in BUNDLE those of the first N hashes in HASHES? */
static enum sg_err check_bundle(struct merkle *m, struct span bundle,
				uint8_t *hashes, unsigned n)
{
	struct merkle_hash leaf;
	struct span entry;
	enum sg_err err;

	for (unsigned i = 0; i < n; i++) {
		err = tile_next_entry(&bundle, &entry);
		if (err == SG_OK)
			err = merkle_leaf(m, entry, &leaf);
		if (err != SG_OK)
			return err;
		if (!same(&leaf, hash_in(hashes, i)))
			return SG_MALFORMED;
	}
	return SG_OK;
}

/* Read what fills at SIZE. */
static enum sg_err load(struct tree *t, uint64_t size)
{
	struct tile tile = edge(TILE_ENTRIES, size);
	enum sg_err err = SG_OK;
	size_t n;

	for (int level = 0; level < TILE_LEVELS && err == SG_OK; level++) {
		const struct tile hashes = edge(level, size);

		if (hashes.width > 0)
			err = tiles_read(t->tiles, &hashes, t->hashes[level],
					 TILE_BYTES_MAX, &n);
	}
	if (err != SG_OK || tile.width == 0)
		return err;
	err = tiles_read(t->tiles, &tile, t->bundle, TILE_BUNDLE_MAX,
			 &t->bundle_len);
	if (err == SG_OK)
		err = check_bundle(t->m, span_of(t->bundle, t->bundle_len),
				   t->hashes[0], tile.width);
	return err == SG_TOO_BIG ? SG_MALFORMED : err;
}

static enum sg_err go_on(struct tree *t, uint64_t size,
			 const struct merkle_hash *root)
{
	const struct merkle_source src = {.get = edge_get, .ctx = t};
	enum sg_err err;

	if (size > INT64_MAX)
		return SG_MALFORMED;
	err = load(t, size);
	if (err == SG_OK)
		err = merkle_frontier_of(&src, size, &t->f);
	if (err == SG_OK)
		err = merkle_frontier_root(t->m, &t->f, &t->flushed_root);
	if (err == SG_OK && size > 0 && !same(&t->flushed_root, root))
		err = SG_MALFORMED;
	t->flushed = size;
	for (size_t i = 0; i < DROP_LAG; i++)
		t->past[i] = size;
	return err;
}

enum sg_err tree_open(struct tiles *tiles, uint64_t size,
		      const struct merkle_hash *root, struct tree **out)
{
	struct tree *t = calloc(1, sizeof(*t));
	enum sg_err err;

	if (t == NULL)
		return SG_NO_MEMORY;
	t->tiles = tiles;
	t->bundle = malloc(TILE_BUNDLE_MAX);
	err = t->bundle == NULL ? SG_NO_MEMORY : merkle_create(&t->m);
	if (err == SG_OK)
		err = go_on(t, size, root);
	if (err != SG_OK) {
		tree_close(t);
		return err;
	}
	*out = t;
	return SG_OK;
}

void tree_close(struct tree *t)
{
	if (t == NULL)
		return;
	merkle_free(t->m);
	free(t->bundle);
	free(t);
}

/* --- adding --------------------------------------------------------------- */

/* Put what merkle_add() completes into the tiles that fill. */
static void complete(void *ctx, unsigned level, uint64_t index,
		     const struct merkle_hash *hash)
{
	struct tree *t = ctx;

	if (level % TILE_HEIGHT == 0)
		*hash_in(t->hashes[level / TILE_HEIGHT],
			 (unsigned)(index % TILE_WIDTH)) = *hash;
}

/* Write TILE, which is full. */
static enum sg_err write_one(struct tree *t, const struct tile *tile,
			     struct span data)
{
	const enum sg_err err = tiles_write(t->tiles, tile, data);

	if (err == SG_OK)
		metric_add(METRIC_LEDGER_TILE_BYTES, data.n);
	return err;
}

/* Write the tiles that the last leaf has filled. */
static enum sg_err write_full(struct tree *t)
{
	const struct tile last = edge(TILE_ENTRIES, t->f.size);
	struct tile tile = {TILE_ENTRIES, last.n - 1, TILE_WIDTH};
	enum sg_err err;

	if (last.width != 0)
		return SG_OK;
	err = write_one(t, &tile, span_of(t->bundle, t->bundle_len));
	for (int level = 0; level < TILE_LEVELS && err == SG_OK; level++) {
		const struct tile hashes = edge(level, t->f.size);

		if (hashes.width != 0)
			break;
		tile.level = level;
		tile.n = hashes.n - 1;
		err = write_one(t, &tile,
				span_of(t->hashes[level], TILE_BYTES_MAX));
	}
	return err;
}

enum sg_err tree_add(struct tree *t, struct span entry)
{
	const size_t bundle_len = t->bundle_len;
	struct merkle_hash leaf;
	enum sg_err err;

	err = tile_put_entry(t->bundle, TILE_BUNDLE_MAX, &t->bundle_len, entry);
	if (err != SG_OK)
		return err;
	err = merkle_leaf(t->m, entry, &leaf);
	if (err == SG_OK)
		err = merkle_add(t->m, &t->f, &leaf, complete, t);
	if (err != SG_OK) {
		t->bundle_len = bundle_len;
		return err;
	}
	err = write_full(t);
	if (err != SG_OK) {
		/* It wrote where a tree of the old size has nothing, in the
		 * frontier and in the tiles: the size takes it all back. */
		t->f.size--;
		t->bundle_len = bundle_len;
		return err;
	}
	if (t->f.size % TILE_WIDTH == 0)
		t->bundle_len = 0;
	return SG_OK;
}

uint64_t tree_size(const struct tree *t)
{
	return t->f.size;
}

enum sg_err tree_root(struct tree *t, struct merkle_hash *out)
{
	return merkle_frontier_root(t->m, &t->f, out);
}

enum sg_err tree_root_at(struct tree *t, uint64_t size, struct merkle_hash *out)
{
	struct merkle_source src;
	struct merkle_hash root;
	enum sg_err err;

	if (size > t->flushed)
		return SG_NOT_FOUND;
	src = tiles_source(t->tiles, t->m, t->flushed);
	/* The root that is in memory vouches for what is read. */
	err = merkle_prefix(t->m, &src, size, &root, t->flushed,
			    &t->flushed_root);
	if (err == SG_OK)
		*out = root;
	return err;
}

/* --- flushing ------------------------------------------------------------- */

static enum sg_err write_partial(struct tree *t)
{
	enum sg_err err = SG_OK;

	for (int level = TILE_ENTRIES; level < TILE_LEVELS && err == SG_OK;
	     level++) {
		const struct tile tile = edge(level, t->f.size);
		struct span data = span_of(t->bundle, t->bundle_len);

		if (tile.width == 0 ||
		    hashes_of(level, t->flushed) == hashes_of(level, t->f.size))
			continue;
		if (level != TILE_ENTRIES)
			data = span_of(t->hashes[level],
				       (size_t)tile.width * MERKLE_HASH_BYTES);
		err = tiles_write(t->tiles, &tile, data);
	}
	return err;
}

/* Write the full hash tile N of LEVEL again, if it is what the level above it
 * says. */
static enum sg_err rewrite_hashes(struct tree *t,
				  const struct merkle_source *src, int level,
				  uint64_t n)
{
	const struct tile tile = {level, n, TILE_WIDTH};
	const struct tile above = edge(level + 1, t->f.size);
	uint8_t data[TILE_BYTES_MAX];
	struct merkle_hash want;
	struct merkle_hash got;
	enum sg_err err = SG_OK;
	size_t len;

	if (n / TILE_WIDTH == above.n)
		want = *hash_in(t->hashes[level + 1],
				(unsigned)(n % TILE_WIDTH));
	else
		err = src->get(src->ctx, (unsigned)(level + 1) * TILE_HEIGHT, n,
			       &want);
	if (err == SG_OK)
		err = tiles_read(t->tiles, &tile, data, sizeof(data), &len);
	if (err == SG_OK)
		err = tile_hash(t->m, span_of(data, len), 0, TILE_WIDTH, &got);
	if (err == SG_OK && !same(&got, &want))
		err = SG_MALFORMED;
	if (err == SG_OK)
		err = tiles_write(t->tiles, &tile, span_of(data, len));
	return err;
}

/* The same of bundle N, by the hash tile below which it is; BUF has room. */
static enum sg_err rewrite_bundle(struct tree *t, uint64_t n, uint8_t *buf)
{
	const struct tile hash_tile = {0, n, TILE_WIDTH};
	const struct tile tile = {TILE_ENTRIES, n, TILE_WIDTH};
	uint8_t hashes[TILE_BYTES_MAX];
	enum sg_err err;
	size_t len;

	err = tiles_read(t->tiles, &hash_tile, hashes, sizeof(hashes), &len);
	if (err == SG_OK)
		err = tiles_read(t->tiles, &tile, buf, TILE_BUNDLE_MAX, &len);
	if (err == SG_OK)
		err = check_bundle(t->m, span_of(buf, len), hashes, TILE_WIDTH);
	if (err == SG_OK)
		err = tiles_write(t->tiles, &tile, span_of(buf, len));
	return err;
}

/*
 * After a sync that failed the kernel may take what it could not write for
 * written, and the next sync for done.  So all full tiles since the last
 * flush are written again, from what can still be read of them.
 */
static enum sg_err rewrite(struct tree *t)
{
	const struct merkle_source src =
		tiles_source(t->tiles, t->m, t->f.size);
	enum sg_err err = SG_OK;
	uint8_t *buf;

	/* From above: each is judged by one that was judged. */
	for (int level = TILE_LEVELS - 2; level >= 0; level--) {
		const uint64_t end = edge(level, t->f.size).n;

		for (uint64_t n = edge(level, t->flushed).n;
		     n < end && err == SG_OK; n++)
			err = rewrite_hashes(t, &src, level, n);
	}
	buf = malloc(TILE_BUNDLE_MAX);
	if (buf == NULL)
		return SG_NO_MEMORY;
	for (uint64_t n = t->flushed / TILE_WIDTH;
	     n < t->f.size / TILE_WIDTH && err == SG_OK; n++)
		err = rewrite_bundle(t, n, buf);
	free(buf);
	return err == SG_OK ? SG_OK : SG_IO;
}

/* Drop the partial tiles at the edge of a log of SIZE, and those of so many
 * tiles BEFORE, as far as they were full in a log of THEN. */
static void drop_partial(struct tree *t, uint64_t size, uint64_t then,
			 unsigned before)
{
	for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++) {
		const uint64_t end = edge(level, then).n;
		struct tile tile = edge(level, size);

		tile.width = TILE_WIDTH;
		for (unsigned i = 0; i <= before; i++, tile.n--) {
			if (tile.n < end)
				tiles_drop_partial(t->tiles, &tile);
			if (tile.n == 0)
				break;
		}
	}
}

enum sg_err tree_flush(struct tree *t)
{
	struct merkle_hash root;
	uint64_t oldest;
	enum sg_err err;

	if (t->synced && t->flushed == t->f.size)
		return SG_OK;
	err = tree_root(t, &root);
	if (err == SG_OK && t->doubtful)
		err = rewrite(t);
	if (err == SG_OK)
		err = write_partial(t);
	if (err != SG_OK)
		return err;
	err = tiles_sync(t->tiles);
	if (err != SG_OK) {
		t->doubtful = true;
		return err;
	}
	/* Only now: the full tiles that stand for them are on the disk. */
	if (!t->synced)
		drop_partial(t, t->flushed, t->flushed, SWEEP);
	oldest = t->past[t->past_at];
	t->past[t->past_at] = t->f.size;
	t->past_at = (t->past_at + 1) % DROP_LAG;
	drop_partial(t, oldest, t->past[t->past_at], 0);
	t->synced = true;
	t->doubtful = false;
	t->flushed = t->f.size;
	t->flushed_root = root;
	return SG_OK;
}
