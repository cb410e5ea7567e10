/* SPDX-License-Identifier: Apache-2.0 */
/* What journal_open() finds on the disk: files_open() of journal_files.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "journal_files.h"
#include "journal_read.h"

enum { DIR_MODE = 0700, MS_PER_S = 1000 };

static enum sg_err io_failed(const struct journal_files *f, const char *what)
{
	log_event(LOG_ERROR, "journal-io",
		  "dir=" LOG_Q " doing=" LOG_Q " error=" LOG_Q, f->path, what,
		  strerrordesc_np(errno));
	return SG_IO;
}

static enum sg_err damaged(const struct journal_files *f, uint64_t start,
			   uint64_t offset, const char *why)
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(start, name);
	log_event(LOG_ERROR, "journal-damaged",
		  "file=\"%s/%s\" offset=%llu reason=" LOG_Q, f->path, name,
		  (unsigned long long)offset, why);
	return SG_MALFORMED;
}

/* --- the directory -------------------------------------------------------- */

/* A new directory is only durable once the one that it is in has been synced.
 * Where we may not look into that one, another process made it. */
static bool sync_parent(const struct journal_files *f)
{
	char *copy = strdup(f->path);
	bool ok;
	int fd;

	if (copy == NULL)
		return false;
	fd = open(dirname(copy), /* NOLINT(concurrency-mt-unsafe): own copy */
		  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return errno == EACCES || errno == EPERM;
	ok = f->io->sync(f->io->ctx, fd) == 0;
	(void)close(fd);
	return ok;
}

static enum sg_err open_dir(struct journal_files *f)
{
	if (mkdir(f->path, DIR_MODE) != 0 && errno != EEXIST)
		return io_failed(f, "making the directory");
	f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return io_failed(f, "opening the directory");
	if (flock(f->dir, LOCK_EX | LOCK_NB) != 0)
		return io_failed(f, "locking: is another process using it?");
	return SG_OK;
}

/* --- heads ---------------------------------------------------------------- */

struct found {
	struct segment_list list;
	struct segment_head head; /* of the last one looked at; no origin */
	size_t head_n;
	uint64_t size; /* of its file */
};

/* Most bytes of a head of ours at START.  A head is synced before a record is
 * written behind it, so that a torn one has no more. */
static size_t head_bytes_max(const struct journal_files *f, uint64_t start)
{
	const struct segment_head h = {.origin = span_str(f->origin),
				       .start = start,
				       .leaf = UINT64_MAX,
				       .newest_s = INT64_MAX};
	uint8_t head[SEGMENT_HEAD_MAX];
	size_t n;

	return segment_head_encode(&h, head, &n) == SG_OK ? n : 0;
}

/* Look at the segment I.  Errors: SG_NOT_FOUND: its head is torn. */
static enum sg_err look(const struct journal_files *f, struct found *d,
			size_t i)
{
	const uint64_t start = d->list.start[i];
	uint8_t buf[SEGMENT_HEAD_MAX];
	char name[SEGMENT_NAME_SIZE];
	struct stat st;
	enum sg_err err;
	int fd;

	segment_name(start, name);
	fd = openat(f->dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return io_failed(f, "opening a segment");
	err = segment_head_read(fd, buf, &d->head, &d->head_n);
	if (err == SG_IO || fstat(fd, &st) != 0)
		err = io_failed(f, "reading a segment's head");
	else
		d->size = (uint64_t)st.st_size;
	(void)close(fd);
	if (err == SG_MALFORMED && d->size <= head_bytes_max(f, start) &&
	    i + 1 == d->list.n)
		err = SG_NOT_FOUND;
	if (err == SG_IO || (err == SG_NOT_FOUND && i + 1 == d->list.n))
		return err;
	if (err != SG_OK || d->head.start != start)
		return damaged(f, start, start, "its head is damaged");
	if (!span_eq(d->head.origin, span_str(f->origin)))
		return damaged(f, start, start, "it is of another log");
	d->head.origin = span_of(NULL, 0); /* lay in BUF */
	return SG_OK;
}

/* All but the last: there in full, and in order. */
static enum sg_err look_at_all(const struct journal_files *f, struct found *d)
{
	uint64_t leaf = 0;
	uint64_t size = 0; /* bytes of records in the file before */

	for (size_t i = 0; i < d->list.n; i++) {
		const uint64_t start = d->list.start[i];
		const uint64_t before = i == 0 ? 0 : d->list.start[i - 1];
		const enum sg_err err = look(f, d, i);

		if (err != SG_OK && err != SG_NOT_FOUND)
			return err;
		if (i == 0 && start != 0)
			return damaged(f, start, 0, "the first one is missing");
		if (i > 0 && size < start - before)
			return damaged(f, before, before + size,
				       "it ends before the next one begins");
		if (err != SG_OK)
			return err;
		if (i == 0 ? d->head.leaf != 0 : d->head.leaf <= leaf)
			return damaged(f, start, start, "its leaf is not next");
		leaf = d->head.leaf;
		size = d->size - d->head_n;
	}
	return SG_OK;
}

/* --- the end -------------------------------------------------------------- */

/* Cut the segment at START to END, an offset, if it is longer. */
static enum sg_err cut_at(const struct journal_files *f, int fd,
			  const struct found *d, uint64_t end)
{
	const uint64_t size = d->head_n + (end - d->head.start);
	char name[SEGMENT_NAME_SIZE];

	if (d->size <= size)
		return SG_OK;
	segment_name(d->head.start, name);
	if (f->io->cut(f->io->ctx, fd, (off_t)size) != 0 ||
	    f->io->sync(f->io->ctx, fd) != 0)
		return io_failed(f, "cutting a segment");
	log_event(LOG_WARNING, "journal-cut",
		  "file=\"%s/%s\" offset=%llu bytes=%llu", f->path, name,
		  (unsigned long long)end,
		  (unsigned long long)(d->size - size));
	return SG_OK;
}

/* The power failed while the last segment was made.  What the one before it
 * holds beyond its beginning was void already, and must not come back. */
static enum sg_err drop_torn(const struct journal_files *f, struct found *d,
			     uint64_t *must_reach)
{
	const size_t last = d->list.n - 1;
	const uint64_t start = d->list.start[last];
	char name[SEGMENT_NAME_SIZE];
	enum sg_err err = SG_OK;
	int fd;

	if (last > 0) {
		err = look(f, d, last - 1);
		if (err != SG_OK)
			return err;
		segment_name(d->list.start[last - 1], name);
		fd = f->io->open_at(f->io->ctx, f->dir, name,
				    O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return io_failed(f, "opening a segment");
		err = cut_at(f, fd, d, start);
		(void)close(fd);
		*must_reach = start;
	}
	if (err != SG_OK)
		return err;
	segment_name(start, name);
	if (f->io->unlink_at(f->io->ctx, f->dir, name) != 0 ||
	    f->io->sync(f->io->ctx, f->dir) != 0)
		return io_failed(f, "removing a segment");
	log_event(LOG_WARNING, "journal-segment-removed",
		  "file=\"%s/%s\" reason=\"it was never written whole\"",
		  f->path, name);
	d->list.n--;
	return SG_OK;
}

static void note_time(struct journal_place *end, struct span entry,
		      struct entry *scratch)
{
	if (entry_decode(entry, scratch) != SG_OK ||
	    (scratch->type != ENTRY_ISSUED && scratch->type != ENTRY_RENEWED))
		return;
	if (scratch->time_ms / MS_PER_S > end->newest_s)
		end->newest_s = scratch->time_ms / MS_PER_S;
	if (scratch->iat > end->newest_s)
		end->newest_s = scratch->iat;
}

/* Read the last segment: *END gets the place beyond its last whole record. */
static enum sg_err read_last(const struct journal_files *f,
			     const struct found *d, struct journal_place *end)
{
	struct entry *scratch = malloc(sizeof(*scratch));
	struct journal_reader *r = NULL;
	struct record record;
	enum sg_err err = SG_NO_MEMORY;

	*end = (struct journal_place){.index = d->head.leaf,
				      .offset = d->head.start,
				      .newest_s = d->head.newest_s};
	if (scratch != NULL)
		err = journal_reader_open(f->path, &r);
	if (err == SG_OK)
		err = journal_reader_seek(r, end->offset);
	while (err == SG_OK) {
		err = journal_reader_next(r, UINT64_MAX, &record, NULL);
		if (err != SG_OK)
			break;
		note_time(end, record.entry, scratch);
		end->index = record.index + 1;
		end->offset = journal_reader_offset(r);
	}
	journal_reader_close(r);
	free(scratch);
	if (err == SG_IO)
		return io_failed(f, "reading the last segment");
	return err == SG_NOT_FOUND || err == SG_MALFORMED ? SG_OK : err;
}

/* Go on in the last segment. */
static enum sg_err take_last(struct journal_files *f, struct found *d,
			     uint64_t must_reach, struct journal_place *end)
{
	const uint64_t start = d->list.start[d->list.n - 1];
	char name[SEGMENT_NAME_SIZE];
	enum sg_err err = look(f, d, d->list.n - 1);

	if (err != SG_OK)
		return err == SG_NOT_FOUND ? SG_MALFORMED : err;
	segment_name(start, name);
	f->fd = f->io->open_at(f->io->ctx, f->dir, name, O_RDWR | O_CLOEXEC);
	if (f->fd < 0)
		return io_failed(f, "opening the last segment");
	/* What an earlier process wrote is ours from here on: it must be on the
	 * disk, and read from there, in case that a sync failed then. */
	if (f->io->sync(f->io->ctx, f->fd) != 0 ||
	    f->io->sync(f->io->ctx, f->dir) != 0)
		return io_failed(f, "syncing the last segment");
	(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	err = read_last(f, d, end);
	if (err != SG_OK)
		return err;
	/* One commit can be torn, and only one. */
	if (end->offset < must_reach ||
	    d->size - d->head_n - (end->offset - start) >
		    f->io->buffer_bytes_max)
		return damaged(f, start, end->offset, "a record is damaged");
	f->start = f->made = start;
	f->has_made = true;
	f->head_n = d->head_n;
	f->size = d->head_n + (end->offset - start);
	return cut_at(f, f->fd, d, end->offset);
}

static enum sg_err begin_first(struct journal_files *f,
			       struct journal_place *end)
{
	*end = (struct journal_place){.newest_s = INT64_MIN};
	if (!sync_parent(f))
		return io_failed(f, "syncing the parent directory");
	return files_begin(f, end) ? SG_OK
				   : io_failed(f, "making the first segment");
}

static enum sg_err start(struct journal_files *f, struct journal_place *end)
{
	struct found d = {0};
	uint64_t must_reach = 0;
	enum sg_err err = open_dir(f);

	if (err != SG_OK)
		return err;
	err = segment_list_read(f->dir, &d.list);
	if (err == SG_IO)
		(void)io_failed(f, "listing the directory");
	if (err == SG_OK)
		err = look_at_all(f, &d);
	if (err == SG_NOT_FOUND)
		err = drop_torn(f, &d, &must_reach);
	if (err == SG_OK)
		err = d.list.n == 0 ? begin_first(f, end)
				    : take_last(f, &d, must_reach, end);
	segment_list_free(&d.list);
	return err;
}

enum sg_err files_open(struct journal_files *f,
		       const struct journal_settings *settings,
		       const struct journal_io *io, struct journal_place *end)
{
	enum sg_err err = SG_NO_MEMORY;

	f->io = io;
	f->dir = f->fd = -1;
	f->segment_bytes = settings->segment_bytes == 0
				   ? JOURNAL_SEGMENT_BYTES
				   : settings->segment_bytes;
	f->path = strdup(settings->dir);
	f->origin = strdup(settings->origin);
	if (f->path != NULL && f->origin != NULL)
		err = start(f, end);
	if (err != SG_OK)
		files_close(f);
	return err;
}
