/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
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
static struct span entry_of(uint32_t i)
{
	static uint8_t buf[40];

	memset(buf, (int)(i % 251), sizeof(buf));
	memcpy(buf, &i, sizeof(i));
	return span_of(buf, i % sizeof(buf));
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void make_dir(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
}

static void remove_dir(void)
{
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int setup_all(void **state)
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

static int teardown_all(void **state)
{
	(void)state;
	merkle_free(m);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	sync_errno = 0;
	syncs = 0;
	make_dir();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	remove_dir();
	return 0;
}

static struct tree *open_at(struct tiles *tiles, uint64_t size)
{
	struct tree *t;

	assert_int_equal(
		tree_open(tiles, size, size <= STEPS ? &root[size] : NULL, &t),
		SG_OK);
	assert_int_equal(tree_size(t), size);
	return t;
}

static struct tiles *open_tiles(void)
{
	struct tiles *tiles;

	assert_int_equal(tiles_open(dir, true, &tiles), SG_OK);
	return tiles;
}

static void add(struct tree *t, uint32_t to)
{
	for (uint32_t i = (uint32_t)tree_size(t); i < to; i++)
		assert_int_equal(tree_add(t, entry_of(i)), SG_OK);
}

static void has_root(struct tree *t, const struct merkle_hash *want)
{
	struct merkle_hash got;

	assert_int_equal(tree_root(t, &got), SG_OK);
	assert_memory_equal(&got, want, sizeof(got));
}

static bool there(const char *path, struct stat *st)
{
	char whole[PATH_SIZE];

	(void)snprintf(whole, sizeof(whole), "%s/%s", dir, path);
	return stat(whole, st) == 0;
}

/* All entries of a log of SIZE, and its leaves' hashes, from the disk. */
static void check_leaves(struct tiles *tiles, uint64_t size)
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

/* --- tests ---------------------------------------------------------------- */

/* Opened at each size, going on: the same tree as made in one go, and the
 * same tiles; and each size's root can be had later. */
static void test_each_size(void **state)
{
	struct tiles *tiles = open_tiles();
	struct merkle_hash got;
	struct tree *t;

	(void)state;
	for (uint32_t size = 0; size < STEPS; size++) {
		t = open_at(tiles, size);
		has_root(t, &root[size]);
		add(t, size + 1);
		has_root(t, &root[size + 1]);
		assert_int_equal(tree_flush(t), SG_OK);
		tree_close(t);
	}
	check_leaves(tiles, STEPS);
	t = open_at(tiles, STEPS);
	for (uint64_t size = 0; size <= STEPS; size++) {
		assert_int_equal(tree_root_at(t, size, &got), SG_OK);
		assert_memory_equal(&got, &root[size], sizeof(got));
	}
	assert_int_equal(tree_root_at(t, STEPS + 1, &got), SG_NOT_FOUND);
	tree_close(t);
	/* At an earlier size too: what is beyond is written over. */
	t = open_at(tiles, 300);
	assert_int_equal(tree_add(t, SPAN_LIT("other")), SG_OK);
	assert_int_equal(tree_root_at(t, 301, &got), SG_NOT_FOUND);
	assert_int_equal(tree_flush(t), SG_OK);
	assert_int_equal(tree_root_at(t, 301, &got), SG_OK);
	assert_memory_not_equal(&got, &root[301], sizeof(got));
	tree_close(t);
	tree_close(NULL);
	tiles_close(tiles);
}

static void check_level_2(struct tiles *tiles, struct tree *t)
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

static void test_many(void **state)
{
	static const uint64_t SIZES[] = {65535, 65536, 65537, MANY};
	struct tiles *tiles = open_tiles();
	struct tree *t = open_at(tiles, 0);
	struct merkle_hash at[4];
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		add(t, (uint32_t)SIZES[i]);
		assert_int_equal(tree_root(t, &at[i]), SG_OK);
		assert_int_equal(tree_flush(t), SG_OK);
	}
	check_leaves(tiles, MANY);
	check_level_2(tiles, t);
	tree_close(t);
	assert_true(there("tile/1/000", &st));
	assert_int_equal(st.st_size, TILE_BYTES_MAX);
	assert_true(there("tile/2/000.p/1", &st));
	assert_int_equal(st.st_size, 32);
	assert_true(there("tile/1/001.p/1", &st));
	assert_true(there("tile/entries/257.p/208", &st));
	for (size_t i = 0; i < 4; i++) {
		struct tree *again;

		assert_int_equal(tree_open(tiles, SIZES[i], &at[i], &again),
				 SG_OK);
		has_root(again, &at[i]);
		add(again, MANY);
		has_root(again, &at[3]);
		tree_close(again);
		at[i].b[0] ^= 1;
		assert_int_equal(tree_open(tiles, SIZES[i], &at[i], &again),
				 SG_MALFORMED);
		at[i].b[0] ^= 1;
	}
	tiles_close(tiles);
}

/* Each byte of FILE flipped: no tree opens over it. */
static void flip_each(struct tiles *tiles, const char *file)
{
	char whole[PATH_SIZE];
	struct tree *t;
	FILE *f;
	int c;

	(void)snprintf(whole, sizeof(whole), "%s/%s", dir, file);
	f = fopen(whole, "r+b");
	assert_non_null(f);
	setbuf(f, NULL);
	for (long i = 0; (c = fgetc(f)) != EOF; i++) {
		assert_int_equal(fseek(f, i, SEEK_SET), 0);
		assert_int_not_equal(fputc(c ^ 1 << (i % 8), f), EOF);
		assert_int_equal(tree_open(tiles, EDGE, &root[EDGE], &t),
				 SG_MALFORMED);
		assert_int_equal(fseek(f, i, SEEK_SET), 0);
		assert_int_not_equal(fputc(c, f), EOF);
		assert_int_equal(fseek(f, i + 1, SEEK_SET), 0);
	}
	assert_int_equal(fclose(f), 0);
	char hidden[PATH_SIZE + 8];
	(void)snprintf(hidden, sizeof(hidden), "%s.hid", whole);
	assert_int_equal(rename(whole, hidden), 0);
	assert_int_equal(tree_open(tiles, EDGE, &root[EDGE], &t), SG_NOT_FOUND);
	assert_int_equal(rename(hidden, whole), 0);
	tree_close(open_at(tiles, EDGE));
}

static void test_flipped(void **state)
{
	struct tiles *tiles = open_tiles();
	struct tree *t = open_at(tiles, 0);
	struct merkle_hash got;
	char whole[PATH_SIZE];
	unsigned refused = 0;
	FILE *f;

	(void)state;
	add(t, EDGE);
	assert_int_equal(tree_flush(t), SG_OK);
	flip_each(tiles, "tile/entries/002.p/88");
	flip_each(tiles, "tile/0/002.p/88");
	flip_each(tiles, "tile/1/000.p/2");
	/* Roots from the disk: the right one, or none. */
	(void)snprintf(whole, sizeof(whole), "%s/tile/0/001", dir);
	f = fopen(whole, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, 100 * 32, SEEK_SET), 0);
	assert_int_not_equal(fputc(leaf[356].b[0] ^ 1, f), EOF);
	assert_int_equal(fclose(f), 0);
	for (uint64_t size = 0; size <= EDGE; size++) {
		const enum sg_err err = tree_root_at(t, size, &got);

		if (err == SG_OK)
			assert_memory_equal(&got, &root[size], sizeof(got));
		else
			assert_int_equal(err, SG_MALFORMED);
		refused += err != SG_OK;
	}
	assert_true(refused >= 512 - 357);
	tree_close(t);
	tiles_close(tiles);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The leaf that fills tiles does not get in while they cannot be written:
 * neither the bundle (limit 100) nor the hashes behind it. */
static void refuse_at(struct tree *t, uint32_t size, rlim_t bytes)
{
	struct merkle_hash before;

	assert_int_equal(tree_root(t, &before), SG_OK);
	limit_files(bytes);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(tree_add(t, entry_of(size)), SG_IO);
		assert_int_equal(tree_size(t), size);
		has_root(t, &before);
	}
	limit_files(RLIM_INFINITY);
	assert_int_equal(tree_add(t, entry_of(size)), SG_OK);
	assert_int_equal(tree_size(t), size + 1);
}

