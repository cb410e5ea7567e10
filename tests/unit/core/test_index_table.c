/* SPDX-License-Identifier: Apache-2.0 */
/* index_table: whatever is in a table's way, nothing of what was put is lost.
 */
#include "index_dir.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/index_table.h"
#include "core/young.h"

enum { MANIFEST_BYTES = 64 << 10 };

static void link_fresh(const char *path)
{
	char fresh[PATH_BYTES];

	(void)snprintf(fresh, sizeof(fresh), "%s/%s", dir, INDEX_TABLE_NAME);
	assert_int_equal(link(path, fresh), 0);
}

/* A crash has left the table that RocksDB had taken under its first name, too:
 * the next one is not written over it. */
static void test_table_left(void **state)
{
	struct index *x;

	(void)state;
	fill();
	assert_int_equal(each_file(".sst", link_fresh), 1);
	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(put_range(x, 5000, 6000), SG_OK);
	index_close(x);
	assert_int_equal(index_open(dir, &x), SG_OK);
	for (uint64_t i = 0; i < 6000; i++)
		assert_there(x, i);
	index_close(x);
}

/* A start leaves no log behind that holds nothing: each would be opened by all
 * starts to come. */
static void count(const char *path)
{
	(void)path;
}

static void test_starts(void **state)
{
	struct index *x;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(index_open(dir, &x), SG_OK);
		assert_int_equal(put_range(x, 0, 1), SG_OK);
		index_close(x);
	}
	assert_true(each_file(".log", count) <= 2);
}

/* A table that cannot be written is tried again, not with each put but soon;
 * nothing of what was put before is lost. */
static void test_table_fails(void **state)
{
	char fresh[PATH_BYTES];
	char inside[PATH_BYTES + 2];
	struct index *x;
	uint64_t at = 0;
	enum sg_err err = SG_OK;

	(void)state;
	/* What cannot be removed: a directory with something in it. */
	(void)snprintf(fresh, sizeof(fresh), "%s/%s", dir, INDEX_TABLE_NAME);
	(void)snprintf(inside, sizeof(inside), "%s/x", fresh);
	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(mkdir(fresh, 0700), 0);
	assert_int_equal(mkdir(inside, 0700), 0);
	while (err == SG_OK && at <= 2 * (uint64_t)YOUNG_MAX) {
		err = put_range(x, at, at + BATCH);
		at += BATCH;
	}
	assert_int_equal(err, SG_IO);
	assert_int_equal(at, YOUNG_MAX + BATCH);
	assert_int_equal(index_watermark(x), 1000 + YOUNG_MAX);
	assert_int_equal(put_range(x, YOUNG_MAX, at), SG_IO);
	assert_there(x, 0);
	assert_there(x, YOUNG_MAX - 1);
	assert_missing(x, YOUNG_MAX);
	assert_int_equal(rmdir(inside), 0);
	assert_int_equal(rmdir(fresh), 0);
	/* Too soon, then not any more. */
	assert_int_equal(put_range(x, YOUNG_MAX, at), SG_IO);
	(void)usleep(600 * 1000);
	assert_int_equal(put_range(x, YOUNG_MAX, at), SG_OK);
	index_close(x);
	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(index_watermark(x), 1000 + at);
	for (uint64_t i = 0; i < at; i += 101)
		assert_there(x, i);
	index_close(x);
}

static off_t manifest_bytes;

static void measure(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	manifest_bytes = st.st_size;
}

/* RocksDB cannot write its books: nothing more is given to it, which would end
 * the process, and what was put can be read; another process goes on. */
static void test_books_fail(void **state)
{
	struct rlimit was;
	struct rlimit limit;
	struct index *x;

	(void)state;
	assert_int_equal(index_open(dir, &x), SG_OK);
	/* No other file of its may meet the limit. */
	while (manifest_bytes < MANIFEST_BYTES) {
		assert_int_equal(put_range(x, 0, 1), SG_OK);
		assert_int_equal(index_flush(x), SG_OK);
		assert_int_equal(each_file("MANIFEST", measure), 1);
	}
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = (rlim_t)manifest_bytes;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(put_range(x, 1, 2), SG_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(index_flush(x), SG_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	for (int i = 0; i < 5; i++) { /* until it says that all is well again */
		assert_int_equal(index_flush(x), SG_IO);
		assert_there(x, 0);
		assert_there(x, 1);
		(void)usleep(100 * 1000);
	}
	index_close(x);
	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(index_watermark(x), 1001);
	assert_there(x, 0);
	assert_int_equal(put_range(x, 1, 2), SG_OK);
	assert_int_equal(index_flush(x), SG_OK);
	assert_there(x, 1);
	index_close(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table_left, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_starts, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_table_fails, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_books_fail, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
