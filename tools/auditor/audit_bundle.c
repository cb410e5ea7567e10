/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_state.h"
#include "ledger/entry.h"

/* The hash tile of level 0 and its bundle. */
struct pair {
	struct tile tile, entries;
	bool has_tile, has_entries;
	bool reused; /* the copy had them */
};

static void note_time(struct audit_worker *w, struct audit_bundle *b,
		      uint64_t index, int64_t time)
{
	const struct finding_place place = findings_entry(index);
	const bool back = b->has_time && time < b->latest - AUDIT_TIME_BACK_MS;

	if (!b->has_time || time < b->earliest) {
		b->earliest = time;
		b->earliest_at = index;
		b->earliest_said = back;
	}
	if (back)
		findings_add(w->a->findings, FINDING_TIME_BACK, &place,
			     "by %lld ms", (long long)(b->latest - time));
	if (!b->has_time || time > b->latest)
		b->latest = time;
	b->has_time = true;
}

static void note_operation(struct audit_worker *w, uint64_t index,
			   const struct entry *e)
{
	struct approvals *a = w->a->settings->approvals;
	enum sg_err err;

	if (a == NULL || e->type != ENTRY_CEREMONY || e->refusal.n > 0)
		return;
	err = approvals_add(a, index, e->operation);
	if (err != SG_OK)
		audit_fail(w->a, err, err_text(err));
}

/* Entry I of the bundle; returns whether all is well with it. */
static bool check_entry(struct audit_worker *w, const struct pair *p,
			unsigned i, struct span entry, struct audit_bundle *b)
{
	const size_t at = (size_t)i * MERKLE_HASH_BYTES;
	const uint64_t index = p->tile.n * TILE_WIDTH + i;
	struct finding_place place;
	struct audit_doubt d = {.n = p->tile.n, .i = i};
	struct entry e;
	enum sg_err err = merkle_leaf(w->m, entry, &d.own);

	if (err != SG_OK) {
		audit_fail(w->a, err, err_text(err));
		return false;
	}
	memcpy(w->own + at, d.own.b, MERKLE_HASH_BYTES);
	memcpy(d.file.b, p->has_tile ? w->tile + at : w->own + at,
	       MERKLE_HASH_BYTES);
	if (memcmp(d.own.b, d.file.b, MERKLE_HASH_BYTES) != 0) {
		audit_doubt(w->a, &d);
		return false;
	}
	err = entry_decode(entry, &e);
	if (err == SG_OK) {
		note_time(w, b, index, e.time_ms);
		note_operation(w, index, &e);
		return true;
	}
	place = findings_entry(index);
	findings_add(w->a->findings, FINDING_ENTRY_MALFORMED, &place, "%s",
		     err == SG_DUPLICATE_KEY ? err_text(err)
					     : "not as README.md has them");
	return false;
}

static bool check_entries(struct audit_worker *w, const struct pair *p,
			  struct audit_bundle *b)
{
	struct span rest = span_of(w->entries, w->entries_n);
	struct span entry;
	bool good = true;

	for (unsigned i = 0; i < p->tile.width; i++) {
		if (tile_next_entry(&rest, &entry) != SG_OK)
			return false; /* the source has counted them */
		good = check_entry(w, p, i, entry, b) && good;
	}
	return good;
}

/* --- a copy --------------------------------------------------------------- */

/* merkle_source: the tile in W, and for all others the log's. */
static enum sg_err get_hash(void *ctx, unsigned level, uint64_t index,
			    struct merkle_hash *out)
{
	const struct audit_worker *w = ctx;
	unsigned first;
	unsigned count;
	struct tile t;

	tile_of(level, index, &t, &first, &count);
	if (t.level == 0 && t.n == w->tile_n)
		return tile_hash(w->m, span_of(w->tile, sizeof(w->tile)), first,
				 count, out);
	return w->upper.get(w->upper.ctx, level, index, out);
}

/* Is every hash of the tile in W in the tree that was signed?  The proof of
 * its first leaf has all the others as neighbours. */
static bool belongs(struct audit_worker *w, uint64_t n)
{
	const struct audit_settings *s = w->a->settings;
	const struct merkle_source source = {get_hash, w};
	struct merkle_proof proof;
	struct merkle_hash leaf;
	enum sg_err err;

	w->tile_n = n;
	memcpy(leaf.b, w->tile, sizeof(leaf.b));
	err = merkle_prove(w->m, &source, s->size, n * TILE_WIDTH, &proof);
	if (err == SG_OK)
		err = merkle_check(w->m, &proof, s->size, n * TILE_WIDTH, &leaf,
				   &s->root);
	if (err == SG_IO || err == SG_FORBIDDEN)
		audit_fail(w->a, err, source_why(w->source));
	return err == SG_OK;
}

