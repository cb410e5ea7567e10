/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "journal_dir.h"
#include "ledger/journal_read.h"

static struct journal_reader *open_reader(void)
{
	struct journal_reader *r;

	assert_int_equal(journal_reader_open(dir_path, &r), SG_OK);
	return r;
}

/* The next record must be INDEX, at OFFSET; returns the offset beyond it. */
static uint64_t expect(struct journal_reader *r, uint64_t index,
		       uint64_t offset)
{
	struct record got;
	uint64_t at = 0;

	assert_int_equal(journal_reader_next(r, UINT64_MAX, &got, &at), SG_OK);
	assert_int_equal(got.index, index);
	assert_int_equal(at, offset);
	assert_int_equal(got.entry.p[0], (uint8_t)(index * 7));
	return journal_reader_offset(r);
}

static enum sg_err next(struct journal_reader *r, uint64_t limit)
{
	struct record got;

	return journal_reader_next(r, limit, &got, NULL);
}

/* Three segments: 100 small records, 10 large ones, none. */
static void make_three(uint64_t *second, uint64_t *third)
{
	dir_empty();
	*second = dir_write(0, 0, 100, 20);
	*third = dir_write(*second, 100, 10, 60000);
	(void)dir_write(*third, 110, 0, 0);
}

static void test_walk(void **state)
{
	uint64_t second;
	uint64_t third;
	struct journal_reader *r;
	uint64_t at = 0;

	(void)state;
	make_three(&second, &third);
	r = open_reader();
	for (uint64_t i = 0; i < 110; i++)
		at = expect(r, i, at);
	assert_int_equal(at, third);
	assert_int_equal(next(r, UINT64_MAX), SG_NOT_FOUND);
	assert_int_equal(journal_reader_offset(r), third);
	/* It comes to be there. */
	dir_append(third, 110, 30);
	(void)expect(r, 110, third);
	/* Back. */
	assert_int_equal(journal_reader_seek(r, second), SG_OK);
	at = expect(r, 100, second);
	assert_int_equal(journal_reader_seek(r, 0), SG_OK);
	(void)expect(r, 0, 0);
	assert_int_equal(journal_reader_seek(r, at), SG_OK);
	(void)expect(r, 101, at);
	assert_int_equal(journal_reader_seek(r, third + 10000), SG_NOT_FOUND);
	assert_int_equal(journal_reader_seek(r, third), SG_OK);
	journal_reader_close(r);
}

static void test_find(void **state)
{
	uint64_t second;
	uint64_t third;
	struct journal_reader *r;

	(void)state;
	make_three(&second, &third);
	r = open_reader();
	for (uint64_t i = 110; i-- > 0;) {
		assert_int_equal(journal_reader_find(r, i), SG_OK);
		(void)expect(r, i, journal_reader_offset(r));
	}
	assert_int_equal(journal_reader_find(r, 110), SG_OK);
	assert_int_equal(journal_reader_offset(r), third);
	assert_int_equal(journal_reader_find(r, 111), SG_NOT_FOUND);
	journal_reader_close(r);
}

/* Four segments, the heads of the later ones with newest times. */
static void test_find_time(void **state)
{
	uint64_t start[4] = {0};
	struct journal_reader *r;
	const struct {
		int64_t time_s;
		size_t segment;
	} want[] = {{INT64_MIN + 1, 0}, {1000, 0}, {1001, 1},	  {2000, 1},
		    {2001, 3},		{9999, 3}, {INT64_MAX, 3}};

	(void)state;
	dir_empty();
	start[1] = dir_write(0, 0, 10, 20);
	dir_newest_s = 1000;
	start[2] = dir_write(start[1], 10, 10, 20);
	dir_newest_s = 2000;
	start[3] = dir_write(start[2], 20, 10, 20);
	(void)dir_write(start[3], 30, 5, 20);
	dir_newest_s = INT64_MIN;
	r = open_reader();
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(journal_reader_find_time(r, want[i].time_s),
				 SG_OK);
		assert_int_equal(journal_reader_offset(r),
				 start[want[i].segment]);
		(void)expect(r, want[i].segment * 10, start[want[i].segment]);
	}
	journal_reader_close(r);
}

static void test_limit(void **state)
{
	uint64_t second;
	uint64_t third;
	struct journal_reader *r;
	uint64_t at;

	(void)state;
	make_three(&second, &third);
	r = open_reader();
	assert_int_equal(next(r, 0), SG_NOT_FOUND);
	assert_int_equal(next(r, 1), SG_OK); /* its first byte is below */
	at = journal_reader_offset(r);
	assert_int_equal(next(r, at), SG_NOT_FOUND);
	assert_int_equal(next(r, at + 1), SG_OK);
	assert_int_equal(next(r, second), SG_OK);
	journal_reader_close(r);
}

