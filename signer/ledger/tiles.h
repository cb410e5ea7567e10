/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TILES_H
#define SG_TILES_H

#include "tile.h"

/*
 * tiles: a log's directory: tile/..., checkpoint, vkey.  Blocking file I/O;
 * one thread at a time for each struct tiles, any number of them on one
 * directory, of which one may write.
 */
struct tiles; /* opaque */

/* Open DIR; CREATE: make it (mode 0755, so that any file server may serve it).
 * Owns: *OUT is the caller's; tiles_close().  Errors: SG_IO with errno,
 * SG_NO_MEMORY. */
SG_MUST_USE enum sg_err tiles_open(const char *dir, bool create,
				   struct tiles **out);
void tiles_close(struct tiles *t); /* NULL is allowed */

/*
 * Read tile T into BUF of CAP bytes.  Where it is partial and not there, a
 * wider one or the full one serves; what is beyond T->width is cut off.
 * Errors: SG_NOT_FOUND; SG_MALFORMED (too short, a bundle that does not add
 * up); SG_TOO_BIG; SG_IO.
 */
SG_MUST_USE enum sg_err tiles_read(struct tiles *t, const struct tile *tile,
				   uint8_t *buf, size_t cap, size_t *len);
/* Read from the disk, from here on: what a write that failed has left in memory
 * is not there. */
void tiles_doubt(struct tiles *t);
/* Write a tile: a temporary file beside it, renamed.  Not synced: tiles_sync()
 * does that for all.  One that is there already is replaced.  Errors: SG_IO. */
SG_MUST_USE enum sg_err tiles_write(struct tiles *t, const struct tile *tile,
				    struct span data);
/* Remove the partial tiles of the full TILE.  Best effort. */
void tiles_drop_partial(struct tiles *t, const struct tile *tile);
/* All that was written is on the disk: syncfs(2).  Errors: SG_IO. */
SG_MUST_USE enum sg_err tiles_sync(struct tiles *t);

/* Read the small file NAME ("checkpoint", "vkey").  Errors: SG_NOT_FOUND,
 * SG_TOO_BIG, SG_IO. */
SG_MUST_USE enum sg_err tiles_read_file(struct tiles *t, const char *name,
					uint8_t *buf, size_t cap, size_t *len);
/* When it was last written, in seconds since 1970.  Errors: SG_NOT_FOUND,
 * SG_IO. */
SG_MUST_USE enum sg_err tiles_file_time(const struct tiles *t, const char *name,
					int64_t *time_s);
/* Replace it by a synced temporary file and rename.  Errors: SG_IO. */
SG_MUST_USE enum sg_err tiles_write_file(struct tiles *t, const char *name,
					 struct span text);

/*
 * The hashes of the first SIZE leaves, as a source for proofs; the last tiles
 * read are kept.  It lives in T, until the next call of this, which forgets
 * them: make one for a checkpoint, not for each of its proofs.
 * Errors of its get(): those of tiles_read().
 */
struct merkle_source tiles_source(struct tiles *t, struct merkle *m,
				  uint64_t size);

#endif /* SG_TILES_H */
