/* SPDX-License-Identifier: Apache-2.0 */
#include "merkle.h"

#include <stdlib.h>

#include "base/digest.h"

/* RFC 6962 s. 2.1: what parts leaves from nodes. */
enum { LEAF_PREFIX = 0x00, NODE_PREFIX = 0x01 };

/* Sizes beyond are no sizes of a log; a proof of up to here always fits. */
static const uint64_t SIZE_LIMIT = UINT64_C(1) << 63;

struct merkle {
	struct digest *digest;
};

_Static_assert((int)MERKLE_HASH_BYTES == (int)DIGEST_BYTES, "SHA-256");

enum sg_err merkle_create(struct merkle **out)
{
	struct merkle *m = calloc(1, sizeof(*m));
	enum sg_err err;

	if (m == NULL)
		return SG_NO_MEMORY;
	err = digest_create(&m->digest);
	if (err != SG_OK) {
		free(m);
		return err;
	}
	*out = m;
	return SG_OK;
}

void merkle_free(struct merkle *m)
{
	if (m == NULL)
		return;
	digest_free(m->digest);
	free(m);
}

enum sg_err merkle_leaf(struct merkle *m, struct span entry,
			struct merkle_hash *out)
{
	static const uint8_t prefix = LEAF_PREFIX;

	return digest_sum(m->digest, span_of(&prefix, 1), entry, out->b);
}

enum sg_err merkle_node(struct merkle *m, const struct merkle_hash *left,
			const struct merkle_hash *right,
			struct merkle_hash *out)
{
	uint8_t buf[1 + MERKLE_HASH_BYTES];

	buf[0] = NODE_PREFIX;
	memcpy(buf + 1, left->b, sizeof(left->b));
	return digest_sum(m->digest, span_of(buf, sizeof(buf)),
			  span_of(right->b, sizeof(right->b)), out->b);
}

void merkle_empty_root(struct merkle_hash *out)
{
	static const struct merkle_hash empty = {
		{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
		 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
		 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
		 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

	*out = empty;
}

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* --- a tree that grows --------------------------------------------------- */

enum sg_err merkle_add(struct merkle *m, struct merkle_frontier *f,
		       const struct merkle_hash *leaf,
		       void (*full)(void *ctx, unsigned level, uint64_t index,
				    const struct merkle_hash *hash),
		       void *ctx)
{
	struct merkle_hash h = *leaf;
	unsigned level = 0;
	enum sg_err err;

	if (f->size >= SIZE_LIMIT)
		return SG_INTERNAL;
	if (full != NULL)
		full(ctx, 0, f->size, &h);
	for (; (f->size >> level & 1) != 0; level++) {
		err = merkle_node(m, &f->node[level], &h, &h);
		if (err != SG_OK)
			return err;
		if (full != NULL)
			full(ctx, level + 1, f->size >> (level + 1), &h);
	}
	f->node[level] = h;
	f->size++;
	return SG_OK;
}

/* Where subtrees, full ones, come from: a source or a frontier. */
static enum sg_err from_frontier(void *ctx, unsigned level, uint64_t index,
				 struct merkle_hash *out)
{
	const struct merkle_frontier *f = ctx;

	(void)index; /* a frontier has one for a level */
	*out = f->node[level];
	return SG_OK;
}

/* The root of the N leaves, 1 or more, from LO on, which is a multiple of a
 * power of two that is N or more. */
static enum sg_err range_root(struct merkle *m, const struct merkle_source *src,
			      uint64_t lo, uint64_t n, struct merkle_hash *out)
{
	struct merkle_hash left;
	bool begun = false;
	enum sg_err err;

	for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
		if ((n >> level & 1) == 0)
			continue;
		err = src->get(src->ctx, level,
			       (lo >> level) + (n >> level) - 1,
			       begun ? &left : out);
		if (err == SG_OK && begun)
			err = merkle_node(m, &left, out, out);
		if (err != SG_OK)
			return err;
		begun = true;
	}
	return SG_OK;
}

enum sg_err merkle_frontier_root(struct merkle *m,
				 const struct merkle_frontier *f,
				 struct merkle_hash *out)
{
	struct merkle_frontier copy = *f;
	const struct merkle_source src = {.get = from_frontier, .ctx = &copy};

	return merkle_root_of(m, &src, f->size, out);
}

/* --- a tree that is kept elsewhere --------------------------------------- */

enum sg_err merkle_frontier_of(const struct merkle_source *src, uint64_t size,
			       struct merkle_frontier *out)
{
	enum sg_err err;

	memset(out, 0, sizeof(*out));
	for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
		if ((size >> level & 1) == 0)
			continue;
		err = src->get(src->ctx, level, (size >> level) - 1,
			       &out->node[level]);
		if (err != SG_OK)
			return err;
	}
	out->size = size;
	return SG_OK;
}

