/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_MERKLE_H
#define SG_MERKLE_H

#include "base/err.h"
#include "base/span.h"

/*
 * merkle: the tree of RFC 6962 section 2 over SHA-256: hashes, roots, and
 * proofs that an entry is in a tree, and that one tree begins with another.
 * Pure; no allocation but in merkle_create().
 */
enum {
	MERKLE_HASH_BYTES = 32,
	MERKLE_PROOF_MAX = 64, /* hashes of one proof */
	MERKLE_LEVELS = 64
};

struct merkle_hash {
	uint8_t b[MERKLE_HASH_BYTES];
};

/* Hashes by one prepared SHA-256; one thread at a time. */
struct merkle; /* opaque */

/* Owns: *OUT is the caller's; merkle_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err merkle_create(struct merkle **out);
void merkle_free(struct merkle *m); /* NULL is allowed */

/* SHA-256(0x00 || ENTRY).  Errors, here and below: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err merkle_leaf(struct merkle *m, struct span entry,
				    struct merkle_hash *out);
/* SHA-256(0x01 || LEFT || RIGHT).  OUT may be one of them. */
SG_MUST_USE enum sg_err merkle_node(struct merkle *m,
				    const struct merkle_hash *left,
				    const struct merkle_hash *right,
				    struct merkle_hash *out);
/* The root of the empty tree: SHA-256 of nothing. */
void merkle_empty_root(struct merkle_hash *out);

/* --- a tree that grows ---------------------------------------------------- */

/* What must be kept of a tree to go on: its full subtrees, one for each bit of
 * SIZE.  All zeroes: the empty tree. */
struct merkle_frontier {
	uint64_t size;				/* leaves */
	struct merkle_hash node[MERKLE_LEVELS]; /* by level; bit set in size */
};

/* Add LEAF.  FULL (may be NULL) is called with each subtree that it
 * completes, from level 0, the leaf itself, upwards: INDEX is its place among
 * those of its LEVEL (2^LEVEL leaves). */
SG_MUST_USE enum sg_err merkle_add(struct merkle *m, struct merkle_frontier *f,
				   const struct merkle_hash *leaf,
				   void (*full)(void *ctx, unsigned level,
						uint64_t index,
						const struct merkle_hash *hash),
				   void *ctx);
SG_MUST_USE enum sg_err merkle_frontier_root(struct merkle *m,
					     const struct merkle_frontier *f,
					     struct merkle_hash *out);

/* --- a tree that is kept elsewhere ---------------------------------------- */

/* Where the hashes of full subtrees come from. */
struct merkle_source {
	/* The hash of the full subtree INDEX of LEVEL (2^LEVEL leaves, the
	 * first of them INDEX << LEVEL).  Any error ends what asked for it. */
	enum sg_err (*get)(void *ctx, unsigned level, uint64_t index,
			   struct merkle_hash *out);
	void *ctx;
};

struct merkle_proof {
	size_t n;
	struct merkle_hash hash[MERKLE_PROOF_MAX];
};

/* The frontier, or the root, of the first SIZE leaves of SRC.  Errors: those
 * of SRC. */
SG_MUST_USE enum sg_err merkle_frontier_of(const struct merkle_source *src,
					   uint64_t size,
					   struct merkle_frontier *out);
SG_MUST_USE enum sg_err merkle_root_of(struct merkle *m,
				       const struct merkle_source *src,
				       uint64_t size, struct merkle_hash *out);
/* That leaf INDEX is in the tree of SIZE: RFC 6962 s. 2.1.1.  Errors: those of
 * SRC; SG_NOT_FOUND (INDEX >= SIZE). */
SG_MUST_USE enum sg_err merkle_prove(struct merkle *m,
				     const struct merkle_source *src,
				     uint64_t size, uint64_t index,
				     struct merkle_proof *out);
/* That the tree of NEW begins with that of OLD: s. 2.1.2; empty where OLD is 0
 * or NEW.  Errors: those of SRC; SG_NOT_FOUND (OLD > NEW). */
SG_MUST_USE enum sg_err merkle_prove_consistency(
	struct merkle *m, const struct merkle_source *src, uint64_t old,
	uint64_t new, struct merkle_proof *out);

/* --- verifying ------------------------------------------------------------ */

/* Does P lead from LEAF at INDEX to ROOT of SIZE leaves?
 * Errors: SG_BAD_SIGNATURE: it does not (RFC 9162 s. 2.1.3.2). */
SG_MUST_USE enum sg_err merkle_check(struct merkle *m,
				     const struct merkle_proof *p,
				     uint64_t size, uint64_t index,
				     const struct merkle_hash *leaf,
				     const struct merkle_hash *root);
/* Does P show that the tree NEW with NEW_ROOT begins with OLD with OLD_ROOT?
 * Errors: SG_BAD_SIGNATURE: it does not (RFC 9162 s. 2.1.4.2); for OLD 0 only
 * the empty root and an empty proof do. */
SG_MUST_USE enum sg_err merkle_check_consistency(
	struct merkle *m, const struct merkle_proof *p, uint64_t old,
	const struct merkle_hash *old_root, uint64_t new,
	const struct merkle_hash *new_root);
/* The root of the first OLD leaves of SRC, which must lead to NEW_ROOT of NEW:
 * files alone prove nothing.  Errors: those of SRC; SG_NOT_FOUND (OLD > NEW);
 * SG_MALFORMED: they do not. */
SG_MUST_USE enum sg_err merkle_prefix(struct merkle *m,
				      const struct merkle_source *src,
				      uint64_t old, struct merkle_hash *root,
				      uint64_t new,
				      const struct merkle_hash *new_root);

#endif /* SG_MERKLE_H */
