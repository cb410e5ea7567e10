/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powercut: what a disk would still hold if the power failed now.  Linked into
 * signerd_powercut, whose calls of fdatasync(), fsync() and syncfs() come here
 * (-Wl,--wrap): each is done, and then what it made safe below .../state/ is
 * copied to .../synced/, where that directory exists.  A test kills the daemon,
 * and goes on with the copy: whatever was promised on the strength of a write
 * that was never synced is gone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_syncfs(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_syncfs(int fd);

enum { COPY_BYTES = 65536, SMALL_BYTES = 65536 };

static const char FROM[] = "/state/";
static const char TO[] = "/synced/";

static void broken(const char *what, const char *path)
{
	(void)fprintf(stderr, "powercut: %s %s: errno %d\n", what, path, errno);
	abort();
}

/* Where the copy of PATH is; false: it is none of ours, or nobody wants one. */
static int twin(const char *path, char out[PATH_MAX])
{
	const char *at = strstr(path, FROM);
	char root[PATH_MAX];

	if (at == NULL)
		return 0;
	(void)snprintf(root, sizeof(root), "%.*s%s", (int)(at - path), path,
		       TO);
	if (access(root, F_OK) != 0)
		return 0;
	return snprintf(out, PATH_MAX, "%s%s", root, at + strlen(FROM)) <
	       PATH_MAX;
}

static void make_parents(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			broken("mkdir", path);
		*p = '/';
	}
}

/* Was A written after B? */
static int is_newer(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec > b->st_mtim.tv_sec ||
	       (a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec > b->st_mtim.tv_nsec);
}

/* Copy the file at PATH; of one that only grows, what is new (APPENDED). */
static void copy_file(const char *path, int appended)
{
	char to[PATH_MAX];
	char buf[COPY_BYTES];
	struct stat s, t;
	off_t at = 0;
	ssize_t n;
	int in, out;

	if (!twin(path, to))
		return;
	make_parents(to);
	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return; /* it has gone meanwhile */
	out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (out < 0 || fstat(in, &s) != 0 || fstat(out, &t) != 0)
		broken("open", to);
	if (appended && t.st_size <= s.st_size)
		at = t.st_size;
	else if (t.st_size == s.st_size && is_newer(&t, &s))
		at = s.st_size; /* copied before */
	while (at < s.st_size) {
		n = pread(in, buf, sizeof(buf), at);
		if (n <= 0)
			break;
		if (pwrite(out, buf, (size_t)n, at) != n)
			broken("pwrite", to);
		at += n;
	}
	if (ftruncate(out, at) != 0)
		broken("ftruncate", to);
	(void)close(out);
	(void)close(in);
}

/* Remove what is at TO and no longer at FROM. */
static void drop_gone(const char *from, const char *to)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d = opendir(to);

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", from, e->d_name);
		if (access(path, F_OK) == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", to, e->d_name);
		(void)remove(path);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* The names in the directory PATH are safe, with small files whole; of large
 * ones only what their own sync made so.  ALL: and all below it. */
static void copy_names(const char *path, int all)
{
	char child[PATH_MAX];
	char to[PATH_MAX];
	struct dirent *e;
	struct stat s;
	DIR *d;

	if (!twin(path, to))
		return;
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		(void)snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
		if (lstat(child, &s) != 0)
			continue;
		if (S_ISDIR(s.st_mode) && all)
			copy_names(child, all);
		else if (S_ISREG(s.st_mode) &&
			 (all || s.st_size <= SMALL_BYTES))
			copy_file(child, 0);
	}
	if (d != NULL)
		(void)closedir(d);
	drop_gone(path, to);
}

static int path_of(int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	if (n <= 0)
		return 0;
	out[n] = '\0';
	return 1;
}

static void made_safe(int fd, int all)
{
	const int kept = errno;
	char path[PATH_MAX];
	struct stat s;

	if (path_of(fd, path) && fstat(fd, &s) == 0) {
		if (S_ISDIR(s.st_mode))
			copy_names(path, all);
		else
			copy_file(path, 1);
	}
	errno = kept;
}

int __wrap_fdatasync(int fd)
{
	const int result = __real_fdatasync(fd);

	if (result == 0)
		made_safe(fd, 0);
	return result;
}

int __wrap_fsync(int fd)
{
	const int result = __real_fsync(fd);

	if (result == 0)
		made_safe(fd, 0);
	return result;
}

int __wrap_syncfs(int fd)
{
	const int result = __real_syncfs(fd);

	if (result == 0)
		made_safe(fd, 1);
	return result;
}
