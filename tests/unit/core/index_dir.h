/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_INDEX_DIR_H
#define TEST_INDEX_DIR_H

/* A directory for an index, and items for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "core/index.h"

enum { BATCH = 256, PATH_BYTES = 512 };

static char dir[64];

static inline int make_dir(void **state)
{
	(void)state;
	log_limit(LOG_ERROR);
	(void)snprintf(dir, sizeof(dir), "/tmp/test_index.XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static inline int remove_dir(void **state)
{
	(void)state;
	return index_destroy(dir) == SG_OK ? 0 : -1;
}

/* Key number I: as spread as a hash, and 32 bytes that are its own. */
static inline struct index_item item(uint64_t i)
{
	struct index_item it = {.offset = 1000 + i};
	uint64_t x = i + 1;

	for (size_t k = 0; k < INDEX_HASH_BYTES / sizeof(x); k++) {
		x ^= x >> 30;
		x *= UINT64_C(0xbf58476d1ce4e5b9);
		x ^= x >> 27;
		x *= UINT64_C(0x94d049bb133111eb);
		x ^= x >> 31;
		memcpy(it.uvci + k * sizeof(x), &x, sizeof(x));
		x += i;
	}
	return it;
}

/* Put keys FROM to TO, in batches; the watermark is the last one's offset
 * plus one. */
static inline enum sg_err put_range(struct index *x, uint64_t from, uint64_t to)
{
	static struct index_item items[BATCH];
	enum sg_err err = SG_OK;

	while (from < to && err == SG_OK) {
		size_t n = 0;

		while (n < BATCH && from < to)
			items[n++] = item(from++);
		err = index_put(x, items, n, items[n - 1].offset + 1);
	}
	return err;
}

static inline void assert_there(struct index *x, uint64_t i)
{
	const struct index_item it = item(i);
	uint64_t offset = 0;

	assert_int_equal(index_get(x, it.uvci, &offset), SG_OK);
	assert_int_equal(offset, it.offset);
}

static inline void assert_missing(struct index *x, uint64_t i)
{
	const struct index_item it = item(i);
	uint64_t offset = 7;

	assert_int_equal(index_get(x, it.uvci, &offset), SG_NOT_FOUND);
	assert_int_equal(offset, 7);
}

/* Call DO_IT with each file in the index whose name has PART in it. */
static inline size_t each_file(const char *part,
			       void (*do_it)(const char *path))
{
	char path[PATH_BYTES];
	DIR *d = opendir(dir);
	const struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	// NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads D
	while ((e = readdir(d)) != NULL) {
		if (strstr(e->d_name, part) == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		do_it(path);
		n++;
	}
	(void)closedir(d);
	return n;
}

static inline void fill(void)
{
	struct index *x;

	assert_int_equal(index_open(dir, &x), SG_OK);
	assert_int_equal(put_range(x, 0, 5000), SG_OK);
	index_close(x);
}

#endif /* TEST_INDEX_DIR_H */
