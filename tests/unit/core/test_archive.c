/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/log.h"

#define NAME                                                                   \
	"00ff000000000000000000000000000000000000000000000000000000000000."    \
	"yaml"

static char dir[64], policies[80], file[200];
static const uint8_t HASH[ARCHIVE_HASH_BYTES] = {0x00, 0xff};

static int open_dir(void **state)
{
	(void)state;
	log_limit(LOG_ERROR);
	(void)snprintf(dir, sizeof(dir), "/tmp/test_archive.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(policies, sizeof(policies), "%s/policies", dir);
	(void)snprintf(file, sizeof(file), "%s/" NAME, policies);
	return 0;
}

static int close_dir(void **state)
{
	(void)state;
	(void)chmod(policies, 0700);
	(void)unlink(file);
	(void)rmdir(policies);
	return rmdir(dir);
}

static void assert_kept(const char *text)
{
	uint8_t *found;
	size_t n;

	assert_int_equal(fileio_read(file, 1000, &found, &n), SG_OK);
	assert_true(span_is(span_of(found, n), text));
	free(found);
}

static size_t files(void)
{
	DIR *d = opendir(policies);
	size_t n = 0;

	assert_non_null(d);
	// NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

static void test_kept(void **state)
{
	struct stat first;
	struct stat again;

	(void)state;
	assert_int_equal(archive_policy(dir, HASH, SPAN_LIT("version: 1\n")),
			 SG_OK);
	assert_kept("version: 1\n");
	assert_int_equal(stat(file, &first), 0);
	assert_int_equal(first.st_mode & 0777, 0600);
	/* The same once more: nothing is written. */
	assert_int_equal(archive_policy(dir, HASH, SPAN_LIT("version: 1\n")),
			 SG_OK);
	assert_int_equal(stat(file, &again), 0);
	assert_true(first.st_ino == again.st_ino);
	assert_int_equal(files(), 1);
}

static void test_damaged(void **state)
{
	(void)state;
	assert_int_equal(archive_policy(dir, HASH, SPAN_LIT("right")), SG_OK);
	assert_int_equal(fileio_replace(file, SPAN_LIT("wrong"), 0600), SG_OK);
	assert_int_equal(archive_policy(dir, HASH, SPAN_LIT("right")), SG_OK);
	assert_kept("right");
	assert_int_equal(truncate(file, 0), 0);
	assert_int_equal(archive_policy(dir, HASH, SPAN_LIT("right")), SG_OK);
	assert_kept("right");
	assert_int_equal(files(), 1);
}

static void test_refused(void **state)
{
	char none[80];

	(void)state;
	(void)snprintf(none, sizeof(none), "%s/none", dir);
	assert_int_equal(archive_policy(none, HASH, SPAN_LIT("x")), SG_IO);
	/* Something else stands where the directory belongs. */
	assert_int_equal(fileio_replace(policies, SPAN_LIT("x"), 0600), SG_OK);
	assert_int_equal(archive_policy(dir, HASH, SPAN_LIT("x")), SG_IO);
	assert_int_equal(unlink(policies), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, open_dir, close_dir),
		cmocka_unit_test_setup_teardown(test_damaged, open_dir,
						close_dir),
		cmocka_unit_test_setup_teardown(test_refused, open_dir,
						close_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
