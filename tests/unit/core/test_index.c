/* SPDX-License-Identifier: Apache-2.0 */
/* index: what was put is there, also after a crash below the watermark; what is
 * damaged says so. */
#include "index_dir.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/young.h"

enum { SAMPLES = 20000 };

static void test_put_get(void **state)
{
	struct index *x;
	struct index_item newer = item(3);
	uint64_t offset;

	(void)state;
	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(index_watermark(x), 0);
	assert_missing(x, 3);
	assert_int_equal(put_range(x, 0, 1000), SG_OK);
	assert_int_equal(index_watermark(x), 2000);
	for (uint64_t i = 0; i < 1000; i++)
		assert_there(x, i);
	assert_missing(x, 1000);
	/* A newer certificate takes the older one's place. */
	newer.offset = 5000;
	assert_int_equal(index_put(x, &newer, 1, 5040), SG_OK);
	assert_int_equal(index_get(x, newer.uvci, &offset), SG_OK);
	assert_int_equal(offset, 5000);
	/* The watermark alone moves too: not every record is a certificate's.
	 */
	assert_int_equal(index_put(x, NULL, 0, 6000), SG_OK);
	assert_int_equal(index_watermark(x), 6000);
	index_close(x);
	index_close(NULL);
}

static void test_reopen(void **state)
{
	struct index *x;
	struct index *second;

	(void)state;
	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(put_range(x, 0, 5000), SG_OK);
	assert_int_equal(index_flush(x), SG_OK);
	assert_int_equal(put_range(x, 5000, 6000), SG_OK);
	assert_int_equal(index_open(dir, &second), SG_IO); /* it is in use */
	index_close(x);
	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(index_watermark(x), 7000);
	for (uint64_t i = 0; i < 6000; i++)
		assert_there(x, i);
	assert_missing(x, 6000);
	index_close(x);
}

/* More than is kept in memory, and some of it twice. */
static void test_many(void **state)
{
	enum { MANY = 2 * YOUNG_MAX + 1000 };
	struct index *x;
	struct index_item again = item(7);
	uint64_t offset;

	(void)state;
	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(put_range(x, 0, MANY), SG_OK);
	again.offset = 5;
	assert_int_equal(index_put(x, &again, 1, MANY + 2000), SG_OK);
	for (int i = 0; i < 2; i++) {
		for (uint64_t k = 8; k < MANY; k += 97)
			assert_there(x, k);
		assert_missing(x, MANY);
		assert_int_equal(index_get(x, again.uvci, &offset), SG_OK);
		assert_int_equal(offset, 5);
		assert_int_equal(index_watermark(x), MANY + 2000);
		index_close(x);
		assert_int_equal(index_open(dir, &x), SG_OK);
	}
	index_close(x);
}

/* --- children ------------------------------------------------------------- */

