/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/tile.h"

static struct merkle *m;

static int setup(void **state)
{
	(void)state;
	return merkle_create(&m) == SG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	merkle_free(m);
	return 0;
}

static void test_paths(void **state)
{
	static const struct {
		struct tile tile;
		const char *path;
	} CASES[] = {
		{{0, 0, 256}, "tile/0/000"},
		{{7, 0, 1}, "tile/7/000.p/1"},
		{{0, 999, 256}, "tile/0/999"},
		{{0, 1000, 256}, "tile/0/x001/000"},
		{{0, 1067, 7}, "tile/0/x001/067.p/7"},
		{{1, 1234067, 255}, "tile/1/x001/x234/067.p/255"},
		{{TILE_ENTRIES, 0, 256}, "tile/entries/000"},
		{{TILE_ENTRIES, 1000000, 16},
		 "tile/entries/x001/x000/000.p/16"},
		{{TILE_ENTRIES, UINT64_MAX, 100},
		 "tile/entries/x018/x446/x744/x073/x709/x551/615.p/100"},
	};
	char path[TILE_PATH_MAX];
	struct tile t;

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		tile_path(&CASES[i].tile, path);
		assert_string_equal(path, CASES[i].path);
		for (size_t skip = 0; skip <= 5; skip += 5) {
			assert_int_equal(tile_parse(span_str(path + skip), &t),
					 SG_OK);
			assert_int_equal(t.level, CASES[i].tile.level);
			assert_int_equal(t.n, CASES[i].tile.n);
			assert_int_equal(t.width, CASES[i].tile.width);
		}
	}
}

static void test_bad_paths(void **state)
{
	static const char *const PATHS[] = {
		"",
		"tile",
		"tile/",
		"tile/0",
		"tile/0/",
		"tile/0/0",
		"tile/0/00",
		"tile/0/0000",
		"tile/0/1000",
		"tile/0/x000/001",
		"tile/0/x001",
		"tile/0/x001/",
		"tile/0/x001/x002",
		"tile/0/001/002",
		"tile/0/x1/002",
		"tile/0/x001/2",
		"tile/0/X001/002",
		"tile/00/000",
		"tile/8/000",
		"tile/63/000",
		"tile/-1/000",
		"tile/+0/000",
		"tile/ 0/000",
		"tile/0/ 00",
		"tile/0/-01",
		"tile/0/000 ",
		"tile/0/000/",
		"tile/0/000.p",
		"tile/0/000.p/",
		"tile/0/000.p/0",
		"tile/0/000.p/00",
		"tile/0/000.p/01",
		"tile/0/000.p/256",
		"tile/0/000.p/1000",
		"tile/0/000.p/1/",
		"tile/0/000.p/-1",
		"tile/0/000.p/7x",
		"tile/0/000.q/7",
		"tile/0//000",
		"//tile/0/000",
		"/tile/0/000",
		"tile/tile/0/000",
		"tile/entries",
		"tile/entries/",
		"tile/data/000",
		"tile/0/../000",
		"tile/entries/x018/x446/x744/x073/x709/x551/616",
		"tile/entries/x999/x999/x999/x999/x999/x999/x999/999",
	};
	struct tile t = {.level = 5, .n = 6, .width = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++)
		if (tile_parse(span_str(PATHS[i]), &t) != SG_MALFORMED)
			fail_msg("taken: %s", PATHS[i]);
	assert_int_equal(tile_parse(span_of("tile/0/000", 11), &t),
			 SG_MALFORMED); /* with its NUL */
	assert_int_equal(t.n, 6);
}

static void test_width(void **state)
{
	(void)state;
	/* The example of the specification: 70,000 leaves. */
	assert_int_equal(tile_width(0, 272, 70000), 256);
	assert_int_equal(tile_width(0, 273, 70000), 112);
	assert_int_equal(tile_width(0, 274, 70000), 0);
	assert_int_equal(tile_width(TILE_ENTRIES, 273, 70000), 112);
	assert_int_equal(tile_width(1, 0, 70000), 256);
	assert_int_equal(tile_width(1, 1, 70000), 17);
	assert_int_equal(tile_width(2, 0, 70000), 1);
	assert_int_equal(tile_width(3, 0, 70000), 0);
	assert_int_equal(tile_width(0, 0, 256), 256);
	assert_int_equal(tile_width(0, 1, 256), 0);
	assert_int_equal(tile_width(1, 0, 256), 1);
	assert_int_equal(tile_width(0, 0, 0), 0);
	assert_int_equal(tile_width(0, UINT64_MAX, 1), 0);
	assert_int_equal(tile_width(7, 0, UINT64_MAX), 255);
}

