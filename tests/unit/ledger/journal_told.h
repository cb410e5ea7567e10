/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_JOURNAL_TOLD_H
#define TEST_JOURNAL_TOLD_H

/* A journal on journal_disk.h, and what it tells. */
#include <semaphore.h>

#include "base/log.h"
#include "journal_disk.h"

/* What was told, and when something may be to tell. */
static struct {
	sem_t wake;
	uint64_t committed, failures, recoveries; /* committed: leaves */
	uint64_t first;
	int why;
} told;

static inline void on_committed(void *ctx, uint64_t last)
{
	(void)ctx;
	assert_true(last >= told.committed);
	told.committed = last + 1;
}

static inline void on_failed(void *ctx, uint64_t first, enum sg_err err,
			     int why)
{
	(void)ctx;
	assert_int_equal(err, SG_IO);
	told.failures++;
	told.first = first;
	told.why = why;
}

static inline void on_recovered(void *ctx)
{
	(void)ctx;
	told.recoveries++;
}

static inline void on_wake(void *ctx)
{
	(void)ctx;
	(void)sem_post(&told.wake);
}

static const struct journal_events EVENTS = {.committed = on_committed,
					     .failed = on_failed,
					     .recovered = on_recovered};

static inline struct journal_settings told_settings(void)
{
	return (struct journal_settings){.dir = dir_path,
					 .origin = "log.example",
					 .events = &EVENTS,
					 .wake = on_wake};
}

static inline struct journal *open_by(const struct journal_settings *s,
				      const struct journal_io *io)
{
	struct journal *j;

	assert_int_equal(journal_open_io(s, io, &j), SG_OK);
	return j;
}

static inline struct journal *open_journal(void)
{
	const struct journal_settings s = told_settings();

	return open_by(&s, &DISK_IO);
}

static inline enum sg_err open_error(void)
{
	const struct journal_settings s = told_settings();
	struct journal *j;
	const enum sg_err err = journal_open_io(&s, &DISK_IO, &j);

	if (err == SG_OK)
		journal_close(j);
	return err;
}

/* Append N records of SIZE bytes, with MORE on their way; the last one's
 * index. */
static inline uint64_t append_before(struct journal *j, size_t n, size_t size,
				     size_t more)
{
	static uint8_t entry[ENTRY_BYTES_MAX];
	const struct record r = {.entry = span_of(entry, size)};
	uint64_t index = 0;
	uint64_t offset;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			journal_append(j, &r,
				       (struct journal_wait){.more = more},
				       &index, &offset),
			SG_OK);
	return index;
}

static inline uint64_t append(struct journal *j, size_t n, size_t size)
{
	return append_before(j, n, size, 0);
}

static inline void wait_committed(struct journal *j, uint64_t leaves)
{
	while (told.committed < leaves) {
		(void)sem_wait(&told.wake);
		journal_poll(j);
	}
}

static inline void wait_for(struct journal *j, const uint64_t *count,
			    uint64_t n)
{
	while (*count < n) {
		(void)sem_wait(&told.wake);
		journal_poll(j);
	}
}

static inline void assert_end(const struct journal *j, uint64_t index)
{
	uint64_t at;
	uint64_t offset;

	journal_end(j, &at, &offset);
	assert_int_equal(at, index);
}

static inline int begin(void **state)
{
	(void)state;
	disk_format(1);
	memset(&told, 0, sizeof(told));
	return sem_init(&told.wake, 0, 0);
}

#define TEST(t) cmocka_unit_test_setup(t, begin)

#endif /* TEST_JOURNAL_TOLD_H */