/* A child is this program again: RocksDB's threads do not survive a fork. */
static pid_t child(const char *what)
{
	const pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/proc/self/exe", "test_index", what, dir, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

/* Put without end, and tell nobody: the parent kills. */
static int child_puts(void)
{
	struct index *x;
	uint64_t at;

	if (index_open(dir, &x) != SG_OK)
		return 1;
	at = index_watermark(x) == 0 ? 0 : index_watermark(x) - 1000;
	for (uint64_t i = 1;; i++) {
		if (put_range(x, at, at + 20000) != SG_OK)
			return 1;
		at += 20000;
		if (i % 3 == 0 && index_flush(x) != SG_OK)
			return 1;
	}
}

/* End without index_close(). */
static int child_exits(void)
{
	static struct index *x; /* no leak: it is in use to the end */

	(void)alarm(20);
	if (index_open(dir, &x) != SG_OK || put_range(x, 0, 1000) != SG_OK ||
	    index_flush(x) != SG_OK || put_range(x, 1000, 2000) != SG_OK)
		return 1;
	return 0;
}

/* After a kill the index may have lost what it was told last, but nothing
 * below the watermark that it then has. */
static void test_kill(void **state)
{
	struct index *x;
	uint64_t watermark = 0;

	(void)state;
	for (unsigned round = 0; round < 6 || (watermark == 0 && round < 40);
	     round++) {
		int status;
		const pid_t pid = child("puts");

		(void)usleep(100000 + round * 37000);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(index_open(dir, &x), SG_OK);
		assert_true(index_watermark(x) >= watermark);
		watermark = index_watermark(x);
		for (uint64_t i = 0; i + 1000 < watermark;
		     i += 1 + watermark / SAMPLES)
			assert_there(x, i);
		index_close(x);
	}
	assert_true(watermark > 0); /* some of it got to the disk */
}

/* A process that ends without index_close() does end. */
static void test_exit(void **state)
{
	struct index *x;
	int status;
	const pid_t pid = child("exits");

	(void)state;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(index_open(dir, &x), SG_OK);
	/* What was flushed is there; the rest was in memory. */
	assert_in_range(index_watermark(x), 2000, 3000);
	assert_there(x, 0);
	assert_there(x, 999);
	index_close(x);
}

static void spoil(const char *path)
{
	static const uint8_t junk[64] = {0xff, 0x55};
	struct stat st = {0};
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	for (off_t at = 0; at < st.st_size; at += 512)
		assert_true(pwrite(fd, junk, sizeof(junk), at) > 0);
	assert_int_equal(close(fd), 0);
}

static void drop(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static void assert_begun_anew(void)
{
	struct index *x;

	assert_int_equal(index_destroy(dir), SG_OK);
	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(index_watermark(x), 0);
	assert_missing(x, 3);
	index_close(x);
}

/* A damaged index does not open, or says that it cannot tell. */
static void test_damaged(void **state)
{
	struct index *x;
	uint64_t offset;

	(void)state;
	fill();
	assert_int_equal(each_file(".sst", drop), 1);
	assert_int_equal(index_open(dir, &x), SG_IO);
	assert_null(x);
	assert_begun_anew();
	fill();
	assert_int_equal(each_file("MANIFEST", spoil), 1);
	assert_int_equal(index_open(dir, &x), SG_IO);
	assert_begun_anew();
	fill();
	assert_int_equal(each_file("CURRENT", spoil), 1);
	assert_int_equal(index_open(dir, &x), SG_IO);
	assert_begun_anew();
	fill();
	assert_int_equal(each_file(".sst", spoil), 1);
	if (index_open(dir, &x) == SG_OK) {
		assert_int_equal(index_get(x, item(3).uvci, &offset), SG_IO);
		index_close(x);
	}
	assert_begun_anew();
	assert_int_equal(index_open("/dev/null/index", &x), SG_IO);
}

/* Nothing that is in the index is in RocksDB's own log. */
static void search_log(const char *path)
{
	static char text[1 << 20];
	char hex[17];
	const struct index_item it = item(0);
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	assert_int_equal(fclose(f), 0);
	for (size_t i = 0; i < 8; i++)
		(void)snprintf(hex + 2 * i, 3, "%02X", it.uvci[i]);
	assert_null(strcasestr(text, hex));
	assert_null(memmem(text, n, it.uvci, 8));
}

static void test_log(void **state)
{
	struct index *x;

	(void)state;
	assert_int_equal(index_open(dir, &x), SG_OK);
	for (uint64_t i = 0; i < 12; i++) { /* enough to be compacted */
		assert_int_equal(put_range(x, 0, 2000), SG_OK);
		assert_int_equal(index_flush(x), SG_OK);
	}
	index_close(x);
	assert_true(each_file("LOG", search_log) >= 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_get, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_reopen, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_many, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_kill, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_exit, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_damaged, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_log, make_dir, remove_dir),
	};

	if (argc == 3) {
		log_limit(LOG_ERROR);
		(void)snprintf(dir, sizeof(dir), "%s", argv[2]);
		return strcmp(argv[1], "puts") == 0 ? child_puts()
						    : child_exits();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
