/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 20, OPEN_TRIES = 8 };

struct output {
	int fd;
	char path[PATH_MAX];
	bool dirty; /* flushed, not synced */
	size_t n;
	uint8_t buffer[BUFFER_BYTES];
};

/* Is FD still the file at PATH?  Another process may have put one in its
 * place before it let go of the lock. */
static bool same_file(int fd, const char *path)
{
	struct stat a;
	struct stat b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static enum sg_err open_locked(struct output *o, bool *made, char *why,
			       size_t cap)
{
	const int flags = O_RDWR | O_CLOEXEC | O_APPEND;

	for (int i = 0; i < OPEN_TRIES; i++) {
		o->fd = open(o->path, flags | O_CREAT | O_EXCL, 0600);
		*made = o->fd >= 0;
		if (o->fd < 0 && errno == EEXIST)
			o->fd = open(o->path, flags);
		if (o->fd < 0 && errno != ENOENT)
			break;
		if (o->fd < 0)
			continue;
		if (flock(o->fd, LOCK_EX | LOCK_NB) != 0) {
			(void)snprintf(why, cap,
				       "%s: another process writes to it",
				       o->path);
			return SG_CONFLICT;
		}
		if (same_file(o->fd, o->path))
			return SG_OK;
		(void)close(o->fd);
		o->fd = -1;
	}
	(void)snprintf(why, cap, "%s: %s", o->path, strerrordesc_np(errno));
	return SG_IO;
}

enum sg_err output_open(const char *path, bool *made, struct output **out,
			char *why, size_t cap)
{
	struct output *o = malloc(sizeof(*o));
	struct stat st;
	enum sg_err err;

	if (o == NULL) {
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	o->fd = -1;
	o->n = 0;
	o->dirty = false;
	(void)snprintf(o->path, sizeof(o->path), "%s", path);
	err = open_locked(o, made, why, cap);
	if (err == SG_OK && (fstat(o->fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		(void)snprintf(why, cap, "%s: not a regular file", path);
		err = SG_CONFIG;
	}
	if (err != SG_OK) {
		output_close(o);
		return err;
	}
	*out = o;
	return SG_OK;
}

void output_close(struct output *o)
{
	if (o == NULL)
		return;
	if (o->fd >= 0)
		(void)close(o->fd);
	free(o);
}

enum sg_err output_cut(struct output *o, uint64_t size)
{
	return ftruncate(o->fd, (off_t)size) == 0 ? SG_OK : SG_IO;
}

static enum sg_err write_all(struct output *o, const uint8_t *p, size_t n)
{
	while (n > 0) {
		const ssize_t written = write(o->fd, p, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return SG_IO;
		o->dirty = true;
		p += written;
		n -= (size_t)written;
	}
	return SG_OK;
}

enum sg_err output_flush(struct output *o)
{
	const size_t n = o->n;

	o->n = 0;
	return write_all(o, o->buffer, n);
}

enum sg_err output_put(struct output *o, struct span line)
{
	enum sg_err err = SG_OK;

	if (line.n + 1 > sizeof(o->buffer) - o->n)
		err = output_flush(o);
	if (err == SG_OK && line.n + 1 > sizeof(o->buffer)) {
		err = write_all(o, line.p, line.n);
		line.n = 0;
	}
	if (err != SG_OK)
		return err;
	if (line.n > 0)
		memcpy(o->buffer + o->n, line.p, line.n);
	o->n += line.n;
	o->buffer[o->n++] = '\n';
	return SG_OK;
}

enum sg_err output_sync(struct output *o)
{
	const enum sg_err err = output_flush(o);

	if (err != SG_OK || !o->dirty)
		return err;
	if (fdatasync(o->fd) != 0)
		return SG_IO;
	o->dirty = false;
	return SG_OK;
}

/* A rename is on the disk once its directory is. */
static void sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	int fd;

	if (slash != NULL)
		(void)snprintf(dir, sizeof(dir), "%.*s",
			       (int)(slash - path) + 1, path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

enum sg_err output_replace(struct output *o, const char *path)
{
	const enum sg_err err = output_sync(o);

	if (err != SG_OK)
		return err;
	if (rename(o->path, path) != 0)
		return SG_IO;
	(void)snprintf(o->path, sizeof(o->path), "%s", path);
	sync_directory(path);
	return SG_OK;
}
