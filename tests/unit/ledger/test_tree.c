/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/tree.h"
#include "tree_world.h"

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

/* A bit here and there in FILE flipped: no tree opens over it. */
static void flip(struct tiles *tiles, const char *file)
{
	enum { STEP = 7 }; /* another bit each time */
	char whole[PATH_SIZE];
	struct tree *t;
	FILE *f;
	long i;
	int c;

	(void)snprintf(whole, sizeof(whole), "%s/%s", dir, file);
	f = fopen(whole, "r+b");
	assert_non_null(f);
	setbuf(f, NULL);
	for (i = 0; (c = fgetc(f)) != EOF; i += STEP) {
		assert_int_equal(fseek(f, i, SEEK_SET), 0);
		assert_int_not_equal(fputc(c ^ 1 << (i % 8), f), EOF);
		assert_int_equal(tree_open(tiles, EDGE, &root[EDGE], &t),
				 SG_MALFORMED);
		assert_int_equal(fseek(f, i, SEEK_SET), 0);
		assert_int_not_equal(fputc(c, f), EOF);
		assert_int_equal(fseek(f, i + STEP, SEEK_SET), 0);
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
	flip(tiles, "tile/entries/002.p/88");
	flip(tiles, "tile/0/002.p/88");
	flip(tiles, "tile/1/000.p/2");
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
		TEST(test_each_size),
		TEST(test_many),
		TEST(test_flipped),
		TEST(test_entries),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
