/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal on a disk that fails and loses power, many times over.  After
 * each opening: what was reported committed is there, in its place and with
 * its bytes; nothing that was reported lost has come back, unless the disk let
 * nobody take it back; what was reported neither way may be there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>

#include "base/log.h"
#include "journal_disk.h"
#include "ledger/journal_read.h"

enum {
	DISKS = 40,
	ROUNDS = 50,
	RECORDS = 20000,
	ENTRY_MAX = 400,
	SEGMENT_BYTES = 3000
};

/* A record as it was appended: its entry is SIZE bytes made from SEED. */
struct sent {
	uint64_t index;
	uint32_t seed;
	size_t size;
};

static struct sent kept[RECORDS]; /* by index: on record */
static size_t kept_n;
static struct sent waiting[RECORDS]; /* what may be there, or not */
static size_t waiting_n;
static bool down; /* between failed and recovered */
static uint64_t commits, losses, recoveries, cuts, revived;

static void fill(const struct sent *s, uint8_t *out)
{
	for (size_t i = 0; i < s->size; i++)
		out[i] = (uint8_t)(s->seed >> (8 * (i % 4))) ^ (uint8_t)i;
}

static bool is_that(const struct sent *s, const struct record *r)
{
	uint8_t want[ENTRY_MAX];

	fill(s, want);
	return s->index == r->index &&
	       span_eq(r->entry, span_of(want, s->size));
}

static void on_committed(void *ctx, uint64_t last)
{
	size_t left = 0;

	(void)ctx;
	commits++;
	for (size_t i = 0; i < waiting_n; i++)
		if (waiting[i].index <= last) {
			assert_int_equal(waiting[i].index, kept_n);
			kept[kept_n++] = waiting[i];
		} else {
			waiting[left++] = waiting[i];
		}
	assert_int_equal(kept_n, last + 1);
	waiting_n = left;
}

static void on_failed(void *ctx, uint64_t first, enum sg_err err, int why)
{
	(void)ctx;
	losses++;
	assert_int_equal(first, kept_n);
	assert_int_equal(err, SG_IO);
	assert_true(why == EIO || why == ENOSPC || why == EROFS);
	down = true;
	if (!disk_is_off() && disk_cut_ok())
		waiting_n = 0;
}

static void on_recovered(void *ctx)
{
	(void)ctx;
	recoveries++;
	assert_true(down);
	down = false;
	waiting_n = 0; /* void, whatever the disk holds */
}

static void on_wake(void *ctx)
{
	(void)ctx;
}

static const struct journal_events EVENTS = {.committed = on_committed,
					     .failed = on_failed,
					     .recovered = on_recovered};

static enum sg_err open_journal(struct journal **out)
{
	const struct journal_settings settings = {.dir = dir_path,
						  .origin = "log.example",
						  .segment_bytes =
							  SEGMENT_BYTES,
						  .events = &EVENTS,
						  .wake = on_wake};

	down = false;
	return journal_open_io(&settings, &DISK_IO, out);
}

static uint64_t any(uint64_t below)
{
	uint64_t v;

	disk_lock();
	v = disk_random(below);
	disk_unlock();
	return v;
}

static void append(struct journal *j)
{
	struct sent s = {.seed = (uint32_t)any(UINT32_MAX),
			 .size = 1 + any(ENTRY_MAX)};
	uint8_t entry[ENTRY_MAX];
	const struct record r = {.entry = span_of(entry, s.size)};
	uint64_t offset;
	enum sg_err err;

	fill(&s, entry);
	err = journal_append(j, &r, (struct journal_wait){0}, &s.index,
			     &offset);
	if (err == SG_OK)
		waiting[waiting_n++] = s;
	else
		assert_true(err == SG_BUSY || err == SG_IO);
}

