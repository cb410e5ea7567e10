/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_JOURNAL_DIR_H
#define TEST_JOURNAL_DIR_H

/* A directory for journals, and segments written by hand. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/segment.h"

/* In memory where there is such a place: the tests make thousands of files. */
static char dir_path[] = "/dev/shm/journal.XXXXXX";

static inline void dir_empty(void)
{
	char path[400];
	DIR *d = opendir(dir_path);
	const struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) { /* NOLINT(concurrency-*) */
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir_path,
			       e->d_name);
		assert_int_equal(unlink(path), 0);
	}
	(void)closedir(d);
}

static inline int dir_make(void **state)
{
	(void)state;
	if (mkdtemp(dir_path) != NULL)
		return 0;
	(void)snprintf(dir_path, sizeof(dir_path), "/tmp/journal.XXXXXX");
	return mkdtemp(dir_path) == NULL;
}

static inline int dir_remove(void **state)
{
	(void)state;
	dir_empty();
	return rmdir(dir_path);
}

/* The path of the segment that begins at START.  Static. */
static inline const char *dir_segment(uint64_t start)
{
	static char path[64];
	char name[SEGMENT_NAME_SIZE];

	segment_name(start, name);
	(void)snprintf(path, sizeof(path), "%s/%s", dir_path, name);
	return path;
}

/* Its bytes. */
static inline uint64_t dir_size(uint64_t start)
{
	const int fd = open(dir_segment(start), O_RDONLY);
	const off_t n = lseek(fd, 0, SEEK_END);

	assert_true(fd >= 0 && n >= 0);
	(void)close(fd);
	return (uint64_t)n;
}

/* The record with INDEX whose entry is SIZE bytes that tell the two. */
static inline size_t dir_record(uint64_t index, size_t size, uint8_t *out,
				size_t cap)
{
	static uint8_t entry[ENTRY_BYTES_MAX];
	const struct record r = {.index = index, .entry = span_of(entry, size)};
	size_t n;

	for (size_t i = 0; i < size; i++)
		entry[i] = (uint8_t)(index * 7 + i);
	assert_int_equal(record_encode(&r, out, cap, &n), SG_OK);
	return n;
}

/* Write N records from LEAF on, of SIZE each, as the segment at START: its
 * head too.  Returns the offset beyond them. */
static int64_t dir_newest_s = INT64_MIN; /* in the heads */

static inline uint64_t dir_write(uint64_t start, uint64_t leaf, size_t n,
				 size_t size)
{
	static uint8_t record[RECORD_BYTES_MAX];
	const struct segment_head h = {.origin = SPAN_LIT("log.example"),
				       .start = start,
				       .leaf = leaf,
				       .newest_s = dir_newest_s};
	uint8_t head[SEGMENT_HEAD_MAX];
	const int fd =
		open(dir_segment(start), O_WRONLY | O_CREAT | O_EXCL, 0600);
	size_t len;

	assert_true(fd >= 0);
	assert_int_equal(segment_head_encode(&h, head, &len), SG_OK);
	assert_int_equal(write(fd, head, len), len);
	for (size_t i = 0; i < n; i++) {
		len = dir_record(leaf + i, size, record, sizeof(record));
		assert_int_equal(write(fd, record, len), len);
		start += len;
	}
	(void)close(fd);
	return start;
}

/* Append the record INDEX to the segment at START. */
static inline void dir_append(uint64_t start, uint64_t index, size_t size)
{
	static uint8_t record[RECORD_BYTES_MAX];
	const size_t n = dir_record(index, size, record, sizeof(record));
	const int fd = open(dir_segment(start), O_WRONLY | O_APPEND);

	assert_int_equal(write(fd, record, n), n);
	(void)close(fd);
}

/* Flip a bit of the byte AT of the segment at START. */
static inline void dir_flip(uint64_t start, uint64_t at)
{
	const int fd = open(dir_segment(start), O_RDWR);
	uint8_t b;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, (off_t)at), 1);
	b ^= 0x10;
	assert_int_equal(pwrite(fd, &b, 1, (off_t)at), 1);
	(void)close(fd);
}

#endif /* TEST_JOURNAL_DIR_H */
