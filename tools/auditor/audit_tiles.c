/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "audit_state.h"

/* Hold the log's tile T against the one made anew. */
static enum sg_err compare(struct audit_worker *w, const struct tile *t,
			   const struct tower_tile *own,
			   struct tower_hash *above)
{
	size_t len;

	if (!audit_read(w, t, w->tile, sizeof(w->tile), &len))
		return SG_OK;
	for (unsigned i = 0; i < t->width; i++) {
		const struct tower_hash *h = &own->hash[i];
		const uint8_t *file = w->tile + (size_t)i * MERKLE_HASH_BYTES;
		struct audit_doubt d = {
			.level = (unsigned)t->level,
			.n = t->n,
			.i = i,
			.own = h->own,
			.follows =
				h->has_file &&
				memcmp(h->file.b, file, MERKLE_HASH_BYTES) == 0,
		};

		if (!h->has_own ||
		    memcmp(h->own.b, file, MERKLE_HASH_BYTES) == 0)
			continue;
		memcpy(d.file.b, file, MERKLE_HASH_BYTES);
		audit_doubt(w->a, &d);
	}
	above->has_file = t->width == TILE_WIDTH;
	if (!above->has_file)
		return SG_OK;
	return tile_hash(w->m, span_of(w->tile, sizeof(w->tile)), 0, TILE_WIDTH,
			 &above->file);
}

/* Nothing goes to the copy any more once something is wrong. */
static bool may_keep(const struct audit_worker *w)
{
	return w->copy != NULL && findings_errors(w->a->findings) == 0 &&
	       w->a->ndoubts == 0 && atomic_load(&w->a->unkept) == 0;
}

static enum sg_err finish(struct audit_worker *w, const struct tile *t,
			  const struct tower_tile *own,
			  struct tower_hash *above)
{
	uint8_t bytes[TILE_BYTES_MAX];
	enum sg_err err = compare(w, t, own, above);

	if (err != SG_OK || !may_keep(w) || !tower_bytes(own, bytes))
		return err;
	err = tiles_write(w->copy, t,
			  span_of(bytes, (size_t)t->width * MERKLE_HASH_BYTES));
	if (err != SG_OK)
		audit_fail(w->a, err, "cannot write to the copy");
	return err;
}

static enum sg_err on_full(void *ctx, const struct tile *t,
			   const struct tower_tile *own,
			   struct tower_hash *above)
{
	return finish(ctx, t, own, above);
}

static bool read_old(struct audit_worker *w, const struct tile *t, size_t *len)
{
	if (w->copy == NULL)
		return audit_read(w, t, w->tile, sizeof(w->tile), len);
	if (tiles_read(w->copy, t, w->tile, sizeof(w->tile), len) == SG_OK)
		return true;
	audit_fail(w->a, SG_IO, "the copy lacks a hash tile that it had");
	return false;
}

enum sg_err audit_tower_begin(struct audit_worker *w)
{
	const uint64_t from = w->a->settings->from / TILE_WIDTH;
	struct tower *t = &w->a->tower;

	t->m = w->m;
	t->full = on_full;
	t->ctx = w;
	for (unsigned level = 1; level < TILE_LEVELS; level++) {
		struct tower_tile *l = &t->level[level];
		const uint64_t hashes = from >> (TILE_HEIGHT * (level - 1));
		struct tile tile;
		size_t len;
		bool known;

		l->n = hashes / TILE_WIDTH;
		l->width = hashes % TILE_WIDTH;
		if (l->width == 0)
			continue;
		tile = (struct tile){(int)level, l->n, l->width};
		known = read_old(w, &tile, &len);
		for (unsigned i = 0; i < l->width; i++) {
			struct tower_hash *h = &l->hash[i];

			*h = (struct tower_hash){.has_own = known};
			memcpy(h->own.b,
			       w->tile + (size_t)i * MERKLE_HASH_BYTES,
			       sizeof(h->own.b));
		}
	}
	return audit_ended(w->a) ? SG_IO : SG_OK;
}

static void follow_time(struct audit *a, const struct audit_bundle *b)
{
	const struct finding_place place = findings_entry(b->earliest_at);

	if (!b->has_time)
		return;
	if (a->has_time && !b->earliest_said &&
	    b->earliest < a->latest - AUDIT_TIME_BACK_MS)
		findings_add(a->findings, FINDING_TIME_BACK, &place,
			     "by %lld ms",
			     (long long)(a->latest - b->earliest));
	if (!a->has_time || b->latest > a->latest)
		a->latest = b->latest;
	a->has_time = true;
}

enum sg_err audit_tower_grow(struct audit_worker *w)
{
	struct audit *a = w->a;
	enum sg_err err = SG_OK;

