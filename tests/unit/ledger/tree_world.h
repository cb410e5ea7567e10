/* SPDX-License-Identifier: Apache-2.0 */
/* A log in a directory of its own, whose entries, leaves and roots are known,
 * and a syncfs() that fails where the test wants it. */
#ifndef SG_TEST_TREE_WORLD_H
#define SG_TEST_TREE_WORLD_H

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/tree.h"

enum {
	STEPS = 1100, /* leaves of the tree that is opened at each size */
	MANY = 66000, /* enough for a full tile of level 1 */
	EDGE = 600,   /* where what fills is damaged */
	PATH_SIZE = 256
};

static char dir[] = "/tmp/tree-XXXXXX";
static struct merkle *m;
static struct merkle_hash leaf[MANY];
static struct merkle_hash root[STEPS + 1];
static int sync_errno; /* what syncfs() fails with; 0: it does not */
static unsigned syncs;

/* In front of the C library's: it fails where the test wants it. */
int syncfs(int fd)
{
	(void)fd;
	syncs++;
	errno = sync_errno;
	return sync_errno == 0 ? 0 : -1;
}

/* Entry I of all logs here: 0 to 39 bytes. */
static inline struct span entry_of(uint32_t i)
{
	static uint8_t buf[40];

	memset(buf, (int)(i % 251), sizeof(buf));
	memcpy(buf, &i, sizeof(i));
	return span_of(buf, i % sizeof(buf));
}

static inline int remove_one(const char *path, const struct stat *st, int flag,
			     struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void make_dir(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
}

static inline void remove_dir(void)
{
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline int setup_all(void **state)
{
	struct merkle_frontier f = {0};

	(void)state;
	assert_int_equal(merkle_create(&m), SG_OK);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(merkle_leaf(m, entry_of(i), &leaf[i]), SG_OK);
		if (i <= STEPS)
			assert_int_equal(merkle_frontier_root(m, &f, &root[i]),
					 SG_OK);
		assert_int_equal(merkle_add(m, &f, &leaf[i], NULL, NULL),
				 SG_OK);
	}
	return 0;
}

static inline int teardown_all(void **state)
{
	(void)state;
	merkle_free(m);
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	sync_errno = 0;
	syncs = 0;
	make_dir();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	remove_dir();
	return 0;
}

static inline struct tree *open_at(struct tiles *tiles, uint64_t size)
{
	struct tree *t;

	assert_int_equal(
		tree_open(tiles, size, size <= STEPS ? &root[size] : NULL, &t),
		SG_OK);
	assert_int_equal(tree_size(t), size);
	return t;
}

static inline struct tiles *open_tiles(void)
{
	struct tiles *tiles;

	assert_int_equal(tiles_open(dir, true, &tiles), SG_OK);
	return tiles;
}

static inline void add(struct tree *t, uint32_t to)
{
	for (uint32_t i = (uint32_t)tree_size(t); i < to; i++)
		assert_int_equal(tree_add(t, entry_of(i)), SG_OK);
}

static inline void has_root(struct tree *t, const struct merkle_hash *want)
{
	struct merkle_hash got;

	assert_int_equal(tree_root(t, &got), SG_OK);
	assert_memory_equal(&got, want, sizeof(got));
}

static inline bool there(const char *path, struct stat *st)
{
	char whole[PATH_SIZE];

	(void)snprintf(whole, sizeof(whole), "%s/%s", dir, path);
	return stat(whole, st) == 0;
}

/* All entries of a log of SIZE, and its leaves' hashes, from the disk. */
static inline void check_leaves(struct tiles *tiles, uint64_t size)
{
	static uint8_t bundle[TILE_WIDTH * 42];
	static uint8_t hashes[TILE_BYTES_MAX];
	uint32_t i = 0;

	for (uint64_t n = 0; n * TILE_WIDTH < size; n++) {
		struct tile tile = {0, n, tile_width(0, n, size)};
		struct span rest;
		struct span entry;
		size_t len;

		assert_int_equal(
			tiles_read(tiles, &tile, hashes, sizeof(hashes), &len),
			SG_OK);
		assert_memory_equal(hashes, &leaf[n * TILE_WIDTH], len);
		tile.level = TILE_ENTRIES;
		assert_int_equal(
			tiles_read(tiles, &tile, bundle, sizeof(bundle), &len),
			SG_OK);
		rest = span_of(bundle, len);
		while (tile_next_entry(&rest, &entry) == SG_OK)
			assert_true(span_eq(entry, entry_of(i++)));
		assert_int_equal(rest.n, 0);
	}
	assert_int_equal(i, size);
}

static inline void check_level_2(struct tiles *tiles, struct tree *t)
{
	const struct merkle_source src = tiles_source(tiles, m, MANY);
	struct merkle_proof p;
	struct merkle_hash want;

	assert_int_equal(merkle_root_of(m, &src, MANY, &want), SG_OK);
	has_root(t, &want);
	for (uint64_t i = 0; i < MANY; i += 997) {
		assert_int_equal(merkle_prove(m, &src, MANY, i, &p), SG_OK);
		assert_int_equal(merkle_check(m, &p, MANY, i, &leaf[i], &want),
				 SG_OK);
	}
}

#endif /* SG_TEST_TREE_WORLD_H */
