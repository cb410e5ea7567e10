/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "journal_told.h"

static void write_file(uint64_t start, const void *p, size_t n)
{
	const int fd =
		open(dir_segment(start), O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	(void)close(fd);
}

static void test_torn_tail(void **state)
{
	static uint8_t garbage[20000];
	struct journal *j;
	uint64_t whole;
	uint8_t record[300];
	size_t n;

	(void)state;
	(void)dir_write(0, 0, 5, 100);
	whole = dir_size(0);
	n = dir_record(5, 100, record, sizeof(record));
	for (size_t cut = 1; cut < n; cut++) {
		write_file(0, record, cut);
		j = open_journal();
		assert_end(j, 5);
		journal_close(j);
		assert_int_equal(dir_size(0), whole);
	}
	/* A length that goes beyond, and what follows; the right one after the
	 * wrong one. */
	write_file(0, "\x00\x10\x00\x00", 4);
	write_file(0, record, n);
	j = open_journal();
	assert_end(j, 5);
	assert_int_equal(append(j, 1, 100), 5);
	journal_close(j);
	assert_int_equal(open_error(), SG_OK);
	/* More than one commit can have been. */
	memset(garbage, 'x', sizeof(garbage));
	write_file(0, garbage, sizeof(garbage));
	whole = dir_size(0);
	assert_int_equal(open_error(), SG_MALFORMED);
	assert_int_equal(dir_size(0), whole);
}

static void test_torn_head(void **state)
{
	struct journal *j;
	uint64_t second;
	uint64_t third;

	(void)state;
	/* The only one. */
	write_file(0, "\x20", 1);
	j = open_journal();
	assert_int_equal(append(j, 1, 100), 0);
	journal_close(j);
	/* The last one, and its predecessor holds more, which is void. */
	disk_format(3);
	second = dir_write(0, 0, 5, 100);
	third = dir_write(second, 5, 5, 100);
	dir_append(second, 10, 90);
	write_file(third, NULL, 0);
	j = open_journal();
	assert_end(j, 10);
	assert_int_equal(append(j, 1, 80), 10);
	journal_close(j);
	assert_int_equal(access(dir_segment(third), F_OK), -1);
	/* Not the last one. */
	disk_format(4);
	second = dir_write(0, 0, 5, 100);
	third = dir_write(second, 5, 5, 100);
	(void)dir_write(third, 10, 5, 100);
	assert_int_equal(truncate(dir_segment(second), 10), 0);
	assert_int_equal(open_error(), SG_MALFORMED);
	/* The last one, with records behind. */
	disk_format(5);
	second = dir_write(0, 0, 5, 100);
	(void)dir_write(second, 5, 5, 100);
	dir_flip(second, 20);
	assert_int_equal(open_error(), SG_MALFORMED);
	/* Its predecessor was synced before it was made. */
	disk_format(6);
	second = dir_write(0, 0, 5, 100);
	write_file(second, "\x20", 1);
	dir_flip(0, dir_size(0) - 5);
	assert_int_equal(open_error(), SG_MALFORMED);
}

static void test_damage(void **state)
{
	struct journal_settings s = told_settings();
	struct journal *j;
	uint64_t second;
	uint64_t third;

	(void)state;
	/* Another log's. */
	(void)dir_write(0, 0, 5, 100);
	s.origin = "another.example";
	assert_int_equal(journal_open_io(&s, &DISK_IO, &j), SG_MALFORMED);
	assert_int_equal(open_error(), SG_OK);
	/* The first one is missing; one between is. */
	disk_format(2);
	second = dir_write(0, 0, 5, 100);
	third = dir_write(second, 5, 5, 100);
	(void)dir_write(third, 10, 5, 100);
	assert_int_equal(open_error(), SG_OK);
	assert_int_equal(unlink(dir_segment(second)), 0);
	assert_int_equal(open_error(), SG_MALFORMED);
	(void)dir_write(second, 5, 5, 100);
	assert_int_equal(open_error(), SG_OK);
	assert_int_equal(unlink(dir_segment(0)), 0);
	assert_int_equal(open_error(), SG_MALFORMED);
	/* One that is not in order. */
	disk_format(3);
	second = dir_write(0, 0, 5, 100);
	(void)dir_write(second, 0, 5, 100);
	assert_int_equal(open_error(), SG_MALFORMED);
	/* One that has another name. */
	disk_format(4);
	second = dir_write(0, 0, 5, 100);
	(void)dir_write(second, 5, 5, 100);
	{
		char other[64];

		(void)snprintf(other, sizeof(other), "%s",
			       dir_segment(second - 1));
		assert_int_equal(rename(dir_segment(second), other), 0);
	}
	assert_int_equal(open_error(), SG_MALFORMED);
}

static void test_no_directory(void **state)
{
	struct journal_settings s = told_settings();
	char path[64];
	struct journal *j;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/journal", dir_path);
	s.dir = path;
	assert_int_equal(journal_open(&s, &j), SG_OK);
	journal_close(j);
	(void)snprintf(path, sizeof(path), "%s/journal/%020d", dir_path, 0);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/journal", dir_path);
	assert_int_equal(rmdir(path), 0);
	s.dir = "/nowhere/at/all";
	assert_int_equal(journal_open(&s, &j), SG_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_torn_tail), TEST(test_torn_head), TEST(test_damage),
		TEST(test_no_directory)};

	log_limit((enum log_level) - 1); /* of faults that are meant to be */
	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