static void test_write_fails(void **state)
{
	struct tiles *tiles = open_tiles();
	struct tree *t = open_at(tiles, 0);
	char whole[PATH_SIZE];
	struct stat st;

	(void)state;
	add(t, 255);
	refuse_at(t, 255, 100);
	has_root(t, &root[256]);
	add(t, 511);
	refuse_at(t, 511, 8000); /* the bundle fits, the hashes do not */
	has_root(t, &root[512]);
	add(t, 520);
	/* So with what a flush writes. */
	limit_files(100);
	assert_int_equal(tree_flush(t), SG_IO);
	has_root(t, &root[520]);
	limit_files(RLIM_INFINITY);
	assert_int_equal(tree_flush(t), SG_OK);
	assert_true(there("tile/0/002.p/8", &st));
	add(t, 65535);
	/* A directory where the last tile to write should be. */
	(void)snprintf(whole, sizeof(whole), "%s/tile/1/000", dir);
	assert_int_equal(mkdir(whole, 0755), 0);
	assert_int_equal(tree_add(t, entry_of(65535)), SG_IO);
	assert_int_equal(tree_size(t), 65535);
	assert_int_equal(rmdir(whole), 0);
	add(t, MANY);
	assert_int_equal(tree_flush(t), SG_OK);
	check_leaves(tiles, MANY);
	check_level_2(tiles, t);
	tree_close(t);
	tiles_close(tiles);
}

