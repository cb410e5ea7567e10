/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_TOWER_H
#define SG_TOOLS_TOWER_H

#include <stdbool.h>

#include "ledger/tile.h"

/*
 * tower: the hash tiles above a log's leaves, made anew from below: of each
 * level the one tile that is not full yet.  Beside each hash stands what the
 * log's own tile below it comes to, so that of two tiles that disagree the odd
 * one can be told.
 */
struct tower_hash {
	bool has_own;		 /* else nobody knows it: entries are missing */
	bool has_file;		 /* FILE is set */
	struct merkle_hash own;	 /* from the entries */
	struct merkle_hash file; /* the root over the log's tile below */
};

/* Tile N of a level: WIDTH hashes so far. */
struct tower_tile {
	uint64_t n;
	unsigned width;
	struct tower_hash hash[TILE_WIDTH];
};

struct tower {
	struct merkle *m;
	/* Called with each tile T of level 1 and up that fills; *ABOVE has what
	 * the tree goes on with, and gets its `file` here. */
	enum sg_err (*full)(void *ctx, const struct tile *t,
			    const struct tower_tile *data,
			    struct tower_hash *above);
	void *ctx;
	struct tower_tile level[TILE_LEVELS]; /* all zeroes: no leaves */
};

/* Add the hash of the next subtree of tile level LEVEL (0: a leaf).  Errors:
 * those of full(); SG_INTERNAL. */
SG_MUST_USE enum sg_err tower_add(struct tower *t, unsigned level,
				  const struct tower_hash *hash);
/* Its leaves. */
uint64_t tower_size(const struct tower *t);
/* The root over all.  Errors: SG_NOT_FOUND (a hash is not known). */
SG_MUST_USE enum sg_err tower_root(const struct tower *t,
				   struct merkle_hash *out);
/* The own hashes of T as a tile's bytes; false: one is not known. */
bool tower_bytes(const struct tower_tile *t, uint8_t out[TILE_BYTES_MAX]);

#endif /* SG_TOOLS_TOWER_H */
