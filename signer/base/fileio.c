/* SPDX-License-Identifier: Apache-2.0 */
#include "fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES_MIN = 4096 };

void fileio_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

void fileio_close(int fd)
{
	const int saved = errno;

	(void)close(fd);
	errno = saved;
}

ssize_t fileio_read_at(int fd, void *p, size_t n, uint64_t offset)
{
	size_t at = 0;

	while (at < n) {
		const ssize_t got = pread(fd, (uint8_t *)p + at, n - at,
					  (off_t)(offset + at));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		at += (size_t)got;
	}
	return (ssize_t)at;
}

/* Move the first N bytes of *BUF to a block of SIZE.  Not realloc(), which
 * could leave a copy of a secret behind. */
static enum sg_err grow(uint8_t **buf, size_t n, size_t size)
{
	uint8_t *p = malloc(size);

	if (p == NULL)
		return SG_NO_MEMORY;
	if (n > 0)
		memcpy(p, *buf, n);
	fileio_wipe(*buf, n);
	free(*buf);
	*buf = p;
	return SG_OK;
}

/* Bytes to ask for at first.  Only a hint: files of /proc say 0. */
static size_t size_hint(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size < READ_BYTES_MIN)
		return READ_BYTES_MIN;
	return (size_t)st.st_size + 1; /* one more, to meet the end */
}

enum sg_err fileio_read_fd(int fd, size_t max, uint8_t **out, size_t *len)
{
	const size_t limit = max < SIZE_MAX / 2 ? max : SIZE_MAX / 2;
	size_t want = size_hint(fd);
	uint8_t *buf = NULL;
	size_t n = 0;
	enum sg_err e;

	*out = NULL;
	*len = 0;
	for (;;) {
		ssize_t got;

		/* One byte more than allowed is asked for, to see excess. */
		if (want > limit)
			want = limit + 1;
		e = grow(&buf, n, want + 1); /* and the NUL */
		if (e != SG_OK)
			goto fail;
		got = fileio_read_at(fd, buf + n, want - n, n);
		e = SG_IO;
		if (got < 0)
			goto fail;
		n += (size_t)got;
		e = SG_TOO_BIG;
		if (n > limit)
			goto fail;
		if (n < want)
			break;
		want *= 2;
	}
	buf[n] = 0;
	*out = buf;
	*len = n;
	return SG_OK;
fail:
	fileio_wipe(buf, n);
	free(buf);
	return e;
}

enum sg_err fileio_read(const char *path, size_t max, uint8_t **out,
			size_t *len)
{
	/* O_NONBLOCK: a FIFO is refused by pread(), not waited for. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	enum sg_err e;

	*out = NULL;
	*len = 0;
	if (fd < 0)
		return SG_IO;
	e = fileio_read_fd(fd, max, out, len);
	fileio_close(fd);
	return e;
}

bool fileio_write(int fd, struct span data)
{
	size_t at = 0;

	while (at < data.n) {
		const ssize_t n = write(fd, data.p + at, data.n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

bool fileio_sync_directory(const char *path)
{
	char *copy = strdup(path);
	bool ok;
	int fd;

	if (copy == NULL)
		return false;
	fd = open(dirname(copy), /* NOLINT(concurrency-mt-unsafe): own copy */
		  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return false;
	ok = fsync(fd) == 0;
	fileio_close(fd);
	return ok;
}

enum sg_err fileio_replace(const char *path, struct span text, unsigned mode)
{
	char *temporary;
	int saved;
	int fd;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return SG_NO_MEMORY;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		goto fail_name;
	if (!fileio_write(fd, text) || fchmod(fd, (mode_t)mode) != 0 ||
	    fsync(fd) != 0)
		goto fail_file;
	if (rename(temporary, path) != 0)
		goto fail_file;
	(void)close(fd);
	free(temporary);
	return fileio_sync_directory(path) ? SG_OK : SG_IO;

fail_file:
	saved = errno;
	(void)close(fd);
	(void)unlink(temporary);
	errno = saved;
fail_name:
	free(temporary);
	return SG_IO;
}

int fileio_memfd(const char *name, struct span data)
{
	const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (!fileio_write(fd, data) ||
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
		    0) {
		fileio_close(fd);
		return -1;
	}
	return fd;
}
