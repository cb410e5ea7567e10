/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"

static char dir[] = "/tmp/test_fileio.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void assert_reads(const char *name, size_t max, struct span want)
{
	uint8_t *p;
	size_t n;

	assert_int_equal(fileio_read(name, max, &p, &n), SG_OK);
	assert_int_equal(n, want.n);
	assert_memory_equal(p, want.p, n);
	assert_int_equal(p[n], 0);
	free(p);
}

static void assert_refused(const char *name, size_t max, enum sg_err want)
{
	uint8_t *p = (uint8_t *)path;
	size_t n = 1;

	assert_int_equal(fileio_read(name, max, &p, &n), want);
	assert_null(p);
}

/* Sizes around the first block that is asked for, each with the limit just
 * met and just missed. */
static void test_sizes(void **state)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8192, 100000};
	static uint8_t data[100000];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct span s = span_of(data, sizes[i]);

		assert_int_equal(fileio_replace(path, s, 0600), SG_OK);
		assert_reads(path, s.n, s);
		assert_reads(path, SIZE_MAX, s);
		if (s.n > 0)
			assert_refused(path, s.n - 1, SG_TOO_BIG);
	}
}

/* Files of /proc have no size, and yet content. */
static void test_proc(void **state)
{
	uint8_t *p;
	size_t n;

	(void)state;
	assert_int_equal(fileio_read("/proc/self/status", 65536, &p, &n),
			 SG_OK);
	assert_true(n > 100);
	assert_memory_equal(p, "Name:", 5);
	free(p);
	assert_refused("/proc/self/status", 10, SG_TOO_BIG);
}

static void test_not_a_file(void **state)
{
	char fifo[64];

	(void)state;
	assert_refused("/nonexistent/file", 10, SG_IO);
	assert_int_equal(errno, ENOENT);
	assert_refused(dir, 10, SG_IO);
	assert_int_equal(errno, EISDIR);
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_refused(fifo, 10, SG_IO); /* at once: no writer is awaited */
	assert_int_equal(unlink(fifo), 0);
}

static void test_read_fd_ignores_offset(void **state)
{
	uint8_t *p;
	size_t n;
	int fd;

	(void)state;
	assert_int_equal(fileio_replace(path, SPAN_LIT("0123456789"), 0600),
			 SG_OK);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_int_equal(fileio_read_fd(fd, 10, &p, &n), SG_OK);
	assert_int_equal(n, 10);
	free(p);
	(void)close(fd);
}

/* The old file keeps its content for who has it open; no temporary file is
 * left; the mode is as asked for, whatever the umask. */
static void test_replace(void **state)
{
	const mode_t mask = umask(077);
	struct stat st;
	char pattern[80];
	char old[4] = {0};
	glob_t found;
	int fd;

	(void)state;
	assert_int_equal(fileio_replace(path, SPAN_LIT("old"), 0640), SG_OK);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fileio_replace(path, SPAN_LIT("newer"), 0644), SG_OK);
	assert_int_equal(read(fd, old, 3), 3);
	assert_string_equal(old, "old");
	(void)close(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_reads(path, 100, SPAN_LIT("newer"));
	(void)snprintf(pattern, sizeof(pattern), "%s/*", dir);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	globfree(&found);
	(void)umask(mask);
}

static void test_replace_fails(void **state)
{
	char pattern[80];
	char target[64];
	glob_t found;

	(void)state;
	assert_int_equal(fileio_replace("/nonexistent/x", SPAN_LIT("a"), 0600),
			 SG_IO);
	assert_int_equal(errno, ENOENT);
	/* A directory cannot be replaced; what was begun is taken away. */
	(void)snprintf(target, sizeof(target), "%s/sub", dir);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(fileio_replace(target, SPAN_LIT("a"), 0600), SG_IO);
	(void)snprintf(pattern, sizeof(pattern), "%s/sub.*", dir);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	assert_int_equal(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
	assert_int_equal(rmdir(target), 0);
}

static void test_memfd(void **state)
{
	const int fd = fileio_memfd("test", SPAN_LIT("sealed"));
	uint8_t *p;
	size_t n;

	(void)state;
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(fileio_read_fd(fd, 100, &p, &n), SG_OK);
	assert_true(span_is(span_of(p, n), "sealed"));
	free(p);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 100), -1);
	assert_ptr_equal(
		mmap(NULL, 6, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
		MAP_FAILED);
	(void)close(fd);
}

static void test_wipe(void **state)
{
	uint8_t secret[4] = {1, 2, 3, 4};
	const uint8_t want[4] = {0, 0, 0, 4};

	(void)state;
	fileio_wipe(secret, 3);
	assert_memory_equal(secret, want, sizeof(want));
	fileio_wipe(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_proc),
		cmocka_unit_test(test_not_a_file),
		cmocka_unit_test(test_read_fd_ignores_offset),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_replace_fails),
		cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_wipe),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
