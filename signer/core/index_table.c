/* SPDX-License-Identifier: Apache-2.0 */
#include "index_table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	ITEM_BYTES = 64,      /* of the file, filter and all, at most */
	SPACE_BYTES = 4 << 20 /* left for RocksDB's own files */
};

void index_offset_put(uint8_t out[INDEX_OFFSET_BYTES], uint64_t v)
{
	for (unsigned i = 0; i < INDEX_OFFSET_BYTES; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

uint64_t index_offset_get(const uint8_t in[INDEX_OFFSET_BYTES])
{
	uint64_t v = 0;

	for (unsigned i = 0; i < INDEX_OFFSET_BYTES; i++)
		v |= (uint64_t)in[i] << (8 * i);
	return v;
}

/* In the order of the keys. */
static char *put(rocksdb_sstfilewriter_t *writer, const void *key, size_t n,
		 uint64_t offset)
{
	uint8_t value[INDEX_OFFSET_BYTES];
	char *reason = NULL;

	index_offset_put(value, offset);
	rocksdb_sstfilewriter_put(writer, key, n, (const char *)value,
				  sizeof(value), &reason);
	return reason;
}

static char *put_watermark(rocksdb_sstfilewriter_t *writer,
			   const struct index_table *t)
{
	return put(writer, INDEX_WATERMARK, INDEX_WATERMARK_BYTES,
		   t->watermark);
}

static bool watermark_first(const struct index_item *item)
{
	return memcmp(INDEX_WATERMARK, item->uvci, INDEX_WATERMARK_BYTES) <= 0;
}

static char *write_all(rocksdb_sstfilewriter_t *writer,
		       const struct index_table *t)
{
	char *reason = NULL;
	bool told = false;

	rocksdb_sstfilewriter_open(writer, t->path, &reason);
	for (size_t i = 0; i < t->n && reason == NULL; i++) {
		if (!told && watermark_first(t->item[i])) {
			reason = put_watermark(writer, t);
			told = true;
		}
		if (reason == NULL)
			reason = put(writer, t->item[i]->uvci, INDEX_HASH_BYTES,
				     t->item[i]->offset);
	}
	if (!told && reason == NULL)
		reason = put_watermark(writer, t);
	if (reason == NULL)
		rocksdb_sstfilewriter_finish(writer, &reason);
	return reason;
}

static bool has_space(const struct index_table *t)
{
	char *path = strdup(t->path);
	struct statvfs s;
	/* Where nothing can be told, whoever writes will see. */
	// NOLINTNEXTLINE(concurrency-mt-unsafe): the copy is ours alone
	const bool known = path != NULL && statvfs(dirname(path), &s) == 0;

	free(path);
	return !known || (uint64_t)s.f_bavail * s.f_frsize >=
				 SPACE_BYTES + (uint64_t)t->n * ITEM_BYTES;
}

/* The writer has the kernel forget what it wrote; the newest are those that are
 * asked for again. */
static void remember(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
	(void)close(fd);
}

char *index_table_write(const struct index_table *t)
{
	rocksdb_sstfilewriter_t *writer;
	char *reason;

	if (!has_space(t))
		return strdup("the disk is nearly full");
	/* After a crash its name may still be there, and the file be one of
	 * RocksDB's own, which must not be written to. */
	if (unlink(t->path) != 0 && errno != ENOENT)
		return strdup("an older table cannot be removed");
	writer = rocksdb_sstfilewriter_create(t->env, t->options);
	reason = write_all(writer, t);
	rocksdb_sstfilewriter_destroy(writer);
	if (reason != NULL)
		(void)unlink(t->path);
	else
		remember(t->path);
	return reason;
}

/* "000123.log" */
static bool is_log(const char *name)
{
	const size_t digits = strspn(name, "0123456789");

	return digits > 0 && strcmp(name + digits, ".log") == 0;
}

void index_table_tidy(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	struct stat st;

	if (d == NULL)
		return;
	(void)unlinkat(dirfd(d), INDEX_TABLE_NAME, 0);
	// NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads D
	while ((e = readdir(d)) != NULL)
		if (is_log(e->d_name) &&
		    fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
		    st.st_size == 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
}
