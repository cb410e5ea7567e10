/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>

#include "base/log.h"
#include "journal_told.h"
#include "ledger/journal_read.h"

/* --- as it should be ------------------------------------------------------ */

static void test_append(void **state)
{
	struct journal_settings s = told_settings();
	struct journal *j;
	struct journal_reader *reader;
	struct record r;
	uint64_t index;
	uint64_t offset;
	uint64_t next;

	(void)state;
	s.segment_bytes = 1000;
	j = open_by(&s, &JOURNAL_IO);
	assert_true(journal_up(j));
	assert_true(journal_newest_time(j) == INT64_MIN);
	assert_end(j, 0);
	for (uint64_t i = 0; i < 50; i++) {
		uint8_t entry[] = {0xa2, 1, 6, 2, (uint8_t)i % 24};

		r = (struct record){.index = 77, .entry = span_of(entry, 5)};
		assert_int_equal(journal_append(j, &r, (struct journal_wait){0},
						&index, &offset),
				 SG_OK);
		assert_int_equal(index, i);
		wait_committed(j, i + 1);
		assert_int_equal(journal_reader_open(dir_path, &reader), SG_OK);
		assert_int_equal(journal_reader_seek(reader, offset), SG_OK);
		assert_int_equal(
			journal_reader_next(reader, offset + 1, &r, NULL),
			SG_OK);
		assert_int_equal(r.index, i);
		assert_memory_equal(r.entry.p, entry, 5);
		journal_end(j, &index, &next);
		assert_int_equal(next, journal_reader_offset(reader));
		journal_reader_close(reader);
	}
	journal_close(j);
	assert_int_equal(dir_size(0) < 1200, 1);
	/* What waits at the end is committed. */
	j = open_by(&s, &JOURNAL_IO);
	assert_end(j, 50);
	assert_int_equal(append(j, 100, 50), 149);
	journal_close(j);
	j = open_by(&s, &JOURNAL_IO);
	assert_end(j, 150);
	journal_close(j);
	journal_close(NULL);
}

static void append_run(struct journal *j, int64_t time_ms)
{
	uint8_t entry[32];
	struct record r;
	uint64_t index;
	uint64_t offset;
	size_t n;

	assert_int_equal(entry_encode_run(ENTRY_STARTED, time_ms, entry,
					  sizeof(entry), &n),
			 SG_OK);
	r = (struct record){.entry = span_of(entry, n)};
	assert_int_equal(journal_append(j, &r, (struct journal_wait){0}, &index,
					&offset),
			 SG_OK);
	wait_committed(j, index + 1);
}

static void append_certificate(struct journal *j, int64_t time_ms, int64_t iat)
{
	static const uint8_t hash[32];
	static const uint8_t signature[64] = {1};
	const struct entry_certificate c = {.client = SPAN_LIT("c"),
					    .alg = COSE_ES256,
					    .signature = span_of(signature, 64),
					    .iat = iat,
					    .policy_hash = hash};
	struct record r;
	uint8_t entry[512];
	uint64_t index;
	uint64_t offset;
	size_t n;

	assert_int_equal(entry_encode_certificate(ENTRY_ISSUED, time_ms, &c,
						  entry, sizeof(entry), &n),
			 SG_OK);
	r = (struct record){.entry = span_of(entry, n),
			    .signature = c.signature,
			    .uci = hash,
			    .country_uci = hash,
			    .payload = hash};
	assert_int_equal(journal_append(j, &r, (struct journal_wait){0}, &index,
					&offset),
			 SG_OK);
	wait_committed(j, index + 1);
}

/* The newest time of all certificates, not of the last segment alone; and of no
 * other entries, which a wrong clock at a start would spoil for good. */
static void test_newest(void **state)
{
	struct journal_settings s = told_settings();
	struct journal *j;

	(void)state;
	for (int round = 0; round < 2; round++) {
		/* A segment for each commit; one for all. */
		s.segment_bytes = round == 0 ? 1 : 0;
		j = open_by(&s, &DISK_IO);
		append_run(j, 2000000000000);
		append_run(j, 1600000000000);
		journal_close(j);
		j = open_by(&s, &DISK_IO);
		assert_true(journal_newest_time(j) ==
			    (round == 0 ? INT64_MIN : 1900000000));
		append_certificate(j, 1700000000999, 1600000000);
		append_certificate(j, 1500000000000, 1500000000);
		append_run(j, 2000000000000);
		append_run(j, 2000000000000);
		journal_close(j);
		j = open_by(&s, &DISK_IO);
		assert_int_equal(journal_newest_time(j),
				 round == 0 ? 1700000000 : 1900000000);
		append_certificate(j, 1800000000000, 1900000000);
		journal_close(j);
		j = open_by(&s, &DISK_IO);
		assert_int_equal(journal_newest_time(j), 1900000000);
		journal_close(j);
	}
}

static void test_lock(void **state)
{
	struct journal *j = open_journal();

	(void)state;
	assert_int_equal(open_error(), SG_IO);
	journal_close(j);
	assert_int_equal(open_error(), SG_OK);
}

/* --- a disk that fails ---------------------------------------------------- */