static void test_directory_lost(void **state)
{
	struct tiles *tiles = open_tiles();
	struct tree *t = open_at(tiles, 0);

	(void)state;
	add(t, 255);
	remove_dir();
	assert_int_equal(tree_add(t, entry_of(255)), SG_IO);
	assert_int_equal(tree_flush(t), SG_IO);
	assert_int_equal(tree_size(t), 255);
	has_root(t, &root[255]);
	tree_close(t);
	tiles_close(tiles);
	make_dir();
}

static ino_t inode(const char *path)
{
	struct stat st;

	assert_true(there(path, &st));
	return st.st_ino;
}

/* What a sync that failed may have lost is written again before the next. */
static void test_sync_fails(void **state)
{
	struct tiles *tiles = open_tiles();
	struct tree *t = open_at(tiles, 0);
	struct merkle_hash got;
	char whole[PATH_SIZE];
	ino_t old[5];

	(void)state;
	add(t, 300);
	assert_int_equal(tree_flush(t), SG_OK);
	add(t, 800);
	sync_errno = EIO;
	assert_int_equal(tree_flush(t), SG_IO);
	assert_int_equal(tree_root_at(t, 800, &got), SG_NOT_FOUND);
	assert_int_equal(tree_root_at(t, 300, &got), SG_OK);
	assert_memory_equal(&got, &root[300], sizeof(got));
	sync_errno = 0;
	/* Hard links, so that no inode is used again. */
	(void)snprintf(whole, sizeof(whole), "%s", dir);
	assert_int_equal(chdir(whole), 0);
	old[0] = inode("tile/0/000");
	old[1] = inode("tile/0/001");
	old[2] = inode("tile/entries/002");
	assert_int_equal(link("tile/0/001", "keep-1"), 0);
	assert_int_equal(link("tile/entries/002", "keep-2"), 0);
	/* One of them damaged meanwhile: not taken for good. */
	assert_int_equal(rename("tile/entries/002", "tile/entries/x"), 0);
	assert_int_equal(link("tile/entries/001", "tile/entries/002"), 0);
	assert_int_equal(tree_flush(t), SG_IO);
	assert_int_equal(rename("tile/entries/x", "tile/entries/002"), 0);
	assert_int_equal(tree_flush(t), SG_OK);
	assert_true(inode("tile/0/000") == old[0]); /* was synced before */
	assert_true(inode("tile/0/001") != old[1]);
	assert_true(inode("tile/entries/002") != old[2]);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(tree_root_at(t, 800, &got), SG_OK);
	check_leaves(tiles, 800);
	/* Nothing new, nothing to do. */
	syncs = 0;
	assert_int_equal(tree_flush(t), SG_OK);
	assert_int_equal(syncs, 0);
	tree_close(t);
	tiles_close(tiles);
}

