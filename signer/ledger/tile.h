/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TILE_H
#define SG_TILE_H

#include "merkle.h"

/*
 * tile: the files that a log is cut into (C2SP tlog-tiles): hash tiles of 256
 * hashes, eight levels of the tree each, and bundles of 256 entries.  Pure.
 */
enum {
	TILE_HEIGHT = 8,
	TILE_WIDTH = 256,
	TILE_BYTES_MAX = TILE_WIDTH * MERKLE_HASH_BYTES,
	TILE_PATH_MAX = 64,
	TILE_LEVELS = 8,   /* of tiles: 64 levels of the tree */
	TILE_ENTRIES = -1, /* the "level" of bundles */
	TILE_ENTRY_MAX = 65535,
	TILE_BUNDLE_MAX = TILE_WIDTH * (2 + TILE_ENTRY_MAX)
};

struct tile {
	int level;	/* 0..7; or TILE_ENTRIES */
	uint64_t n;	/* its place in the level */
	unsigned width; /* 1..256 hashes or entries; 256: it is full */
};

/* Its path in a log's directory, "tile/0/x001/067.p/7", "tile/entries/000";
 * always fits. */
void tile_path(const struct tile *t, char out[TILE_PATH_MAX]);
/* The tile that PATH names, with or without "tile/" before it.  SG_MALFORMED:
 * it is not just as tile_path() writes it. */
SG_MUST_USE enum sg_err tile_parse(struct span path, struct tile *out);
/* Entries or hashes of LEVEL's tile N in a log of SIZE leaves; 0: none. */
unsigned tile_width(int level, uint64_t n, uint64_t size);

/*
 * The hash of the full subtree INDEX of tree level LEVEL (merkle.h) from the
 * hash tile that covers it.  *T gets that tile (its width is what must at least
 * be there).  In its bytes, the subtree covers *COUNT hashes from *FIRST: where
 * *COUNT is above 1 their own tree has to be made (tile_hash()).
 */
void tile_of(unsigned level, uint64_t index, struct tile *t, unsigned *first,
	     unsigned *count);
/* The root over the COUNT hashes, a power of two, from FIRST on in DATA. */
SG_MUST_USE enum sg_err tile_hash(struct merkle *m, struct span data,
				  unsigned first, unsigned count,
				  struct merkle_hash *out);

/* Take the next entry of a bundle (its length, 16 bits big-endian, and then
 * its bytes) from *REST.  SG_NOT_FOUND at the end; SG_MALFORMED. */
SG_MUST_USE enum sg_err tile_next_entry(struct span *rest, struct span *entry);
/* Append ENTRY to the bundle of *LEN bytes in OUT.  SG_TOO_BIG. */
SG_MUST_USE enum sg_err tile_put_entry(uint8_t *out, size_t cap, size_t *len,
				       struct span entry);

#endif /* SG_TILE_H */
