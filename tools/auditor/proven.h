/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_PROVEN_H
#define SG_TOOLS_PROVEN_H

#include "ledger/tile.h"

/*
 * proven: bundles of entries that are shown to belong to a root, a part of the
 * log at a time: each bundle's leaf hashes give the hash of its subtree, which
 * must stand in the tile above, whose own hash must stand in the one above
 * that, up to the subtrees that the root is made of.  So what is used of a log
 * is as good as its signed root, and nothing else has to be read.  Hash tiles
 * of level 0 are not needed for it but at the log's end.
 */
struct proven; /* opaque */

/* Where tiles come from; as source_tile(). */
struct proven_from {
	enum sg_err (*tile)(void *ctx, const struct tile *t, uint8_t *buf,
			    size_t cap, size_t *len);
	void *ctx;
};

/*
 * Open the log of SIZE leaves with ROOT.
 * Owns: *OUT is the caller's; proven_close().
 * Errors: SG_BAD_SIGNATURE (its tiles do not lead to ROOT), SG_NO_MEMORY, and
 * those of FROM.
 */
SG_MUST_USE enum sg_err proven_open(const struct proven_from *from,
				    uint64_t size,
				    const struct merkle_hash *root,
				    struct proven **out);
void proven_close(struct proven *p); /* NULL is allowed */

/* Entries N * 256 and following, for tile_next_entry(); *OUT lives until the
 * next call.  Errors: as above, SG_NOT_FOUND (beyond the log), SG_MALFORMED. */
SG_MUST_USE enum sg_err proven_bundle(struct proven *p, uint64_t n,
				      struct span *out);
/* The leaf hash of entry I of the last bundle. */
const struct merkle_hash *proven_leaf(const struct proven *p, unsigned i);

/* What was looked at when the last call failed: its tile. */
const struct tile *proven_where(const struct proven *p);

#endif /* SG_TOOLS_PROVEN_H */
