/* SPDX-License-Identifier: Apache-2.0 */
#include "tiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"

enum {
	FILE_MODE = 0644, /* for any file server to read */
	DIR_MODE = 0755,
	PATH_SIZE = TILE_PATH_MAX + 32, /* with what is put behind it */
	KEPT_TILES = 16 /* of one proof: two a level, the path and the edge */
};

/* A hash tile that was read for a source. */
struct kept {
	bool there;
	int level;
	uint64_t n;
	uint64_t used; /* when last, by the source's clock */
	size_t len;
	uint8_t data[TILE_BYTES_MAX];
};

struct tiles {
	int fd; /* of the directory */
	bool doubted;
	struct merkle *m;
	uint64_t size;
	uint64_t clock;
	struct kept kept[KEPT_TILES];
};

enum sg_err tiles_open(const char *dir, bool create, struct tiles **out)
{
	struct tiles *t;

	/* The mode is set apart from the making: a umask would narrow it. */
	if (create && mkdir(dir, DIR_MODE) == 0) {
		if (chmod(dir, DIR_MODE) != 0)
			return SG_IO;
	} else if (create && errno != EEXIST) {
		return SG_IO;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return SG_NO_MEMORY;
	t->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->fd < 0) {
		free(t);
		return SG_IO;
	}
	*out = t;
	return SG_OK;
}

void tiles_close(struct tiles *t)
{
	if (t == NULL)
		return;
	(void)close(t->fd);
	free(t);
}

/* --- reading -------------------------------------------------------------- */

/* A file that is being read. */
struct source_file {
	int fd;
	size_t size;
	unsigned width; /* of a tile */
};

/* Open the regular file PATH; neither a link nor a FIFO takes us elsewhere or
 * makes us wait. */
static enum sg_err open_file(const struct tiles *t, const char *path,
			     struct source_file *f)
{
	struct stat st;

	f->fd = openat(t->fd, path,
		       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
			       O_NOCTTY);
	if (f->fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? SG_NOT_FOUND
							   : SG_IO;
	if (fstat(f->fd, &st) == 0) {
		if (S_ISREG(st.st_mode)) {
			if (t->doubted)
				(void)posix_fadvise(f->fd, 0, 0,
						    POSIX_FADV_DONTNEED);
			f->size = (size_t)st.st_size;
			return SG_OK;
		}
		errno = EINVAL;
	}
	fileio_close(f->fd);
	return SG_IO;
}

/* Read N bytes.  SG_MALFORMED: there are fewer, whatever was said before. */
static enum sg_err read_exactly(int fd, uint8_t *buf, size_t n)
{
	const ssize_t got = fileio_read_at(fd, buf, n, 0);