enum sg_err merkle_root_of(struct merkle *m, const struct merkle_source *src,
			   uint64_t size, struct merkle_hash *out)
{
	if (size == 0) {
		merkle_empty_root(out);
		return SG_OK;
	}
	return range_root(m, src, 0, size, out);
}

/* The largest power of two below N, which is 2 or more. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (MERKLE_LEVELS - 1 - __builtin_clzll(n - 1));
}

/* Proofs are found from the root down, and written from the leaf up. */
static void reverse(struct merkle_proof *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		const struct merkle_hash h = p->hash[i];

		p->hash[i] = p->hash[p->n - 1 - i];
		p->hash[p->n - 1 - i] = h;
	}
}

enum sg_err merkle_prove(struct merkle *m, const struct merkle_source *src,
			 uint64_t size, uint64_t index,
			 struct merkle_proof *out)
{
	uint64_t lo = 0;
	uint64_t n = size;
	enum sg_err err;

	out->n = 0;
	if (index >= size || size > SIZE_LIMIT)
		return SG_NOT_FOUND;
	while (n > 1) {
		const uint64_t k = split(n);
		struct merkle_hash *h = &out->hash[out->n++];

		if (index - lo < k) {
			err = range_root(m, src, lo + k, n - k, h);
			n = k;
		} else {
			err = range_root(m, src, lo, k, h);
			lo += k;
			n -= k;
		}
		if (err != SG_OK)
			return err;
	}
	reverse(out);
	return SG_OK;
}

enum sg_err merkle_prove_consistency(struct merkle *m,
				     const struct merkle_source *src,
				     uint64_t old, uint64_t new,
				     struct merkle_proof *out)
{
	uint64_t lo = 0;
	uint64_t n = new;
	enum sg_err err;

	out->n = 0;
	if (old > new || new > SIZE_LIMIT)
		return SG_NOT_FOUND;
	if (old == 0)
		return SG_OK;
	/* Down to the subtree that the old tree ends with. */
	while (old - lo != n) {
		const uint64_t k = split(n);
		struct merkle_hash *h = &out->hash[out->n++];

		if (old - lo <= k) {
			err = range_root(m, src, lo + k, n - k, h);
			n = k;
		} else {
			err = range_root(m, src, lo, k, h);
			lo += k;
			n -= k;
		}
		if (err != SG_OK)
			return err;
	}
	/* Where it is all of the old tree, its root is known. */
	if (lo != 0) {
		err = range_root(m, src, lo, n, &out->hash[out->n++]);
		if (err != SG_OK)
			return err;
	}
	reverse(out);
	return SG_OK;
}

/* --- verifying ----------------------------------------------------------- */

/* Up past the levels where the node at AT is the last and has no sibling. */
static void skip_lone(uint64_t *at, uint64_t *last)
{
	for (; (*at & 1) == 0 && *at != 0; *last >>= 1)
		*at >>= 1;
}

