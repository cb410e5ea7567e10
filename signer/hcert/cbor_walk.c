/* SPDX-License-Identifier: Apache-2.0 */
/* cbor_skip() and cbor_check(): whole items, nested ones included.  Neither
 * recurses: the open arrays and maps stand on a stack of fixed height. */
#include "cbor.h"

/* An array, map or chunked string that is open. */
struct level {
	enum cbor_type type;
	bool indefinite;
	uint64_t count;	 /* items that it holds; of a map, keys and values */
	uint64_t taken;	 /* items begun so far */
	struct span key; /* last key of a map, for cbor_check() */
};

struct walk {
	size_t depth; /* levels open */
	size_t depth_max;
	bool tagged; /* a tag has been read, its content not */
	struct level level[CBOR_DEPTH_MAX];
};

static void walk_init(struct walk *w, unsigned depth_max)
{
	w->depth = 0;
	w->depth_max = depth_max < CBOR_DEPTH_MAX ? depth_max : CBOR_DEPTH_MAX;
	w->tagged = false;
}

static struct level *walk_top(struct walk *w)
{
	return w->depth > 0 ? &w->level[w->depth - 1] : NULL;
}

/* Is a whole item complete? */
static bool walk_done(const struct walk *w)
{
	return w->depth == 0 && !w->tagged;
}

static bool opens_level(const struct cbor_item *item)
{
	return item->type == CBOR_ARRAY || item->type == CBOR_MAP ||
	       item->indefinite;
}

/* Close the levels that have all their items. */
static void walk_close(struct walk *w)
{
	const struct level *top;

	while ((top = walk_top(w)) != NULL && !top->indefinite &&
	       top->taken == top->count)
		w->depth--;
}

/* Account for ITEM, which is no BREAK.  SG_TOO_BIG: too deep. */
static enum sg_err walk_item(struct walk *w, const struct cbor_item *item)
{
	struct level *top = walk_top(w);

	w->tagged = item->type == CBOR_TAG;
	if (w->tagged)
		return SG_OK; /* it and its content are one item */
	if (top != NULL)
		top->taken++;
	if (opens_level(item)) {
		if (w->depth == w->depth_max)
			return SG_TOO_BIG;
		top = &w->level[w->depth++];
		top->type = item->type;
		top->indefinite = item->indefinite;
		top->count = item->type == CBOR_MAP ? 2 * item->arg : item->arg;
		top->taken = 0;
	}
	walk_close(w);
	return SG_OK;
}

/* End the indefinite level on top; a map may not end after a key. */
static enum sg_err walk_break(struct walk *w)
{
	const struct level *top = walk_top(w);

	if (top == NULL || !top->indefinite || w->tagged)
		return SG_MALFORMED;
	if (top->type == CBOR_MAP && top->taken % 2 != 0)
		return SG_MALFORMED;
	w->depth--;
	walk_close(w);
	return SG_OK;
}

/* RFC 8949 s. 3.2.3: chunks are definite strings of the whole's own type. */
static bool is_chunk_in_place(const struct level *top,
			      const struct cbor_item *item)
{
	if (top == NULL || (top->type != CBOR_BYTES && top->type != CBOR_TEXT))
		return true;
	return item->type == top->type && !item->indefinite;
}

enum sg_err cbor_skip(struct cbor_reader *r, unsigned depth_max,
		      struct span *all)
{
	struct cbor_reader at = *r;
	struct cbor_item item;
	struct walk w;
	enum sg_err e;

	walk_init(&w, depth_max);
	do {
		e = cbor_next(&at, &item);
		if (e != SG_OK)
			return e;
		if (item.type == CBOR_BREAK)
			e = walk_break(&w);
		else if (is_chunk_in_place(walk_top(&w), &item))
			e = walk_item(&w, &item);
		else
			e = SG_MALFORMED;
		if (e != SG_OK)
			return SG_MALFORMED;
	} while (!walk_done(&w));
	if (all != NULL)
		*all = span_of(r->in.p + r->at, at.at - r->at);
	r->at = at.at;
	return SG_OK;
}

/* Does ITEM come next in the bytewise order of encoded keys (s. 4.2.1)? */
static enum sg_err check_key(struct level *map, const struct cbor_item *item)
{
	const struct span last = map->key;
	const struct span key = item->all;
	int order;

	if (item->type != CBOR_UINT && item->type != CBOR_NINT &&
	    item->type != CBOR_TEXT)
		return SG_MALFORMED;
	map->key = key;
	if (map->taken == 0)
		return SG_OK;
	/* No encoded item is the beginning of another one, so two that agree
	 * over the shorter one's length are equal. */
	order = memcmp(last.p, key.p, last.n < key.n ? last.n : key.n);
	if (order == 0)
		return SG_DUPLICATE_KEY;
	return order < 0 ? SG_OK : SG_MALFORMED;
}

enum sg_err cbor_check(struct span in, struct cbor_limits limits)
{
	struct cbor_reader r = cbor_read(in, CBOR_DETERMINISTIC);
	struct cbor_item item;
	struct level *top;
	struct walk w;
	size_t items = 0;
	enum sg_err e;

	walk_init(&w, limits.depth);
	do {
		if (items++ == limits.items)
			return SG_TOO_BIG;
		e = cbor_next(&r, &item);
		if (e != SG_OK)
			return e;
		top = walk_top(&w);
		/* A tag leaves the count alone, and no key has one. */
		if (top != NULL && top->type == CBOR_MAP && top->taken % 2 == 0)
			e = check_key(top, &item);
		if (e == SG_OK)
			e = walk_item(&w, &item);
		if (e != SG_OK)
			return e;
	} while (!walk_done(&w));
	return cbor_at_end(&r) ? SG_OK : SG_MALFORMED;
}
