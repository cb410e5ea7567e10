/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ledger/tree.h"
#include "tree_world.h"

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

/* FROM in place of TO, until it is put back. */
static void put_other(const char *from, const char *to)
{
	char kept[PATH_SIZE];

	(void)snprintf(kept, sizeof(kept), "%s.kept", to);
	assert_int_equal(rename(to, kept), 0);
	assert_int_equal(link(from, to), 0);
}

static void put_back(const char *to)
{
	char kept[PATH_SIZE];

	(void)snprintf(kept, sizeof(kept), "%s.kept", to);
	assert_int_equal(rename(kept, to), 0);
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
	/* Others in their place meanwhile: not taken for good. */
	put_other("tile/entries/001", "tile/entries/002");
	assert_int_equal(tree_flush(t), SG_IO);
	put_other("tile/0/001", "tile/0/002"); /* and they fit each other */
	assert_int_equal(tree_flush(t), SG_IO);
	put_back("tile/0/002");
	put_back("tile/entries/002");
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_fails),	  TEST(test_directory_lost),
		TEST(test_sync_fails),	  TEST(test_sync_fails_long),
		TEST(test_partial_tiles),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
