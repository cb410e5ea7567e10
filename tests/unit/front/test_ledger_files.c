/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "front/ledger_files.h"
#include "log_dir.h"

static int dir = -1;
static uint8_t *data;
static size_t len;

static int setup(void **state)
{
	(void)state;
	log_limit(LOG_ERROR);
	log_make();
	dir = -1;
	ledger_files_open(&dir, log_dir);
	assert_true(dir >= 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_files_close(&dir);
	assert_int_equal(dir, -1);
	log_remove();
	return 0;
}

static enum sg_err read_file(const char *name, size_t max)
{
	free(data);
	return ledger_files_read(dir, name, max, &data, &len);
}

static enum sg_err read_tile(const char *name)
{
	struct ledger_path p;

	assert_int_equal(ledger_path_parse(span_str(name), &p), SG_OK);
	free(data);
	return ledger_files_tile(dir, &p, &data, &len);
}

static void drop(void)
{
	free(data);
	data = NULL;
}

static void test_read(void **state)
{
	(void)state;
	assert_int_equal(read_file("checkpoint", 100), SG_OK);
	assert_int_equal(len, 16);
	assert_memory_equal(data, "log.example\n300\n", 16);
	assert_int_equal(read_file("checkpoint", 16), SG_OK);
	assert_int_equal(read_file("checkpoint", 15), SG_TOO_BIG);
	assert_null(data);
	assert_int_equal(read_file("nothing", 100), SG_NOT_FOUND);
	assert_int_equal(read_file("nothing/at/all", 100), SG_NOT_FOUND);
	assert_int_equal(read_file("vkey/below", 100), SG_NOT_FOUND);
	drop();
}

/* Neither a link nor anything but a file, nor what is not below. */
static void test_only_files(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/link", log_dir);
	assert_int_equal(symlink("checkpoint", path), 0);
	assert_int_equal(read_file("link", 100), SG_IO);
	(void)snprintf(path, sizeof(path), "%s/way", log_dir);
	assert_int_equal(symlink("tile", path), 0);
	assert_int_equal(read_file("way/0/000", 10000), SG_IO);
	(void)snprintf(path, sizeof(path), "%s/fifo", log_dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_file("fifo", 100), SG_IO); /* at once */
	assert_int_equal(read_file("tile", 100), SG_IO);
	assert_int_equal(read_file("../etc", 100), SG_IO);
	assert_int_equal(read_file("/etc/passwd", 100), SG_IO);
	assert_null(data);
}

static void test_tiles(void **state)
{
	(void)state;
	assert_int_equal(read_tile("0/000"), SG_OK);
	assert_int_equal(len, 8192);
	assert_int_equal(data[8191], 255);
	assert_int_equal(read_tile("0/001.p/44"), SG_OK);
	assert_int_equal(len, (size_t)44 * 32);
	assert_int_equal(read_tile("entries/001.p/44"), SG_OK);
	assert_int_equal(len, 3); /* as it stands there */
	assert_int_equal(read_tile("entries/000"), SG_OK);
	assert_int_equal(len, 2 * 256 + 255 * 128);
	assert_int_equal(read_tile("0/001"), SG_NOT_FOUND);
	assert_int_equal(read_tile("0/001.p/43"), SG_NOT_FOUND);
	assert_int_equal(read_tile("entries/002"), SG_NOT_FOUND);
	drop();
}

/* What was partial is the beginning of what is full. */
static void test_cut(void **state)
{
	(void)state;
	assert_int_equal(read_tile("0/000.p/1"), SG_OK);
	assert_int_equal(len, 32);
	assert_int_equal(read_tile("0/000.p/255"), SG_OK);
	assert_int_equal(len, 255 * 32);
	assert_int_equal(data[len - 1], 254);
	assert_int_equal(read_tile("entries/000.p/1"), SG_OK);
	assert_int_equal(len, 2);
	assert_int_equal(read_tile("entries/000.p/3"), SG_OK);
	assert_int_equal(len, 9);
	assert_memory_equal(data, "\0\0\0\1\1\0\2\2\2", 9);
	assert_int_equal(read_tile("entries/000.p/255"), SG_OK);
	assert_int_equal(len, 2 * 255 + 127 * 255);
	drop();
}

static void test_damaged(void **state)
{
	static uint8_t large[LEDGER_TILE_MAX + 1];

	(void)state;
	log_file("tile/0/005", large, 8191);
	assert_int_equal(read_tile("0/005.p/7"), SG_MALFORMED);
	assert_null(data);
	assert_int_equal(read_tile("0/005"), SG_OK); /* its reader will see */
	log_file("tile/0/006", large, sizeof(large));
	assert_int_equal(read_tile("0/006"), SG_TOO_BIG);
	log_file("tile/entries/005", "\0\1a\0\2b", 6);
	assert_int_equal(read_tile("entries/005.p/1"), SG_OK);
	assert_int_equal(len, 3);
	assert_int_equal(read_tile("entries/005.p/2"), SG_MALFORMED);
	log_file("tile/entries/006", "\0\1a\0", 4);
	assert_int_equal(read_tile("entries/006.p/2"), SG_MALFORMED);
	log_file("tile/entries/007", "", 0);
	assert_int_equal(read_tile("entries/007.p/1"), SG_MALFORMED);
	assert_null(data);
}

/* The directory comes later than who reads it, or is replaced. */
static void test_directory(void **state)
{
	int other = -1;

	(void)state;
	ledger_files_open(&other, "");
	assert_int_equal(other, -1);
	ledger_files_open(&other, "/nowhere/at/all");
	assert_int_equal(other, -1);
	assert_int_equal(
		ledger_files_read(other, "checkpoint", 100, &data, &len),
		SG_NOT_FOUND);
	ledger_files_open(&other, log_dir);
	assert_true(other >= 0);
	ledger_files_open(&other, "/nowhere/at/all");
	assert_int_equal(other, -1);
	ledger_files_close(&other);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_read), CASE(test_only_files), CASE(test_tiles),
		CASE(test_cut),	 CASE(test_damaged),	CASE(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
