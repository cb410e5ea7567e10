/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FUZZ_FILES_H
#define SG_FUZZ_FILES_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/span.h"

/*
 * files: for targets whose reader reads files: an input is cut into chunks,
 * and each chunk is what a file holds.  The files lie in a directory of the
 * process, in memory where there is such a place.  One thread.
 */
enum { FILES_PATH = 256, FILES_HEAD = 2, FILES_OPEN = 8 };

static char files_dir[] = "/dev/shm/signerd-fuzz-XXXXXX";
static bool files_made;

static inline int files_remove_one(const char *path, const struct stat *st,
				   int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	return at->level == 0 && files_made ? 0 : remove(path);
}

/* Remove what is in the directory. */
static inline void files_empty(void)
{
	(void)nftw(files_dir, files_remove_one, FILES_OPEN,
		   FTW_DEPTH | FTW_PHYS);
}

static inline void files_end(void)
{
	files_made = false;
	files_empty();
}

/* Make the directory, if it is not there; what an input left in it goes. */
static inline void files_begin(void)
{
	if (files_made) {
		files_empty();
		return;
	}
	if (mkdtemp(files_dir) == NULL) {
		(void)snprintf(files_dir, sizeof(files_dir),
			       "/tmp/signerd-fuzz-XXXXXX");
		if (mkdtemp(files_dir) == NULL)
			abort();
	}
	files_made = true;
	(void)atexit(files_end);
}

/* The path of NAME in the directory. */
static inline const char *files_path(const char *name, char out[FILES_PATH])
{
	(void)snprintf(out, FILES_PATH, "%s/%s", files_dir, name);
	return out;
}

static inline void files_put(const char *name, struct span bytes)
{
	char path[FILES_PATH];
	const int fd = open(files_path(name, path),
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n)
		abort();
	(void)close(fd);
}

static inline void files_folder(const char *name)
{
	char path[FILES_PATH];

	if (mkdir(files_path(name, path), 0700) != 0)
		abort();
}

/* Take the next chunk of *IN: two bytes say how long it is, the lower one
 * first; one that is longer than what is left is what is left. */
static inline struct span files_chunk(struct span *in)
{
	struct span out = {0};
	size_t n;

	if (in->n < FILES_HEAD) {
		*in = out;
		return out;
	}
	n = (size_t)(in->p[0] | in->p[1] << 8);
	*in = span_of(in->p + FILES_HEAD, in->n - FILES_HEAD);
	out = span_of(in->p, n < in->n ? n : in->n);
	*in = span_of(in->p + out.n, in->n - out.n);
	return out;
}

#endif /* SG_FUZZ_FILES_H */
