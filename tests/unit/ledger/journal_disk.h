/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_JOURNAL_DISK_H
#define TEST_JOURNAL_DISK_H

/*
 * A disk that fails when it is told to, and that loses power: what was not
 * synced is then there in part, or followed by something else, or not at all.
 * Files lie in dir_path; a copy of what is synced of each is kept here.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/fileio.h"
#include "journal_dir.h"
#include "ledger/journal_files.h"

enum { DISK_FILES = 400, DISK_FILE_BYTES = 1 << 16 };

struct disk_file {
	ino_t inode;
	char name[SEGMENT_NAME_SIZE];
	bool linked; /* its name is synced */
	size_t n;
	uint8_t *synced;
};

struct disk {
	pthread_mutex_t lock;
	uint64_t seed;
	int broken;  /* errno of what changes something; 0: none */
	bool writes; /* but writes into a file go on */
	long left;   /* operations until the power fails; -1: it does not */
	bool off;
	bool cut_ok; /* what the last failure left was taken back */
	bool cutting;
	size_t n;
	struct disk_file file[DISK_FILES];
};

static struct disk disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .left = -1};

static inline uint64_t disk_random(uint64_t below)
{
	disk.seed = disk.seed * 6364136223846793005U + 1442695040888963407U;
	return below == 0 ? 0 : (disk.seed >> 33) % below;
}

static inline struct disk_file *disk_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return NULL;
	for (size_t i = 0; i < disk.n; i++)
		if (disk.file[i].inode == st.st_ino)
			return &disk.file[i];
	return NULL;
}

static inline size_t disk_read(const char *name, uint8_t *out)
{
	char path[64];
	int fd;
	int64_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", dir_path, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	n = fileio_read_at(fd, out, DISK_FILE_BYTES, 0);
	(void)close(fd);
	return n < 0 ? 0 : (size_t)n;
}

/* An operation begins.  False, with errno: it fails. */
static inline bool disk_begin(bool write)
{
	if (disk.left == 0)
		disk.off = true;
	if (disk.left > 0)
		disk.left--;
	if (disk.off) {
		errno = EIO;
		return false;
	}
	if (disk.broken == 0 || (disk.writes && write))
		return true;
	disk.cut_ok = false;
	errno = disk.broken;
	return false;
}

static inline void disk_lock(void)
{
	(void)pthread_mutex_lock(&disk.lock);
}

static inline void disk_unlock(void)
{
	const int saved = errno;

	(void)pthread_mutex_unlock(&disk.lock);
	errno = saved;
}

static inline int disk_open_at(void *ctx, int dir, const char *name, int flags)
{
	struct disk_file *f;
	struct stat st;
	int fd = -1;

	(void)ctx;
	disk_lock();
	if ((flags & O_CREAT) == 0 || disk_begin(false))
		fd = openat(dir, name, flags, 0600);
	if (fd >= 0 && disk_file(fd) == NULL && fstat(fd, &st) == 0 &&
	    disk.n < DISK_FILES) {
		f = &disk.file[disk.n++];
		*f = (struct disk_file){.inode = st.st_ino,
					.synced = malloc(DISK_FILE_BYTES)};
		(void)snprintf(f->name, sizeof(f->name), "%s", name);
	}
	disk_unlock();
	return fd;
}

/* A write that fails may have been done in part; one that does not may be
 * short. */
static inline ssize_t disk_write_at(void *ctx, int fd, const void *p, size_t n,
				    off_t at)
{
	bool ok;
	ssize_t done = -1;

	(void)ctx;
	disk_lock();
	ok = disk_begin(true);
	if (!ok && !disk.off && disk_random(2) == 0)
		done = pwrite(fd, p, (size_t)disk_random(n), at);
	if (ok && n > 1 && disk_random(4) == 0)
		n = 1 + (size_t)disk_random(n - 1);
	if (ok)
		done = pwrite(fd, p, n, at);
	else
		errno = disk.off ? EIO : disk.broken;
	disk_unlock();
	return ok ? done : -1;
}

static inline int disk_sync(void *ctx, int fd)
{
	static uint8_t now[DISK_FILE_BYTES];
	struct disk_file *f;
	bool ok;
	size_t n;

	(void)ctx;
	disk_lock();
	ok = disk_begin(false);
	f = disk_file(fd);
	if (ok && f == NULL) /* the directory */
		for (size_t i = 0; i < disk.n; i++)
			disk.file[i].linked = true;
	if (f != NULL && !disk.off && (ok || disk_random(2) == 0)) {
		n = disk_read(f->name, now);
		if (!ok && n > f->n) /* some of it */
			n = f->n + (size_t)disk_random(n - f->n + 1);
		if (ok || n >= f->n) {
			memcpy(f->synced, now, n);
			f->n = n;
		}
	}
	if (ok && f != NULL && disk.cutting)
		disk.cut_ok = true;
	disk.cutting = false;
	if (!ok)
		errno = disk.off ? EIO : disk.broken;
	disk_unlock();
	return ok ? 0 : -1;
}