	if (got < 0)
		return SG_IO;
	return (size_t)got == n ? SG_OK : SG_MALFORMED;
}

/* Does the file name NAME in a .p directory say a width?  0: no. */
static unsigned width_of(const char *name)
{
	unsigned w = 0;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	for (const char *p = name; *p != 0; p++) {
		if (*p < '0' || *p > '9')
			return 0;
		w = w * 10 + (unsigned)(*p - '0');
		if (w >= TILE_WIDTH)
			return 0;
	}
	return w;
}

/* The directory of the partial tiles of TILE's place; NULL: none. */
static DIR *partial_dir(const struct tiles *t, const struct tile *tile,
			char path[PATH_SIZE])
{
	const struct tile full = {tile->level, tile->n, TILE_WIDTH};
	char name[TILE_PATH_MAX];
	DIR *dir;
	int fd;

	tile_path(&full, name);
	(void)snprintf(path, PATH_SIZE, "%s.p", name);
	fd = openat(t->fd, path,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (dir == NULL)
		fileio_close(fd);
	return dir;
}

/* Of the partial tiles that are there, the next wider one; else the full. */
static unsigned next_wider(const struct tiles *t, const struct tile *tile)
{
	unsigned best = TILE_WIDTH;
	const struct dirent *entry;
	char path[PATH_SIZE];
	DIR *dir = partial_dir(t, tile, path);

	if (dir == NULL)
		return best;
	while ((entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-*) */
		const unsigned w = width_of(entry->d_name);

		if (w > tile->width && w < best)
			best = w;
	}
	(void)closedir(dir);
	return best;
}

/* Open the file that serves TILE. */
static enum sg_err open_tile(const struct tiles *t, const struct tile *tile,
			     struct source_file *f)
{
	struct tile other = *tile;
	char path[TILE_PATH_MAX];
	enum sg_err err;

	tile_path(&other, path);
	err = open_file(t, path, f);
	if (err == SG_NOT_FOUND && other.width < TILE_WIDTH) {
		other.width = next_wider(t, tile);
		tile_path(&other, path);
		err = open_file(t, path, f);
	}
	/* It may have been dropped just now: the full one is there first. */
	if (err == SG_NOT_FOUND && other.width < TILE_WIDTH) {
		other.width = TILE_WIDTH;
		tile_path(&other, path);
		err = open_file(t, path, f);
	}
	f->width = other.width;
	return err;
}

static enum sg_err read_hashes(const struct source_file *f, unsigned want,
			       uint8_t *buf, size_t cap, size_t *len)
{
	const size_t n = (size_t)want * MERKLE_HASH_BYTES;
	enum sg_err err;

	if (f->size != (size_t)f->width * MERKLE_HASH_BYTES)
		return SG_MALFORMED;
	if (n > cap)
		return SG_TOO_BIG;
	err = read_exactly(f->fd, buf, n);
	if (err == SG_OK)
		*len = n;
	return err;
}

/* A bundle must add up to its end, also where less of it is wanted. */
static enum sg_err read_bundle(const struct source_file *f, unsigned want,
			       uint8_t *buf, size_t cap, size_t *len)
{
	struct span rest = span_of(buf, f->size);
	struct span entry;
	size_t n = 0;
	enum sg_err err;

	if (f->size > cap || f->size > TILE_BUNDLE_MAX)
		return SG_TOO_BIG;
	err = read_exactly(f->fd, buf, f->size);
	for (unsigned i = 0; i < f->width && err == SG_OK; i++) {
		err = tile_next_entry(&rest, &entry);
		if (i + 1 == want)
			n = f->size - rest.n;
	}
	if (err == SG_NOT_FOUND || (err == SG_OK && rest.n > 0))
		return SG_MALFORMED;
	if (err == SG_OK)
		*len = n;
	return err;
}

enum sg_err tiles_read(struct tiles *t, const struct tile *tile, uint8_t *buf,
		       size_t cap, size_t *len)
{
	struct source_file f;
	enum sg_err err;

	*len = 0;
	if (tile->width == 0 || tile->width > TILE_WIDTH)
		return SG_NOT_FOUND;
	err = open_tile(t, tile, &f);
	if (err != SG_OK)
		return err;
	if (tile->level == TILE_ENTRIES)
		err = read_bundle(&f, tile->width, buf, cap, len);
	else
		err = read_hashes(&f, tile->width, buf, cap, len);
	fileio_close(f.fd);
	return err;
}

enum sg_err tiles_read_file(struct tiles *t, const char *name, uint8_t *buf,
			    size_t cap, size_t *len)
{
	struct source_file f;
	enum sg_err err;

	*len = 0;
	err = open_file(t, name, &f);
	if (err != SG_OK)
		return err;
	err = f.size > cap ? SG_TOO_BIG : read_exactly(f.fd, buf, f.size);
	if (err == SG_OK)
		*len = f.size;
	fileio_close(f.fd);
	return err;
}

enum sg_err tiles_file_time(const struct tiles *t, const char *name,
			    int64_t *time_s)
{
	struct stat st;

	if (fstatat(t->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? SG_NOT_FOUND : SG_IO;
	*time_s = (int64_t)st.st_mtim.tv_sec;
	return SG_OK;
}

void tiles_doubt(struct tiles *t)
{
	t->doubted = true;
}

/* --- writing -------------------------------------------------------------- */

/* Make the directories above PATH. */
static bool make_dirs(const struct tiles *t, const char *path)
{
	char dir[PATH_SIZE];

	for (const char *p = strchr(path, '/'); p != NULL;
	     p = strchr(p + 1, '/')) {
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
		if (mkdirat(t->fd, dir, DIR_MODE) == 0) {
			if (fchmodat(t->fd, dir, DIR_MODE, 0) != 0)
				return false;
		} else if (errno != EEXIST) {
			return false;
		}
	}
	return true;
}

/* Replace PATH: a reader sees the old file or the new one, whole. */
static enum sg_err replace(const struct tiles *t, const char *path,
			   struct span data, bool sync)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	char temporary[PATH_SIZE];
	int saved;
	bool ok;
	int fd;

	/* One writes, so that one name will do; a rest of it is written over.
	 */
	(void)snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	fd = openat(t->fd, temporary, flags, FILE_MODE);
	if (fd < 0 && errno == ENOENT && make_dirs(t, path))
		fd = openat(t->fd, temporary, flags, FILE_MODE);
	if (fd < 0)
		return SG_IO;
	ok = fileio_write(fd, data) && fchmod(fd, FILE_MODE) == 0 &&
	     (!sync || fsync(fd) == 0);
	saved = errno;
	if (close(fd) != 0 && ok) {
		saved = errno;
		ok = false;
	}
	if (ok && renameat(t->fd, temporary, t->fd, path) == 0)
		return SG_OK;
	if (ok)
		saved = errno;
	(void)unlinkat(t->fd, temporary, 0);
	errno = saved;
	return SG_IO;
}

enum sg_err tiles_write(struct tiles *t, const struct tile *tile,
			struct span data)
{
	char path[TILE_PATH_MAX];

	tile_path(tile, path);
	return replace(t, path, data, false);
}

enum sg_err tiles_write_file(struct tiles *t, const char *name,
			     struct span text)
{
	const enum sg_err err = replace(t, name, text, true);

	if (err != SG_OK)
		return err;
	/* A rename is only durable once its directory is. */
	return fsync(t->fd) == 0 ? SG_OK : SG_IO;
}

void tiles_drop_partial(struct tiles *t, const struct tile *tile)
{
	const struct dirent *entry;
	char path[PATH_SIZE];
	DIR *dir = partial_dir(t, tile, path);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) /* NOLINT(concurrency-*) */
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
	(void)unlinkat(t->fd, path, AT_REMOVEDIR);
}

enum sg_err tiles_sync(struct tiles *t)
{
	return syncfs(t->fd) == 0 ? SG_OK : SG_IO;
}

/* --- a source for proofs -------------------------------------------------- */

/* The kept tile that has what NEED says; read where there is none. */
static enum sg_err keep(struct tiles *t, const struct tile *need,
			struct kept **out)
{
	const struct tile tile = {need->level, need->n,
				  tile_width(need->level, need->n, t->size)};
	struct kept *oldest = &t->kept[0];
	enum sg_err err;

	if (need->width > tile.width)
		return SG_NOT_FOUND;
	t->clock++;
	for (struct kept *k = t->kept; k < t->kept + KEPT_TILES; k++) {
		if (k->there && k->level == tile.level && k->n == tile.n) {
			k->used = t->clock;
			*out = k;
			return SG_OK;
		}
		if (k->used < oldest->used)
			oldest = k;
	}
	err = tiles_read(t, &tile, oldest->data, sizeof(oldest->data),
			 &oldest->len);
	oldest->there = err == SG_OK;
	oldest->level = tile.level;
	oldest->n = tile.n;
	oldest->used = t->clock;
	*out = oldest;
	return err;
}

static enum sg_err source_get(void *ctx, unsigned level, uint64_t index,
			      struct merkle_hash *out)
{
	struct tiles *t = ctx;
	struct tile need;
	struct kept *k;
	unsigned first;
	unsigned count;
	enum sg_err err;

	tile_of(level, index, &need, &first, &count);
	err = keep(t, &need, &k);
	if (err != SG_OK)
		return err;
	return tile_hash(t->m, span_of(k->data, k->len), first, count, out);
}

struct merkle_source tiles_source(struct tiles *t, struct merkle *m,
				  uint64_t size)
{
	t->m = m;
	t->size = size;
	/* What was repaired or made anew meanwhile must be seen. */
	for (size_t i = 0; i < KEPT_TILES; i++)
		t->kept[i].there = false;
	return (struct merkle_source){.get = source_get, .ctx = t};
}