/* RFC 9162 s. 2.1.3.2; its fn and sn are AT and LAST here. */
enum sg_err merkle_check(struct merkle *m, const struct merkle_proof *p,
			 uint64_t size, uint64_t index,
			 const struct merkle_hash *leaf,
			 const struct merkle_hash *root)
{
	struct merkle_hash h = *leaf;
	uint64_t at = index;
	uint64_t last = size - 1;
	enum sg_err err;

	if (index >= size || p->n > MERKLE_PROOF_MAX)
		return SG_BAD_SIGNATURE;
	for (size_t i = 0; i < p->n; i++) {
		if (last == 0)
			return SG_BAD_SIGNATURE;
		if ((at & 1) != 0 || at == last) {
			err = merkle_node(m, &p->hash[i], &h, &h);
			skip_lone(&at, &last);
		} else {
			err = merkle_node(m, &h, &p->hash[i], &h);
		}
		if (err != SG_OK)
			return err;
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && same(&h, root) ? SG_OK : SG_BAD_SIGNATURE;
}

/* Steps 2 to 6 of s. 2.1.4.2: make both roots from the proof. */
static enum sg_err climb(struct merkle *m, const struct merkle_proof *p,
			 uint64_t old, const struct merkle_hash *old_root,
			 uint64_t new, struct merkle_hash roots[2])
{
	/* The old root is left out where it is a node of the new tree. */
	const bool left_out = (old & (old - 1)) == 0;
	const struct merkle_hash *start = left_out ? old_root : &p->hash[0];
	uint64_t at = old - 1;
	uint64_t last = new - 1;
	enum sg_err err = SG_OK;

	for (; (at & 1) != 0; last >>= 1)
		at >>= 1;
	roots[0] = *start;
	roots[1] = *start;
	for (size_t i = left_out ? 0 : 1; i < p->n && err == SG_OK; i++) {
		if (last == 0)
			return SG_BAD_SIGNATURE;
		if ((at & 1) != 0 || at == last) {
			err = merkle_node(m, &p->hash[i], &roots[0], &roots[0]);
			if (err == SG_OK)
				err = merkle_node(m, &p->hash[i], &roots[1],
						  &roots[1]);
			skip_lone(&at, &last);
		} else {
			err = merkle_node(m, &roots[1], &p->hash[i], &roots[1]);
		}
		at >>= 1;
		last >>= 1;
	}
	return err == SG_OK && last != 0 ? SG_BAD_SIGNATURE : err;
}

enum sg_err merkle_check_consistency(struct merkle *m,
				     const struct merkle_proof *p, uint64_t old,
				     const struct merkle_hash *old_root,
				     uint64_t new,
				     const struct merkle_hash *new_root)
{
	struct merkle_hash roots[2];
	enum sg_err err;

	if (old > new || p->n > MERKLE_PROOF_MAX)
		return SG_BAD_SIGNATURE;
	if (old == 0) {
		merkle_empty_root(&roots[0]);
		if (p->n != 0 || !same(old_root, &roots[0]))
			return SG_BAD_SIGNATURE;
		return new != 0 || same(new_root, &roots[0]) ? SG_OK
							     : SG_BAD_SIGNATURE;
	}
	if (old == new)
		return p->n == 0 && same(old_root, new_root) ? SG_OK
							     : SG_BAD_SIGNATURE;
	if (p->n == 0)
		return SG_BAD_SIGNATURE;
	err = climb(m, p, old, old_root, new, roots);
	if (err != SG_OK)
		return err;
	return same(&roots[0], old_root) && same(&roots[1], new_root)
		       ? SG_OK
		       : SG_BAD_SIGNATURE;
}

enum sg_err merkle_prefix(struct merkle *m, const struct merkle_source *src,
			  uint64_t old, struct merkle_hash *root, uint64_t new,
			  const struct merkle_hash *new_root)
{
	struct merkle_proof proof;
	enum sg_err err = merkle_root_of(m, src, old, root);

	if (err == SG_OK)
		err = merkle_prove_consistency(m, src, old, new, &proof);
	if (err == SG_OK)
		err = merkle_check_consistency(m, &proof, old, root, new,
					       new_root);
	return err == SG_BAD_SIGNATURE ? SG_MALFORMED : err;
}