/* Read it all: [0, END) is there, and what it must be. */
static void check(uint64_t end, uint64_t limit)
{
	struct journal_reader *reader;
	struct record r;

	assert_int_equal(journal_reader_open(dir_path, &reader), SG_OK);
	assert_true(end >= kept_n);
	for (uint64_t i = 0; i < end; i++) {
		assert_int_equal(journal_reader_next(reader, limit, &r, NULL),
				 SG_OK);
		assert_int_equal(r.index, i);
		if (i < kept_n) {
			assert_true(is_that(&kept[i], &r));
			continue;
		}
		for (size_t k = 0;; k++) {
			assert_true(k < waiting_n);
			if (!is_that(&waiting[k], &r))
				continue;
			kept[kept_n++] = waiting[k];
			revived++;
			break;
		}
	}
	assert_int_equal(journal_reader_next(reader, limit, &r, NULL),
			 SG_NOT_FOUND);
	journal_reader_close(reader);
}

/* A disk that works again: everything comes to be on it, or is lost. */
static void settle(struct journal *j)
{
	disk_break(0, false);
	for (int i = 0; i < 100000 && !disk_is_off(); i++) {
		journal_poll(j);
		if (waiting_n == 0 && !down && journal_up(j))
			return;
		(void)usleep(100);
	}
	assert_true(disk_is_off());
}

/* The disk breaks, is mended, loses power. */
static void happen(struct journal *j)
{
	static const int errors[] = {EIO, ENOSPC, EROFS};
	uint64_t end;
	uint64_t offset;

	switch (any(12)) {
	case 0: disk_break(errors[any(3)], any(2) == 0); break;
	case 1:
	case 2: disk_break(0, false); break;
	case 8:
		if (any(2) == 0)
			settle(j);
		break;
	case 3:
		if (any(8) == 0)
			disk_power_off((long)any(8));
		break;
	case 4:
	case 5:
	case 9:
	case 10: journal_poll(j); break;
	case 6:
		journal_end(j, &end, &offset);
		if (any(4) == 0) /* also what nobody was told of */
			journal_poll(j);
		break;
	case 7: (void)sched_yield(); break;
	default: break;
	}
}

/* Open it, with or without power, and look at all that it has. */
static struct journal *begin_round(bool calm)
{
	struct journal *j = NULL;
	enum sg_err err;
	uint64_t end;
	uint64_t offset;

	if (!calm && any(8) == 0)
		disk_power_off((long)any(6));
	err = open_journal(&j);
	if (err != SG_OK) {
		assert_int_equal(err, SG_IO);
		assert_true(disk_is_off());
		disk_power_on();
		cuts++;
		assert_int_equal(open_journal(&j), SG_OK);
	}
	journal_end(j, &end, &offset);
	check(end, offset);
	waiting_n = 0;
	return j;
}

/* Close it, with or without power.  True: with it. */
static bool end_round(struct journal *j, bool calm)
{
	bool off;

	if (!calm && any(3) == 0)
		disk_power_off(0);
	if (any(2) == 0)
		journal_poll(j);
	journal_close(j);
	off = disk_is_off();
	disk_break(0, false);
	disk_power_off(-1);
	if (off) {
		disk_power_on();
		cuts++;
	}
	return !off;
}

static void one_round(void)
{
	const bool calm = any(4) == 0;
	struct journal *j = begin_round(calm);
	uint64_t end;
	uint64_t offset;

	for (uint64_t steps = any(60); steps > 0; steps--) {
		for (uint64_t n = any(4); n > 0; n--)
			append(j);
		if (!calm)
			happen(j);
	}
	if (!end_round(j, calm) || !calm)
		return;
	/* Then nothing was lost. */
	assert_int_equal(open_journal(&j), SG_OK);
	journal_end(j, &end, &offset);
	assert_int_equal(end, kept_n + waiting_n);
	journal_close(j);
}

static void test_power(void **state)
{
	(void)state;
	for (uint64_t d = 0; d < DISKS; d++) {
		disk_format(d);
		kept_n = waiting_n = 0;
		for (size_t i = 0; i < ROUNDS; i++)
			one_round();
	}
	disk_format(0);
	print_message("%llu commits, %llu failures, %llu recoveries, "
		      "%llu power cuts, %llu records never reported there\n",
		      (unsigned long long)commits, (unsigned long long)losses,
		      (unsigned long long)recoveries, (unsigned long long)cuts,
		      (unsigned long long)revived);
	assert_true(commits > 0 && losses > 0 && recoveries > 0 && cuts > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_power)};

	log_limit((enum log_level) - 1); /* thousands of lines */
	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
