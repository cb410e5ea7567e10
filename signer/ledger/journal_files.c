/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	FILE_MODE = 0600,
	BUFFER_BYTES_MIN = 1 << 20,
	BUFFER_BYTES_MAX = 8 << 20
};

/* --- the real thing ------------------------------------------------------- */

static int real_open_at(void *ctx, int dir, const char *name, int flags)
{
	(void)ctx;
	return openat(dir, name, flags, FILE_MODE);
}

static ssize_t real_write_at(void *ctx, int fd, const void *p, size_t n,
			     off_t at)
{
	ssize_t done;

	(void)ctx;
	do
		done = pwrite(fd, p, n, at);
	while (done < 0 && errno == EINTR);
	return done;
}

static int real_sync_data(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd);
}

static int real_sync(void *ctx, int fd)
{
	(void)ctx;
	return fsync(fd);
}

static int real_cut(void *ctx, int fd, off_t size)
{
	(void)ctx;
	return ftruncate(fd, size);
}

static int real_unlink_at(void *ctx, int dir, const char *name)
{
	(void)ctx;
	return unlinkat(dir, name, 0);
}

const struct journal_io JOURNAL_IO = {.open_at = real_open_at,
				      .write_at = real_write_at,
				      .sync_data = real_sync_data,
				      .sync = real_sync,
				      .cut = real_cut,
				      .unlink_at = real_unlink_at,
				      .retry_ms = JOURNAL_RETRY_MS,
				      .gather_us = JOURNAL_GATHER_US,
				      .gather_bulk_us = JOURNAL_GATHER_BULK_US,
				      .buffer_bytes_min = BUFFER_BYTES_MIN,
				      .buffer_bytes_max = BUFFER_BYTES_MAX};

/* --- writing -------------------------------------------------------------- */

static bool write_all(const struct journal_io *io, int fd, struct span s,
		      uint64_t at)
{
	while (s.n > 0) {
		const ssize_t n =
			io->write_at(io->ctx, fd, s.p, s.n, (off_t)at);

		if (n < 0)
			return false;
		if (n == 0) {
			errno = EIO;
			return false;
		}
		s = span_of(s.p + n, s.n - (size_t)n);
		at += (uint64_t)n;
	}
	return true;
}

bool files_write(struct journal_files *f, struct span s)
{
	if (!write_all(f->io, f->fd, s, f->size) ||
	    f->io->sync_data(f->io->ctx, f->fd) != 0)
		return false;
	f->size += s.n;
	return true;
}

void files_cut(struct journal_files *f)
{
	if (f->io->cut(f->io->ctx, f->fd, (off_t)f->size) == 0)
		(void)f->io->sync(f->io->ctx, f->fd);
}

bool files_full(const struct journal_files *f)
{
	return f->size - f->head_n >= f->segment_bytes;
}

/* Make the file of the segment at START.  One that is there already is ours,
 * from an earlier try, or from before its first write failed: no record in it
 * is committed, or START would be another. */
static int make_file(struct journal_files *f, uint64_t start)
{
	const struct journal_io *io = f->io;
	const bool again = f->has_made && f->made == start;
	char name[SEGMENT_NAME_SIZE];
	int fd;

	segment_name(start, name);
	fd = io->open_at(io->ctx, f->dir, name,
			 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC);
	if (fd >= 0) {
		f->has_made = true;
		f->made = start;
	}
	if (fd >= 0 || errno != EEXIST || !again)
		return fd;
	fd = io->open_at(io->ctx, f->dir, name, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && io->cut(io->ctx, fd, 0) != 0) {
		const int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

bool files_begin(struct journal_files *f, const struct journal_place *end)
{
	const struct journal_io *io = f->io;
	const struct segment_head h = {.origin = span_str(f->origin),
				       .start = end->offset,
				       .leaf = end->index,
				       .newest_s = end->newest_s};
	uint8_t head[SEGMENT_HEAD_MAX];
	size_t n;
	int fd;

	if (segment_head_encode(&h, head, &n) != SG_OK) {
		errno = EINVAL;
		return false;
	}
	fd = make_file(f, end->offset);
	if (fd < 0)
		return false;
	if (!write_all(io, fd, span_of(head, n), 0) ||
	    io->sync(io->ctx, fd) != 0 || io->sync(io->ctx, f->dir) != 0) {
		const int saved = errno;

		(void)close(fd);
		errno = saved;
		return false;
	}
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = fd;
	f->start = end->offset;
	f->size = n;
	f->head_n = n;
	return true;
}

void files_close(struct journal_files *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->dir >= 0)
		(void)close(f->dir);
	f->fd = f->dir = -1;
	free(f->path);
	free(f->origin);
	f->path = f->origin = NULL;
}
