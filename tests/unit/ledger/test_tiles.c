/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/tiles.h"

enum { LEAVES = 1000, PATH_SIZE = 256 };

static char dir[] = "/tmp/tiles-XXXXXX";
static char log_dir[64];
static struct tiles *t;
static uint8_t buf[TILE_BYTES_MAX];
static uint8_t data[TILE_BYTES_MAX];

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* Each test has a directory of its own, made under a narrow umask. */
static int setup(void **state)
{
	(void)state;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	(void)snprintf(log_dir, sizeof(log_dir), "%s/log", dir);
	(void)umask(077);
	assert_int_equal(tiles_open(log_dir, true, &t), SG_OK);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 + i / 256);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tiles_close(t);
	tiles_close(NULL);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void at(const char *path, char out[PATH_SIZE])
{
	(void)snprintf(out, PATH_SIZE, "%s/%s", log_dir, path);
}

static void put_file(const char *path, const void *p, size_t n)
{
	char whole[PATH_SIZE];
	FILE *f;

	at(path, whole);
	f = fopen(whole, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static unsigned mode_of(const char *path)
{
	char whole[PATH_SIZE];
	struct stat st;

	at(path, whole);
	return lstat(whole, &st) == 0 ? st.st_mode & 07777 : 0;
}

static bool there(const char *path)
{
	return mode_of(path) != 0;
}

static void put(int level, uint64_t n, unsigned width)
{
	const struct tile tile = {level, n, width};

	assert_int_equal(
		tiles_write(t, &tile, span_of(data, (size_t)width * 32)),
		SG_OK);
}

static enum sg_err get(int level, uint64_t n, unsigned width, size_t *len)
{
	const struct tile tile = {level, n, width};

	memset(buf, 0, sizeof(buf));
	return tiles_read(t, &tile, buf, sizeof(buf), len);
}

static void has(int level, uint64_t n, unsigned width)
{
	size_t len;

	assert_int_equal(get(level, n, width, &len), SG_OK);
	assert_int_equal(len, (size_t)width * 32);
	assert_memory_equal(buf, data, len);
}

static void fails(int level, uint64_t n, unsigned width, enum sg_err want)
{
	size_t len;

	assert_int_equal(get(level, n, width, &len), want);
	assert_int_equal(len, 0);
}

/* --- tests ---------------------------------------------------------------- */

static void test_open(void **state)
{
	struct tiles *other = NULL;
	char path[PATH_SIZE];

	(void)state;
	assert_int_equal(mode_of(""), 0755);
	at("nothing", path);
	assert_int_equal(tiles_open(path, false, &other), SG_IO);
	assert_int_equal(errno, ENOENT);
	at("nothing/at/all", path);
	assert_int_equal(tiles_open(path, true, &other), SG_IO);
	put_file("file", "x", 1);
	at("file", path);
	assert_int_equal(tiles_open(path, true, &other), SG_IO);
	assert_int_equal(errno, ENOTDIR);
	assert_null(other);
	assert_int_equal(tiles_open(log_dir, true, &other), SG_OK);
	tiles_close(other);
}

static void test_write(void **state)
{
	char whole[PATH_SIZE];

	(void)state;
	fails(0, 0, 256, SG_NOT_FOUND);
	put(0, 0, 256);
	put(0, 1234067, 7);
	put(3, 0, 1);
	assert_int_equal(tiles_sync(t), SG_OK);
	has(0, 0, 256);
	has(0, 1234067, 7);
	has(3, 0, 1);
	fails(0, 1, 256, SG_NOT_FOUND);
	fails(0, 0, 0, SG_NOT_FOUND);
	fails(0, 0, 257, SG_NOT_FOUND);
	/* Whatever the umask, any file server may read them. */
	assert_int_equal(mode_of("tile"), 0755);
	assert_int_equal(mode_of("tile/0/x001/x234/067.p"), 0755);
	assert_int_equal(mode_of("tile/0/x001/x234/067.p/7"), 0644);
	assert_int_equal(mode_of("tile/0/000"), 0644);
	assert_false(there("tile/0/000.tmp"));
	/* The rest of a write that a crash cut off does not stand in the way.
	 */
	put_file("tile/0/000.tmp", data, sizeof(data));
	at("tile/0/000.tmp", whole);
	assert_int_equal(truncate(whole, 9000), 0);
	data[0] ^= 1;
	put(0, 0, 256);
	has(0, 0, 256);
	assert_false(there("tile/0/000.tmp"));
}

static void test_wider(void **state)
{
	(void)state;
	put(0, 2, 10);
	put(0, 2, 200);
	put(0, 2, 100);
	put_file("tile/0/002.p/020", data, 20 * 32L);
	put_file("tile/0/002.p/99.tmp", data, 99 * 32L);
	put_file("tile/0/002.p/256", data, 256 * 32L);
	has(0, 2, 10);
	has(0, 2, 11);
	has(0, 2, 100);
	has(0, 2, 101);
	fails(0, 2, 201, SG_NOT_FOUND);
	/* The next wider one, and no other. */
	put_file("tile/0/002.p/100", data, 99 * 32L);
	fails(0, 2, 50, SG_MALFORMED);
	has(0, 2, 150);
	put(0, 2, 256);
	has(0, 2, 201);
	const struct tile full = {0, 2, 256};
	tiles_drop_partial(t, &full);
	assert_false(there("tile/0/002.p"));
	tiles_drop_partial(t, &full);
	has(0, 2, 10);
	has(0, 2, 256);
}

static void test_damaged(void **state)
{
	size_t len;

	(void)state;
	put(0, 0, 256);
	put_file("tile/0/000", data, sizeof(data) - 1);
	fails(0, 0, 256, SG_MALFORMED);
	fails(0, 0, 1, SG_MALFORMED);
	put_file("tile/0/000", "", 0);
	fails(0, 0, 256, SG_MALFORMED);
	put_file("tile/0/001", data, sizeof(data));
	put_file("tile/0/001", data, sizeof(data));
	has(0, 1, 256);
	char whole[PATH_SIZE];
	at("tile/0/001", whole);
	assert_int_equal(truncate(whole, sizeof(data) + 1), 0);
	fails(0, 1, 256, SG_MALFORMED);
	const struct tile tile = {0, 1, 3};
	assert_int_equal(truncate(whole, sizeof(data)), 0);
	assert_int_equal(tiles_read(t, &tile, buf, 95, &len), SG_TOO_BIG);
	assert_int_equal(tiles_read(t, &tile, buf, 96, &len), SG_OK);
}

/* Links, FIFOs and directories are no tiles. */
static void test_not_regular(void **state)
{
	char whole[PATH_SIZE];

	(void)state;
	put(0, 0, 256);
	at("tile/0/001", whole);
	assert_int_equal(symlink("000", whole), 0);
	fails(0, 1, 256, SG_IO);
	assert_int_equal(errno, ELOOP);
	at("tile/0/002", whole);
	assert_int_equal(mkfifo(whole, 0644), 0);
	fails(0, 2, 256, SG_IO);
	at("tile/0/003", whole);
	assert_int_equal(mkdir(whole, 0755), 0);
	fails(0, 3, 256, SG_IO);
	at("tile/0/004.p", whole);
	assert_int_equal(symlink("..", whole), 0);
	fails(0, 4, 3, SG_NOT_FOUND);
	at("tile/1", whole);
	put_file("tile/1", "x", 1);
	fails(1, 0, 256, SG_NOT_FOUND); /* below a file, there is nothing */
}

/* N entries of SIZE bytes each to data; returns the length. */
static size_t make_bundle(unsigned n, size_t size)
{
	uint8_t entry[64];
	size_t len = 0;

	for (unsigned i = 0; i < n; i++) {
		memset(entry, (int)i, sizeof(entry));
		assert_int_equal(tile_put_entry(data, sizeof(data), &len,
						span_of(entry, size)),
				 SG_OK);
	}
	return len;
}

static void test_bundles(void **state)
{
	const struct tile full = {TILE_ENTRIES, 5, 256};
	const struct tile part = {TILE_ENTRIES, 6, 3};
	size_t len;

	(void)state;
	const size_t n = make_bundle(256, 20);
	assert_int_equal(tiles_write(t, &full, span_of(data, n)), SG_OK);
	assert_int_equal(tiles_write(t, &part, span_of(data, 66)), SG_OK);
	assert_true(there("tile/entries/005"));
	assert_true(there("tile/entries/006.p/3"));
	assert_int_equal(get(TILE_ENTRIES, 5, 256, &len), SG_OK);
	assert_int_equal(len, n);
	assert_memory_equal(buf, data, n);
	assert_int_equal(get(TILE_ENTRIES, 5, 7, &len), SG_OK);
	assert_int_equal(len, 7 * 22);
	assert_int_equal(get(TILE_ENTRIES, 6, 2, &len), SG_OK);
	assert_int_equal(len, 44);
	fails(TILE_ENTRIES, 6, 4, SG_NOT_FOUND);
	/* Cut, longer, an entry too many, one too few. */
	put_file("tile/entries/006.p/3", data, 65);
	fails(TILE_ENTRIES, 6, 3, SG_MALFORMED);
	fails(TILE_ENTRIES, 6, 1, SG_MALFORMED);
	put_file("tile/entries/006.p/3", data, 67);
	fails(TILE_ENTRIES, 6, 3, SG_MALFORMED);
	put_file("tile/entries/006.p/3", data, 88);
	fails(TILE_ENTRIES, 6, 3, SG_MALFORMED);
	put_file("tile/entries/006.p/3", data, 44);
	fails(TILE_ENTRIES, 6, 3, SG_MALFORMED);
	fails(TILE_ENTRIES, 6, 2, SG_MALFORMED);
	assert_int_equal(tiles_read(t, &full, buf, n - 1, &len), SG_TOO_BIG);
	char whole[PATH_SIZE];
	at("tile/entries/005", whole);
	assert_int_equal(truncate(whole, TILE_BUNDLE_MAX + 1), 0);
	fails(TILE_ENTRIES, 5, 256, SG_TOO_BIG);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_write_fails(void **state)
{
	const struct tile tile = {0, 0, 256};

	(void)state;
	put(0, 0, 256);
	assert_int_equal(tiles_write_file(t, "checkpoint", span_of("old", 3)),
			 SG_OK);
	limit_files(100);
	data[5] ^= 1;
	assert_int_equal(tiles_write(t, &tile, span_of(data, sizeof(data))),
			 SG_IO);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(tiles_write_file(t, "checkpoint", span_of(data, 101)),
			 SG_IO);
	limit_files(RLIM_INFINITY);
	data[5] ^= 1;
	has(0, 0, 256);
	assert_false(there("tile/0/000.tmp"));
	assert_false(there("checkpoint.tmp"));
	size_t len;
	assert_int_equal(
		tiles_read_file(t, "checkpoint", buf, sizeof(buf), &len),
		SG_OK);
	assert_memory_equal(buf, "old", 3);
	/* A directory where the tile should be. */
	char whole[PATH_SIZE];
	at("tile/0/001", whole);
	assert_int_equal(mkdir(whole, 0755), 0);
	const struct tile one = {0, 1, 256};
	assert_int_equal(tiles_write(t, &one, span_of(data, sizeof(data))),
			 SG_IO);
	assert_false(there("tile/0/001.tmp"));
	/* The whole log removed under us. */
	assert_int_equal(nftw(log_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(tiles_write(t, &tile, span_of(data, sizeof(data))),
			 SG_IO);
	fails(0, 0, 256, SG_NOT_FOUND);
}

static void test_files(void **state)
{
	char whole[PATH_SIZE];
	size_t len;

	(void)state;
	assert_int_equal(tiles_read_file(t, "vkey", buf, 10, &len),
			 SG_NOT_FOUND);
	assert_int_equal(tiles_write_file(t, "vkey", SPAN_LIT("first one")),
			 SG_OK);
	assert_int_equal(tiles_write_file(t, "vkey", SPAN_LIT("second")),
			 SG_OK);
	assert_int_equal(mode_of("vkey"), 0644);
	assert_int_equal(tiles_read_file(t, "vkey", buf, 6, &len), SG_OK);
	assert_int_equal(len, 6);
	assert_memory_equal(buf, "second", 6);
	assert_int_equal(tiles_read_file(t, "vkey", buf, 5, &len), SG_TOO_BIG);
	assert_int_equal(len, 0);
	at("checkpoint", whole);
	assert_int_equal(symlink("vkey", whole), 0);
	assert_int_equal(tiles_read_file(t, "checkpoint", buf, 10, &len),
			 SG_IO);
	/* A link is replaced, not followed. */
	assert_int_equal(tiles_write_file(t, "checkpoint", SPAN_LIT("x")),
			 SG_OK);
	assert_int_equal(tiles_read_file(t, "vkey", buf, 6, &len), SG_OK);
	assert_memory_equal(buf, "second", 6);
}

/* --- the source ----------------------------------------------------------- */

static struct merkle_hash leaf[LEAVES];

static void full(void *ctx, unsigned level, uint64_t index,
		 const struct merkle_hash *hash)
{
	struct merkle_hash *upper = ctx;

	if (level == 0)
		leaf[index] = *hash;
	if (level == 8)
		upper[index] = *hash;
}

static void test_source(void **state)
{
	struct merkle_frontier f = {0};
	struct merkle_hash upper[4];
	struct merkle_hash root;
	struct merkle_hash h;
	struct merkle_proof p;
	struct merkle_source src;
	struct merkle *m;

	(void)state;
	assert_int_equal(merkle_create(&m), SG_OK);
	for (uint32_t i = 0; i < LEAVES; i++) {
		assert_int_equal(merkle_leaf(m, span_of(&i, sizeof(i)), &h),
				 SG_OK);
		assert_int_equal(merkle_add(m, &f, &h, full, upper), SG_OK);
	}
	for (unsigned n = 0; n < 4; n++) {
		const struct tile tile = {0, n, tile_width(0, n, LEAVES)};

		assert_int_equal(tiles_write(t, &tile,
					     span_of(&leaf[n * 256],
						     (size_t)tile.width * 32)),
				 SG_OK);
	}
	const struct tile top = {1, 0, 3};
	assert_int_equal(tiles_write(t, &top, span_of(upper, 96)), SG_OK);

	src = tiles_source(t, m, LEAVES);
	assert_int_equal(merkle_root_of(m, &src, LEAVES, &root), SG_OK);
	assert_int_equal(merkle_frontier_root(m, &f, &h), SG_OK);
	assert_memory_equal(&root, &h, sizeof(h));
	for (size_t i = 0; i < LEAVES; i += 13) {
		assert_int_equal(merkle_prove(m, &src, LEAVES, i, &p), SG_OK);
		assert_int_equal(
			merkle_check(m, &p, LEAVES, i, &leaf[i], &root), SG_OK);
	}
	assert_int_equal(src.get(src.ctx, 0, LEAVES, &h), SG_NOT_FOUND);
	assert_int_equal(src.get(src.ctx, 9, 1, &h), SG_NOT_FOUND);
	assert_int_equal(src.get(src.ctx, 63, 1, &h), SG_NOT_FOUND);
	/* A smaller tree of the same files; one that is larger than they. */
	src = tiles_source(t, m, 700);
	assert_int_equal(merkle_root_of(m, &src, 700, &root), SG_OK);
	assert_int_equal(merkle_prove(m, &src, 700, 513, &p), SG_OK);
	assert_int_equal(merkle_check(m, &p, 700, 513, &leaf[513], &root),
			 SG_OK);
	assert_int_equal(src.get(src.ctx, 0, 700, &h), SG_NOT_FOUND);
	src = tiles_source(t, m, LEAVES + 1);
	assert_int_equal(merkle_root_of(m, &src, LEAVES + 1, &root),
			 SG_NOT_FOUND);
	/* What is damaged later is seen from the next call on. */
	put_file("tile/1/000.p/3", upper, 95);
	src = tiles_source(t, m, LEAVES);
	assert_int_equal(merkle_root_of(m, &src, LEAVES, &root), SG_MALFORMED);
	merkle_free(m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open),    TEST(test_write),	    TEST(test_wider),
		TEST(test_damaged), TEST(test_not_regular), TEST(test_bundles),
		TEST(test_files),   TEST(test_write_fails), TEST(test_source),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
