/* SPDX-License-Identifier: Apache-2.0 */
#include "tower.h"

bool tower_bytes(const struct tower_tile *t, uint8_t out[TILE_BYTES_MAX])
{
	for (unsigned i = 0; i < t->width; i++) {
		if (!t->hash[i].has_own)
			return false;
		memcpy(out + (size_t)i * MERKLE_HASH_BYTES, t->hash[i].own.b,
		       MERKLE_HASH_BYTES);
	}
	return true;
}

enum sg_err tower_add(struct tower *t, unsigned level,
		      const struct tower_hash *hash)
{
	struct tower_hash h = *hash;

	for (; level < TILE_LEVELS; level++) {
		struct tower_tile *l = &t->level[level];
		const struct tile full = {(int)level, l->n, TILE_WIDTH};
		uint8_t bytes[TILE_BYTES_MAX];
		enum sg_err err = SG_OK;

		l->hash[l->width++] = h;
		if (l->width < TILE_WIDTH)
			return SG_OK;
		h = (struct tower_hash){.has_own = tower_bytes(l, bytes)};
		if (h.has_own)
			err = tile_hash(t->m, span_of(bytes, sizeof(bytes)), 0,
					TILE_WIDTH, &h.own);
		if (err == SG_OK && level > 0)
			err = t->full(t->ctx, &full, l, &h);
		if (err != SG_OK)
			return err;
		l->n++;
		l->width = 0;
	}
	return SG_INTERNAL;
}

uint64_t tower_size(const struct tower *t)
{
	uint64_t size = 0;

	for (unsigned level = 0; level < TILE_LEVELS; level++)
		size |= (uint64_t)t->level[level].width
			<< (TILE_HEIGHT * level);
	return size;
}

enum sg_err tower_root(const struct tower *t, struct merkle_hash *out)
{
	struct merkle_frontier f = {.size = tower_size(t)};
	uint8_t bytes[TILE_BYTES_MAX];

	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		const struct tower_tile *l = &t->level[level];

		if (!tower_bytes(l, bytes))
			return SG_NOT_FOUND;
		/* The full subtrees of a tile, the widest first. */
		for (unsigned bit = 0; bit < TILE_HEIGHT; bit++) {
			const unsigned count = 1U << bit;
			const unsigned first = l->width & ~(2 * count - 1);
			enum sg_err err;

			if ((l->width & count) == 0)
				continue;
			err = tile_hash(
				t->m,
				span_of(bytes,
					(size_t)l->width * MERKLE_HASH_BYTES),
				first, count,
				&f.node[TILE_HEIGHT * level + bit]);
			if (err != SG_OK)
				return err;
		}
	}
	return merkle_frontier_root(t->m, &f, out);
}