/* What a failed write left in a file is void once the next segment begins
 * below it, whatever the reader had read ahead. */
static void test_void(void **state)
{
	static uint8_t record[200];
	struct journal_reader *r;
	uint64_t end;
	size_t n;

	(void)state;
	dir_empty();
	(void)dir_write(0, 0, 50, 20);
	n = dir_record(10, 20, record, sizeof(record));
	end = 10 * n;
	r = open_reader();
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(next(r, end), SG_OK);
	assert_int_equal(next(r, end), SG_NOT_FOUND);
	(void)dir_write(end, 10, 3, 40);
	for (uint64_t i = 10; i < 13; i++) {
		struct record got;

		assert_int_equal(journal_reader_next(r, UINT64_MAX, &got, NULL),
				 SG_OK);
		assert_int_equal(got.index, i);
		assert_int_equal(got.entry.n, 40);
	}
	assert_int_equal(next(r, UINT64_MAX), SG_NOT_FOUND);
	journal_reader_close(r);
}

static void test_damage(void **state)
{
	uint64_t second;
	uint64_t third;
	struct journal_reader *r;
	uint64_t at = 0;

	(void)state;
	/* A bit. */
	make_three(&second, &third);
	dir_flip(0, dir_size(0) - 100);
	r = open_reader();
	for (;;) {
		const enum sg_err err = next(r, UINT64_MAX);

		if (err == SG_OK) {
			at = journal_reader_offset(r);
			continue;
		}
		assert_int_equal(err, SG_MALFORMED);
		break;
	}
	assert_int_equal(journal_reader_offset(r), at);
	assert_true(at > 0 && at < second);
	assert_int_equal(next(r, UINT64_MAX), SG_MALFORMED);
	assert_int_equal(journal_reader_seek(r, second), SG_OK);
	(void)expect(r, 100, second);
	journal_reader_close(r);
	/* An end that is missing. */
	make_three(&second, &third);
	assert_int_equal(
		truncate(dir_segment(second), (off_t)dir_size(second) - 70000),
		0);
	r = open_reader();
	assert_int_equal(journal_reader_find(r, 108), SG_OK);
	assert_int_equal(next(r, UINT64_MAX), SG_MALFORMED);
	journal_reader_close(r);
	/* A segment that is missing: the first record after it is not next. */
	dir_empty();
	second = dir_write(0, 0, 100, 20);
	(void)dir_write(second, 101, 5, 20);
	r = open_reader();
	assert_int_equal(journal_reader_find(r, 99), SG_OK);
	assert_int_equal(next(r, UINT64_MAX), SG_OK);
	assert_int_equal(next(r, UINT64_MAX), SG_MALFORMED);
	journal_reader_close(r);
}

/* Each record is the next one, or something has been taken out. */
static void test_gap(void **state)
{
	struct journal_reader *r;

	(void)state;
	dir_empty();
	(void)dir_write(0, 0, 3, 20);
	dir_append(0, 4, 20);
	r = open_reader();
	assert_int_equal(journal_reader_find(r, 2), SG_OK);
	assert_int_equal(next(r, UINT64_MAX), SG_OK);
	assert_int_equal(next(r, UINT64_MAX), SG_MALFORMED);
	journal_reader_close(r);
}

static void test_none(void **state)
{
	struct journal_reader *r;

	(void)state;
	dir_empty();
	assert_int_equal(journal_reader_open(dir_path, &r), SG_NOT_FOUND);
	assert_int_equal(journal_reader_open("/nowhere/at/all", &r),
			 SG_NOT_FOUND);
	assert_int_equal(journal_reader_open("/dev/null", &r), SG_IO);
	journal_reader_close(NULL);
	/* One that is only being made. */
	assert_int_equal(close(open(dir_segment(0), O_CREAT | O_WRONLY, 0600)),
			 0);
	r = open_reader();
	assert_int_equal(next(r, UINT64_MAX), SG_NOT_FOUND);
	assert_int_equal(unlink(dir_segment(0)), 0);
	(void)dir_write(0, 0, 1, 5);
	assert_int_equal(next(r, UINT64_MAX), SG_OK);
	journal_reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),	  cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_time), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_void),	  cmocka_unit_test(test_damage),
		cmocka_unit_test(test_gap),	  cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