	for (unsigned i = 0; i < a->n && err == SG_OK; i++) {
		const unsigned width =
			tile_width(0, a->first + i, a->settings->size);

		follow_time(a, &a->bundle[i]);
		if (width == TILE_WIDTH) {
			err = tower_add(&a->tower, 1, &a->bundle[i].hash);
			/* Leaves are counted in the level below. */
			continue;
		}
		for (unsigned k = 0; k < width && err == SG_OK; k++)
			err = tower_add(&a->tower, 0, &a->last[k]);
	}
	return err;
}

/* --- which of two is right ------------------------------------------------ */

/* Does LEAF at INDEX belong to the signed root, by the log's own tiles?  Where
 * there is no memory to know it, the audit ends. */
static bool is_signed(struct audit_worker *w, uint64_t index,
		      const struct merkle_hash *leaf)
{
	const struct audit_settings *s = w->a->settings;
	struct merkle_proof proof;
	enum sg_err err = merkle_prove(w->m, &w->upper, s->size, index, &proof);

	if (err == SG_OK)
		err = merkle_check(w->m, &proof, s->size, index, leaf,
				   &s->root);
	if (err == SG_NO_MEMORY)
		audit_fail(w->a, err, err_text(err));
	return err == SG_OK;
}

static void say_tile(struct audit_worker *w, const struct audit_doubt *d)
{
	const struct tile t = {
		(int)d->level, d->n,
		tile_width((int)d->level, d->n, w->a->settings->size)};
	const struct finding_place place = findings_tile(&t);

	findings_add(w->a->findings, FINDING_TILE_ALTERED, &place,
		     "hash %u of it is the first that differs", d->i);
}

static void say_entry(struct audit_worker *w, const struct audit_doubt *d,
		      const char *how)
{
	const struct finding_place place =
		findings_entry(d->n * TILE_WIDTH + d->i);

	findings_add(w->a->findings, FINDING_ENTRY_ALTERED, &place, "%s", how);
}

static int compare_doubts(const void *pa, const void *pb)
{
	const struct audit_doubt *a = pa;
	const struct audit_doubt *b = pb;

	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return (a->i > b->i) - (a->i < b->i);
}

/* A tile of several wrong hashes is named once. */
static bool is_named(const struct audit *a, size_t i)
{
	return i > 0 && a->doubt[i - 1].level == a->doubt[i].level &&
	       a->doubt[i - 1].n == a->doubt[i].n;
}

static void resolve(struct audit_worker *w, size_t i, bool root_good)
{
	const struct audit_doubt *d = &w->a->doubt[i];
	const uint64_t index = d->n * TILE_WIDTH + d->i;

	if (root_good || d->level > 0) {
		if ((root_good || !d->follows) && !is_named(w->a, i))
			say_tile(w, d);
		return;
	}
	if (is_signed(w, index, &d->file))
		say_entry(w, d, "its hash is not the one that was signed");
	else if (is_signed(w, index, &d->own))
		say_tile(w, d);
	else if (!audit_ended(w->a))
		say_entry(w, d,
			  "its hash is not the tile's, and neither leads to "
			  "the root that was signed");
}

/* Is the root of all the one that was signed?  Unknown counts as no. */
static bool check_root(struct audit_worker *w, bool *known)
{
	struct audit *a = w->a;
	struct merkle_hash root;

	*known = tower_size(&a->tower) == a->settings->size &&
		 tower_root(&a->tower, &root) == SG_OK;
	return *known &&
	       memcmp(root.b, a->settings->root.b, sizeof(root.b)) == 0;
}

enum sg_err audit_tower_end(struct audit_worker *w)
{
	struct audit *a = w->a;
	struct tower_hash none = {0};
	enum sg_err err = SG_OK;
	bool known;
	bool good;
	/* Where it was ended early, no tile has its width. */
	const bool whole = tower_size(&a->tower) == a->settings->size;

	for (unsigned level = 1; whole && level < TILE_LEVELS; level++) {
		const struct tower_tile *l = &a->tower.level[level];
		const struct tile t = {(int)level, l->n, l->width};

		if (l->width > 0 && err == SG_OK)
			err = finish(w, &t, l, &none);
	}
	if (err != SG_OK)
		return err;
	good = check_root(w, &known);
	qsort(a->doubt, a->ndoubts, sizeof(a->doubt[0]), compare_doubts);
	for (size_t i = 0; i < a->ndoubts; i++)
		resolve(w, i, good);
	if (known && !good && !findings_has(a->findings, FINDING_ENTRY_ALTERED))
		findings_add(a->findings, FINDING_ROOT_MISMATCH, NULL,
			     "%" PRIu64 " entries", a->settings->size);
	if ((atomic_load(&a->unkept) > 0 || a->settings->unproved) &&
	    findings_errors(a->findings) == 0)
		findings_add(a->findings, FINDING_ROOT_MISMATCH, NULL,
			     "a tile does not lead to it");
	return SG_OK;
}