/* The same through two levels of full tiles. */
static void test_sync_fails_long(void **state)
{
	struct tiles *tiles = open_tiles();
	struct tree *t = open_at(tiles, 0);

	(void)state;
	add(t, 65000);
	sync_errno = ENOSPC;
	assert_int_equal(tree_flush(t), SG_IO);
	add(t, MANY);
	assert_int_equal(tree_flush(t), SG_IO);
	sync_errno = 0;
	assert_int_equal(tree_flush(t), SG_OK);
	check_leaves(tiles, MANY);
	check_level_2(tiles, t);
	tree_close(t);
	tiles_close(tiles);
}

/* Partial tiles go some time after their full tile came, never before it is on
 * the disk; what an earlier run left goes too. */
static void test_partial_tiles(void **state)
{
	struct tiles *tiles = open_tiles();
	struct tree *t = open_at(tiles, 0);
	struct stat st;

	(void)state;
	add(t, 250);
	assert_int_equal(tree_flush(t), SG_OK);
	assert_true(there("tile/0/000.p/250", &st));
	assert_true(there("tile/entries/000.p/250", &st));
	add(t, 260);
	assert_true(there("tile/0/000.p/250", &st));
	sync_errno = EIO;
	assert_int_equal(tree_flush(t), SG_IO);
	assert_true(there("tile/0/000.p/250", &st));
	sync_errno = 0;
	for (uint32_t i = 1; i <= 66; i++) {
		assert_true(i > 60 || there("tile/0/000.p/250", &st));
		add(t, 260 + i);
		assert_int_equal(tree_flush(t), SG_OK);
	}
	assert_false(there("tile/0/000.p", &st));
	assert_false(there("tile/entries/000.p", &st));
	assert_true(there("tile/0/001.p/5", &st));
	assert_true(there("tile/0/001.p/70", &st));
	add(t, 700);
	assert_int_equal(tree_flush(t), SG_OK);
	assert_true(there("tile/0/001.p/70", &st));
	tree_close(t);
	t = open_at(tiles, 700);
	syncs = 0;
	assert_int_equal(tree_flush(t), SG_OK);
	assert_int_equal(syncs, 1); /* once, whatever wrote them before */
	assert_false(there("tile/0/001.p", &st));
	assert_true(there("tile/0/002.p/188", &st));
	tree_close(t);
	tiles_close(tiles);
}

static void test_entries(void **state)
{
	static uint8_t big[TILE_ENTRY_MAX + 1];
	struct tiles *tiles = open_tiles();
	struct tree *t = open_at(tiles, 0);
	struct merkle_hash got;
	struct stat st;

	(void)state;
	assert_int_equal(tree_add(t, span_of(big, sizeof(big))), SG_TOO_BIG);
	assert_int_equal(tree_size(t), 0);
	merkle_empty_root(&got);
	has_root(t, &got);
	for (int i = 0; i < TILE_WIDTH; i++)
		assert_int_equal(tree_add(t, span_of(big, TILE_ENTRY_MAX)),
				 SG_OK);
	assert_true(there("tile/entries/000", &st));
	assert_int_equal(st.st_size, TILE_BUNDLE_MAX);
	assert_int_equal(tree_flush(t), SG_OK);
	tree_close(t);
	assert_int_equal(tree_open(tiles, UINT64_MAX, &got, &t), SG_MALFORMED);
	assert_int_equal(tree_open(tiles, 1, &got, &t), SG_MALFORMED);
	assert_int_equal(tree_open(tiles, 257, &got, &t), SG_NOT_FOUND);
	tiles_close(tiles);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_size),	    TEST(test_many),
		TEST(test_flipped),	    TEST(test_write_fails),
		TEST(test_directory_lost),  TEST(test_sync_fails),
		TEST(test_sync_fails_long), TEST(test_partial_tiles),
		TEST(test_entries),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