/* Has an earlier run left both files of P, as they should be? */
static bool take_copy(struct audit_worker *w, const struct pair *p)
{
	struct merkle_hash leaf;
	struct span rest;
	struct span entry;
	size_t len;

	if (p->tile.width != TILE_WIDTH ||
	    tiles_read(w->copy, &p->tile, w->tile, sizeof(w->tile), &len) !=
		    SG_OK ||
	    tiles_read(w->copy, &p->entries, w->entries, TILE_BUNDLE_MAX,
		       &w->entries_n) != SG_OK ||
	    !belongs(w, p->tile.n))
		return false;
	rest = span_of(w->entries, w->entries_n);
	for (size_t i = 0; i < TILE_WIDTH; i++)
		if (tile_next_entry(&rest, &entry) != SG_OK ||
		    merkle_leaf(w->m, entry, &leaf) != SG_OK ||
		    memcmp(leaf.b, w->tile + i * MERKLE_HASH_BYTES,
			   MERKLE_HASH_BYTES) != 0)
			return false;
	atomic_fetch_add(&w->a->reused, 1);
	return true;
}

static void keep(struct audit_worker *w, const struct pair *p)
{
	const struct span hashes =
		span_of(w->own, (size_t)p->tile.width * MERKLE_HASH_BYTES);

	if (tiles_write(w->copy, &p->entries,
			span_of(w->entries, w->entries_n)) != SG_OK ||
	    tiles_write(w->copy, &p->tile, hashes) != SG_OK)
		audit_fail(w->a, SG_IO, "cannot write to the copy");
}

/* --- all of it ------------------------------------------------------------ */

/* What the bundle comes to, by its entries and by the log's tile. */
static enum sg_err add_up(struct audit_worker *w, const struct pair *p,
			  struct tower_hash *out)
{
	const struct span own = span_of(w->own, sizeof(w->own));
	const struct span file = span_of(w->tile, sizeof(w->tile));
	enum sg_err err = SG_OK;

	out->has_own = p->has_entries || p->has_tile;
	out->has_file = p->has_tile;
	if (p->has_tile)
		err = tile_hash(w->m, file, 0, TILE_WIDTH, &out->file);
	/* Where entries are missing, which is a finding already, the tile
	 * stands in for them. */
	if (!p->has_entries || (p->has_tile && span_eq(own, file)))
		out->own = out->file;
	else if (err == SG_OK)
		err = tile_hash(w->m, own, 0, TILE_WIDTH, &out->own);
	return err;
}

static void add_leaves(struct audit_worker *w, const struct pair *p)
{
	const uint8_t *own = p->has_entries ? w->own : w->tile;

	for (unsigned i = 0; i < p->tile.width; i++) {
		struct tower_hash *h = &w->a->last[i];
		const size_t at = (size_t)i * MERKLE_HASH_BYTES;

		h->has_own = p->has_entries || p->has_tile;
		h->has_file = p->has_tile;
		memcpy(h->own.b, own + at, sizeof(h->own.b));
		memcpy(h->file.b, w->tile + at, sizeof(h->file.b));
	}
}

static void look(struct audit_worker *w, struct pair *p)
{
	size_t len;

	if (w->copy != NULL && take_copy(w, p)) {
		p->has_tile = p->has_entries = p->reused = true;
		return;
	}
	p->has_tile = audit_read(w, &p->tile, w->tile, sizeof(w->tile), &len);
	p->has_entries = audit_read(w, &p->entries, w->entries, TILE_BUNDLE_MAX,
				    &w->entries_n);
}

void audit_bundle(struct audit_worker *w, uint64_t n)
{
	struct audit *a = w->a;
	struct audit_bundle *b = &a->bundle[n - a->first];
	const unsigned width = tile_width(0, n, a->settings->size);
	struct pair p = {
		.tile = {0, n, width},
		.entries = {TILE_ENTRIES, n, width},
	};
	bool good;

	*b = (struct audit_bundle){0};
	look(w, &p);
	good = p.has_entries && check_entries(w, &p, b);
	if (width < TILE_WIDTH)
		add_leaves(w, &p);
	else if (add_up(w, &p, &b->hash) != SG_OK)
		audit_fail(a, SG_INTERNAL, err_text(SG_INTERNAL));
	if (w->copy != NULL && !p.reused) {
		if (good && p.has_tile && belongs(w, n))
			keep(w, &p);
		else
			atomic_fetch_add(&a->unkept, 1);
	}
	atomic_fetch_add(&a->done, width);
}
