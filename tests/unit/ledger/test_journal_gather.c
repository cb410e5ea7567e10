/* SPDX-License-Identifier: Apache-2.0 */
/* journal: records that wait for one another, so that one sync serves them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/log.h"
#include "journal_told.h"

enum { MANY = 1000, GATHER_US = 600 * 1000 * 1000 };

/* A journal with one record that gathers for longer than the test lasts, with
 * buffers of BUFFER bytes; 0: as small as the disk's.  The first record in a
 * while waits for nobody. */
static struct journal *open_gathering(size_t buffer)
{
	static struct journal_io io;
	const struct journal_settings s = told_settings();
	struct journal *j;

	io = DISK_IO;
	io.gather_us = io.gather_bulk_us = GATHER_US;
	if (buffer > 0)
		io.buffer_bytes_min = io.buffer_bytes_max = buffer;
	j = open_by(&s, &io);
	(void)append_before(j, 1, 10, MANY);
	wait_committed(j, 1);
	return j;
}

static void assert_waits(void)
{
	assert_int_equal(sem_trywait(&told.wake), -1);
}

/* What comes after the first one waits for the last one of many, and is
 * committed with it. */
static void test_gather(void **state)
{
	struct journal *j = open_gathering(0);

	(void)state;
	for (int i = 0; i < 3; i++) {
		(void)append_before(j, 1, 10, MANY);
		assert_waits();
	}
	(void)append_before(j, 1, 10, 0);
	(void)sem_wait(&told.wake);
	journal_poll(j);
	assert_int_equal(told.committed, 5);
	assert_waits();
	/* Said while it writes: it holds for the next batch. */
	disk_lock();
	(void)append_before(j, 1, 10, 0);
	(void)append_before(j, 1, 10, MANY);
	disk_unlock();
	(void)append_before(j, 1, 10, 0);
	wait_committed(j, 8);
	journal_close(j);
}

/* As many wait as are still on their way. */
static void test_gather_half(void **state)
{
	struct journal *j = open_gathering(0);

	(void)state;
	(void)append_before(j, 1, 1, 3);
	assert_waits();
	(void)append_before(j, 1, 1, 2);
	wait_committed(j, 3);
	journal_close(j);
}

/* Enough for one sync, whatever is on its way. */
static void test_gather_full(void **state)
{
	struct journal *j = open_gathering(1 << 20);

	(void)state;
	(void)append_before(j, JOURNAL_GATHER_RECORDS - 1, 1, MANY);
	assert_waits();
	(void)append_before(j, 1, 1, MANY);
	wait_committed(j, JOURNAL_GATHER_RECORDS + 1);
	journal_close(j);
}

/* A buffer that is half full is enough. */
static void test_gather_much(void **state)
{
	struct journal *j = open_gathering(0);
	uint64_t index;

	(void)state;
	index = append_before(j, 3, 100, MANY);
	wait_committed(j, index + 1);
	journal_close(j);
}

/* Nobody waits for the time that is set. */
static void test_gather_time(void **state)
{
	struct journal_io io = DISK_IO;
	const struct journal_settings s = told_settings();
	struct journal *j;

	(void)state;
	io.gather_us = 2000;
	j = open_by(&s, &io);
	for (uint64_t i = 0; i < 20; i++)
		wait_committed(j, append_before(j, 1, 10, MANY) + 1);
	journal_close(j);
}

/* What gathers at the end is committed. */
static void test_gather_close(void **state)
{
	struct journal *j = open_gathering(0);

	(void)state;
	(void)append_before(j, 2, 10, MANY);
	journal_close(j);
	j = open_journal();
	assert_end(j, 3);
	journal_close(j);
}

/* A failure takes the hurry along. */
static void test_gather_failure(void **state)
{
	struct journal *j = open_gathering(0);

	(void)state;
	disk_break(EIO, false);
	(void)append_before(j, 1, 10, 0);
	wait_for(j, &told.failures, 1);
	disk_break(0, false);
	wait_for(j, &told.recoveries, 1);
	(void)append_before(j, 1, 10, MANY);
	assert_waits();
	(void)append_before(j, 1, 10, 0);
	wait_committed(j, 3);
	journal_close(j);
}

/* N records of streams, with more to come; returns the last one's leaf. */
static uint64_t append_bulk(struct journal *j, size_t n)
{
	static const uint8_t entry[10];
	const struct record r = {.entry = span_of(entry, sizeof(entry))};
	const struct journal_wait bulk = {.more = MANY, .bulk = true};
	uint64_t index = 0;
	uint64_t offset;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(journal_append(j, &r, bulk, &index, &offset),
				 SG_OK);
	return index;
}

/* What is of a stream waits, and no longer than till somebody waits. */
static void test_gather_bulk(void **state)
{
	struct journal_io io = DISK_IO;
	const struct journal_settings s = told_settings();
	struct journal *j;

	(void)state;
	io.gather_us = 2000;
	io.gather_bulk_us = GATHER_US;
	j = open_by(&s, &io);
	for (uint64_t n = 1; n < 60; n += 3) {
		(void)append_before(j, 1, 10, 0);
		wait_committed(j, n);
		(void)append_bulk(j, 1);
		(void)usleep(4000);
		assert_waits();
		(void)append_before(j, 1, 10, MANY);
		wait_committed(j, n + 2);
	}
	journal_close(j);
}

/* Records of streams wait for more of their kind than others do. */
static void test_gather_bulk_full(void **state)
{
	struct journal *j = open_gathering(1 << 20);
	uint64_t index;

	(void)state;
	(void)append_bulk(j, JOURNAL_GATHER_BULK_RECORDS - 1);
	(void)usleep(4000);
	assert_waits();
	(void)append_bulk(j, 1);
	wait_committed(j, JOURNAL_GATHER_BULK_RECORDS + 1);
	index = append_bulk(j, JOURNAL_GATHER_RECORDS - 1);
	(void)usleep(4000);
	assert_waits();
	/* With one that somebody waits for they are enough. */
	(void)append_before(j, 1, 10, MANY);
	wait_committed(j, index + 2);
	journal_close(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gather),	     TEST(test_gather_half),
		TEST(test_gather_full),	     TEST(test_gather_much),
		TEST(test_gather_time),	     TEST(test_gather_close),
		TEST(test_gather_failure),   TEST(test_gather_bulk),
		TEST(test_gather_bulk_full),
	};

	log_limit((enum log_level) - 1); /* of faults that are meant to be */
	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
