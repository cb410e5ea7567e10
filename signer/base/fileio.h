/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FILEIO_H
#define SG_FILEIO_H

#include <sys/types.h>

#include "err.h"
#include "span.h"

/*
 * Read the whole file PATH, at most MAX bytes, into a fresh buffer that ends
 * with a NUL beyond its length.
 * Owns: *OUT is the caller's; free() it (after fileio_wipe() if it is secret).
 * Errors: SG_IO (errno says why), SG_TOO_BIG, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err fileio_read(const char *path, size_t max, uint8_t **out,
				    size_t *len);
/* The same from an open descriptor, from its offset 0 (pread). */
SG_MUST_USE enum sg_err fileio_read_fd(int fd, size_t max, uint8_t **out,
				       size_t *len);
/* pread() N bytes from OFFSET on, or as many as there are; -1 with errno. */
ssize_t fileio_read_at(int fd, void *p, size_t n, uint64_t offset);
/* write() all of DATA; false with errno. */
bool fileio_write(int fd, struct span data);
/* As close(), but keeps the errno that says why the work failed. */
void fileio_close(int fd);
/* Write TEXT to PATH by a temporary file beside it, fsync and rename. */
SG_MUST_USE enum sg_err fileio_replace(const char *path, struct span text,
				       unsigned mode);
/* Make what was renamed or unlinked in the directory of PATH durable: it is
 * only once that is.  False with errno. */
bool fileio_sync_directory(const char *path);
/* A sealed memfd (no write, no resize) named NAME that holds DATA; -1 with
 * errno on failure.  Close-on-exec. */
int fileio_memfd(const char *name, struct span data);
/* Overwrite N bytes in a way that the compiler keeps. */
void fileio_wipe(void *p, size_t n);

#endif /* SG_FILEIO_H */
