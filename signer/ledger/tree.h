/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TREE_H
#define SG_TREE_H

#include "tiles.h"

/*
 * tree: a log that is being written: its frontier in memory, its tiles on the
 * disk.  Full tiles are written as they fill, partial ones by tree_flush().
 * One thread; blocking file I/O.
 */
struct tree; /* opaque */

/*
 * Go on with the log in T at SIZE leaves, whose root must be ROOT (not looked
 * at for 0).  T outlives it.
 * Owns: *OUT is the caller's; tree_close().
 * Errors: SG_MALFORMED (the tiles do not have that root, or are damaged),
 * SG_NOT_FOUND (a tile is missing), SG_IO, SG_NO_MEMORY.  After the first two
 * the tiles can be made again from leaf 0.
 */
SG_MUST_USE enum sg_err tree_open(struct tiles *t, uint64_t size,
				  const struct merkle_hash *root,
				  struct tree **out);
/* Add ENTRY as the next leaf.  Errors: SG_TOO_BIG; SG_IO: it was not added,
 * and may be added again when the cause is gone. */
SG_MUST_USE enum sg_err tree_add(struct tree *t, struct span entry);
uint64_t tree_size(const struct tree *t);
/* The root of all that was added. */
SG_MUST_USE enum sg_err tree_root(struct tree *t, struct merkle_hash *out);
/* The root of the first SIZE leaves, at most tree_size() at the last
 * tree_flush() (or tree_open()), read from the tiles and proved to be one of
 * this tree's.  Errors: those of tiles_read() (SG_MALFORMED also where that
 * proof fails), SG_NOT_FOUND. */
SG_MUST_USE enum sg_err tree_root_at(struct tree *t, uint64_t size,
				     struct merkle_hash *out);
/* Write the partial tiles, and sync all.  From then on a checkpoint of
 * tree_size() may be published.  Errors: SG_IO; may be called again, which
 * writes anew what a sync that failed may have lost. */
SG_MUST_USE enum sg_err tree_flush(struct tree *t);
void tree_close(struct tree *t); /* NULL is allowed; does not flush */

#endif /* SG_TREE_H */