static void test_of(void **state)
{
	static const struct {
		unsigned level;
		uint64_t index;
		struct tile tile;
		unsigned first, count;
	} CASES[] = {
		{0, 0, {0, 0, 1}, 0, 1},      {0, 255, {0, 0, 256}, 255, 1},
		{0, 256, {0, 1, 1}, 0, 1},    {3, 31, {0, 0, 256}, 248, 8},
		{3, 32, {0, 1, 8}, 0, 8},     {7, 1, {0, 0, 256}, 128, 128},
		{8, 0, {1, 0, 1}, 0, 1},      {9, 200, {1, 1, 146}, 144, 2},
		{63, 0, {7, 0, 128}, 0, 128},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct tile t;
		unsigned first;
		unsigned count;

		tile_of(CASES[i].level, CASES[i].index, &t, &first, &count);
		assert_int_equal(t.level, CASES[i].tile.level);
		assert_int_equal(t.n, CASES[i].tile.n);
		assert_int_equal(t.width, CASES[i].tile.width);
		assert_int_equal(first, CASES[i].first);
		assert_int_equal(count, CASES[i].count);
	}
}

static void test_hash(void **state)
{
	static struct merkle_hash hash[TILE_WIDTH];
	const struct span data = span_of(hash, sizeof(hash));
	struct merkle_frontier f = {0};
	struct merkle_hash want;
	struct merkle_hash got;

	(void)state;
	for (size_t i = 0; i < TILE_WIDTH; i++)
		hash[i].b[0] = (uint8_t)i;
	for (unsigned count = 1; count <= TILE_WIDTH; count *= 2) {
		for (unsigned at = 0; at < TILE_WIDTH; at += count) {
			f.size = 0;
			for (unsigned i = 0; i < count; i++)
				assert_int_equal(merkle_add(m, &f,
							    &hash[at + i], NULL,
							    NULL),
						 SG_OK);
			assert_int_equal(merkle_frontier_root(m, &f, &want),
					 SG_OK);
			assert_int_equal(tile_hash(m, data, at, count, &got),
					 SG_OK);
			assert_memory_equal(&got, &want, sizeof(got));
		}
	}
	assert_int_equal(tile_hash(m, data, 0, 3, &got), SG_MALFORMED);
	assert_int_equal(tile_hash(m, data, 0, 0, &got), SG_MALFORMED);
	assert_int_equal(tile_hash(m, data, 0, 512, &got), SG_MALFORMED);
	assert_int_equal(tile_hash(m, data, 1, 256, &got), SG_MALFORMED);
	assert_int_equal(tile_hash(m, data, 256, 1, &got), SG_MALFORMED);
	assert_int_equal(tile_hash(m, span_of(hash, 63), 0, 2, &got),
			 SG_MALFORMED);
	assert_int_equal(tile_hash(m, span_of(hash, 64), 0, 2, &got), SG_OK);
}

static void test_entries(void **state)
{
	static uint8_t bundle[TILE_ENTRY_MAX * 2];
	static uint8_t big[TILE_ENTRY_MAX + 1];
	struct span rest;
	struct span entry;
	size_t n = 0;

	(void)state;
	big[0] = 1;
	big[TILE_ENTRY_MAX - 1] = 2;
	assert_int_equal(tile_put_entry(bundle, 4, &n, SPAN_LIT("abc")),
			 SG_TOO_BIG);
	assert_int_equal(n, 0);
	assert_int_equal(tile_put_entry(bundle, 5, &n, SPAN_LIT("abc")), SG_OK);
	assert_int_equal(n, 5);
	assert_memory_equal(bundle, "\0\3abc", 5);
	assert_int_equal(tile_put_entry(bundle, 5, &n, span_of(NULL, 0)),
			 SG_TOO_BIG);
	assert_int_equal(
		tile_put_entry(bundle, sizeof(bundle), &n, span_of(NULL, 0)),
		SG_OK);
	assert_int_equal(tile_put_entry(bundle, sizeof(bundle), &n,
					span_of(big, TILE_ENTRY_MAX + 1)),
			 SG_TOO_BIG);
	assert_int_equal(tile_put_entry(bundle, sizeof(bundle), &n,
					span_of(big, TILE_ENTRY_MAX)),
			 SG_OK);
	assert_int_equal(n, 5 + 2 + 2 + TILE_ENTRY_MAX);

	rest = span_of(bundle, n);
	assert_int_equal(tile_next_entry(&rest, &entry), SG_OK);
	assert_true(span_is(entry, "abc"));
	assert_int_equal(tile_next_entry(&rest, &entry), SG_OK);
	assert_int_equal(entry.n, 0);
	assert_int_equal(tile_next_entry(&rest, &entry), SG_OK);
	assert_true(span_eq(entry, span_of(big, TILE_ENTRY_MAX)));
	assert_int_equal(tile_next_entry(&rest, &entry), SG_NOT_FOUND);
	for (size_t cut = 1; cut < 5; cut++) {
		rest = span_of(bundle, cut);
		assert_int_equal(tile_next_entry(&rest, &entry), SG_MALFORMED);
		assert_int_equal(rest.n, cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths), cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_width), cmocka_unit_test(test_of),
		cmocka_unit_test(test_hash),  cmocka_unit_test(test_entries),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