static inline int disk_cut(void *ctx, int fd, off_t size)
{
	int err = -1;

	(void)ctx;
	disk_lock();
	if (disk_begin(false)) {
		err = ftruncate(fd, size);
		disk.cutting = true;
	}
	disk_unlock();
	return err;
}

static inline int disk_unlink_at(void *ctx, int dir, const char *name)
{
	int err = -1;

	(void)ctx;
	disk_lock();
	if (disk_begin(false)) {
		err = unlinkat(dir, name, 0);
		for (size_t i = 0; i < disk.n; i++)
			if (strcmp(disk.file[i].name, name) == 0)
				disk.file[i].inode = 0;
	}
	disk_unlock();
	return err;
}

/* Have operations fail with ERRNO_ (0: no more); with WRITES, writes go on and
 * only come to nothing. */
static inline void disk_break(int errno_, bool writes)
{
	disk_lock();
	disk.broken = errno_;
	disk.writes = writes;
	disk_unlock();
}

/* The power fails after N operations; at once for 0. */
static inline void disk_power_off(long n)
{
	disk_lock();
	disk.left = n;
	disk.off = disk.off || n == 0;
	disk_unlock();
}

static inline bool disk_is_off(void)
{
	bool off;

	disk_lock();
	off = disk.off;
	disk_unlock();
	return off;
}

static inline bool disk_cut_ok(void)
{
	bool ok;

	disk_lock();
	ok = disk.cut_ok;
	disk_unlock();
	return ok;
}

/* What a power failure leaves of F, of which NOW[0..N) was written. */
static inline size_t disk_remains(const struct disk_file *f, uint8_t *now,
				  size_t n)
{
	const size_t common = f->n < n ? f->n : n;
	const bool grown = memcmp(f->synced, now, common) == 0;
	size_t keep;

	if (!grown) { /* written over: the one or the other */
		if (disk_random(2) == 0)
			return n;
		memcpy(now, f->synced, f->n);
		return f->n;
	}
	if (n <= f->n) { /* cut, perhaps */
		memcpy(now, f->synced, f->n);
		return n + (size_t)disk_random(f->n - n + 1);
	}
	keep = f->n + (size_t)disk_random(n - f->n + 1);
	switch (disk_random(3)) {
	case 0: return keep;
	case 1: /* the size came, some bytes did not */
		memset(now + keep, 0, n - keep);
		return n;
	default:
		for (size_t i = keep; i < n; i++)
			now[i] = (uint8_t)disk_random(256);
		return n;
	}
}

/* The power is back.  Nobody has a file open. */
static inline void disk_power_on(void)
{
	static uint8_t now[DISK_FILE_BYTES];
	char path[64];

	for (size_t i = 0; i < disk.n; i++) {
		struct disk_file *f = &disk.file[i];
		size_t n;
		int fd;

		if (f->inode == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir_path, f->name);
		if (!f->linked && disk_random(2) == 0) {
			assert_int_equal(unlink(path), 0);
			f->inode = 0;
			continue;
		}
		n = disk_read(f->name, now);
		n = disk_remains(f, now, n);
		fd = open(path, O_WRONLY | O_TRUNC);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, now, n), n);
		(void)close(fd);
		memcpy(f->synced, now, n);
		f->n = n;
		f->linked = true;
	}
	disk.off = false;
	disk.left = -1;
	disk.broken = 0;
	disk.cutting = false;
	disk.cut_ok = false;
}

/* A new one, with nothing on it. */
static inline void disk_format(uint64_t seed)
{
	dir_empty();
	for (size_t i = 0; i < disk.n; i++)
		free(disk.file[i].synced);
	disk.n = 0;
	disk.off = false;
	disk.left = -1;
	disk.broken = 0;
	disk.cutting = false;
	disk.cut_ok = false;
	disk.seed = seed;
}

static const struct journal_io DISK_IO = {.open_at = disk_open_at,
					  .write_at = disk_write_at,
					  .sync_data = disk_sync,
					  .sync = disk_sync,
					  .cut = disk_cut,
					  .unlink_at = disk_unlink_at,
					  .retry_ms = 0,
					  .buffer_bytes_min = 512,
					  .buffer_bytes_max = 8192};

#endif /* TEST_JOURNAL_DISK_H */