static void check_failure(int why, bool writes)
{
	struct journal *j = open_journal();
	struct record r = {.entry = SPAN_LIT("e")};
	uint64_t index;
	uint64_t offset;
	uint64_t end;
	uint64_t end_offset;

	told.committed = told.failures = told.recoveries = 0;
	journal_end(j, &end, &end_offset);
	(void)append(j, 10, 100);
	wait_committed(j, end + 10);
	journal_end(j, &end, &end_offset);
	disk_break(why, writes);
	(void)append(j, 1, 100);
	wait_for(j, &told.failures, 1);
	assert_int_equal(told.first, end);
	assert_int_equal(told.why, why);
	assert_false(journal_up(j));
	assert_int_equal(journal_append(j, &r, (struct journal_wait){0}, &index,
					&offset),
			 SG_IO);
	assert_int_equal(told.recoveries, 0);
	disk_break(0, false);
	while (told.recoveries == 0) {
		/* Nobody gets an index before everybody knows. */
		assert_int_equal(journal_append(j, &r, (struct journal_wait){0},
						&index, &offset),
				 SG_IO);
		(void)sem_wait(&told.wake);
		journal_poll(j);
	}
	assert_true(journal_up(j));
	assert_int_equal(journal_append(j, &r, (struct journal_wait){0}, &index,
					&offset),
			 SG_OK);
	assert_int_equal(index, end);
	assert_int_equal(offset, end_offset);
	wait_committed(j, end + 1);
	assert_int_equal(told.failures, 1);
	assert_true(dir_size(end_offset) > 0); /* a segment of its own */
	journal_close(j);
	j = open_journal();
	assert_end(j, end + 1);
	journal_close(j);
}

static void test_failure(void **state)
{
	(void)state;
	check_failure(ENOSPC, false);
	check_failure(EIO, true);
	check_failure(EROFS, false);
	/* In a new segment, before anything is in it. */
	disk_format(2);
	told.committed = 0;
	check_failure(EIO, true);
}

/* The first write into a segment that an earlier process made. */
static void test_failure_of_first(void **state)
{
	const uint64_t second = dir_write(0, 0, 5, 100);
	struct journal *j;

	(void)state;
	(void)dir_write(second, 5, 0, 0);
	j = open_journal();
	disk_break(ENOSPC, false);
	(void)append(j, 1, 100);
	wait_for(j, &told.failures, 1);
	disk_break(0, false);
	wait_for(j, &told.recoveries, 1);
	(void)append(j, 1, 100);
	wait_committed(j, 6);
	journal_close(j);
	j = open_journal();
	assert_end(j, 6);
	journal_close(j);
}

/* Both buffers full: refused, and nothing else is lost. */
static void test_busy(void **state)
{
	static const uint8_t entry[1000];
	const struct record r = {.entry = span_of(entry, sizeof(entry))};
	struct journal *j = open_journal();
	enum sg_err err = SG_OK;
	uint64_t index;
	uint64_t offset;
	uint64_t taken = 0;

	(void)state;
	disk_lock(); /* the disk hangs */
	while (err == SG_OK && taken < 100) {
		err = journal_append(j, &r, (struct journal_wait){0}, &index,
				     &offset);
		if (err == SG_OK)
			assert_int_equal(index, taken++);
	}
	disk_unlock();
	assert_int_equal(err, SG_BUSY);
	assert_true(taken >= 8 && taken <= 16);
	wait_committed(j, taken);
	assert_int_equal(append(j, 1, 1000), taken);
	journal_close(j);
	j = open_journal();
	assert_end(j, taken + 1);
	journal_close(j);
}

/* --- two threads ---------------------------------------------------------- */

static atomic_bool done;
static atomic_uint_fast64_t read_to;

/* Follow the journal to its end, as others do. */
static void *follow(void *ctx)
{
	const struct journal *j = ctx;
	struct journal_reader *reader;
	struct record r;
	uint64_t index;
	uint64_t offset;
	uint64_t next = 0;
	bool last = false;

	if (journal_reader_open(dir_path, &reader) != SG_OK)
		return NULL;
	while (!last) {
		last = atomic_load(&done);
		journal_end(j, &index, &offset);
		while (journal_reader_next(reader, offset, &r, NULL) == SG_OK)
			if (r.index != next++)
				next = UINT64_MAX / 2;
		if (next != index)
			break;
	}
	journal_reader_close(reader);
	atomic_store(&read_to, next);
	return ctx;
}

static void test_follow(void **state)
{
	struct journal_settings s = told_settings();
	struct journal *j;
	pthread_t reader;
	uint64_t sent = 0;

	(void)state;
	atomic_store(&done, false);
	s.segment_bytes = 20000;
	j = open_by(&s, &DISK_IO);
	assert_int_equal(pthread_create(&reader, NULL, follow, j), 0);
	for (int i = 0; i < 500; i++) {
		if (i % 50 == 20) {
			/* Else what still waits may find the fault first, and
			 * the append below finds the journal down. */
			wait_committed(j, sent);
			disk_break(EIO, i % 100 == 20);
			(void)append(j, 1, 300);
			wait_for(j, &told.failures, told.failures + 1);
			disk_break(0, false);
			wait_for(j, &told.recoveries, told.recoveries + 1);
		}
		sent = append(j, 3, 200) + 1;
		if (i % 3 == 0)
			wait_committed(j, sent);
		journal_poll(j);
	}
	wait_committed(j, sent);
	atomic_store(&done, true);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_int_equal(atomic_load(&read_to), sent);
	journal_close(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_append),
		TEST(test_newest),
		TEST(test_lock),
		TEST(test_failure),
		TEST(test_failure_of_first),
		TEST(test_busy),
		TEST(test_follow),
	};

	log_limit((enum log_level) - 1); /* of faults that are meant to be */
	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
