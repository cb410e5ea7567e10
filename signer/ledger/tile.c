/* SPDX-License-Identifier: Apache-2.0 */
#include "tile.h"

#include <stdio.h>

enum {
	GROUP = 1000, /* a path has N in groups of three digits */
	GROUP_DIGITS = 3,
	GROUPS_MAX = 7,	  /* 2^64 has 20 digits */
	LENGTH_BYTES = 2, /* before an entry in its bundle */
	WIDTH_DIGITS_MAX = 3
};

static const char PREFIX[] = "tile/";
static const char ENTRIES[] = "entries/";

void tile_path(const struct tile *t, char out[TILE_PATH_MAX])
{
	unsigned group[GROUPS_MAX];
	unsigned groups = 0;
	uint64_t n = t->n;
	size_t at;

	do {
		group[groups++] = (unsigned)(n % GROUP);
		n /= GROUP;
	} while (n > 0);
	if (t->level == TILE_ENTRIES)
		at = (size_t)snprintf(out, TILE_PATH_MAX, "%s%s", PREFIX,
				      ENTRIES);
	else
		at = (size_t)snprintf(out, TILE_PATH_MAX, "%s%d/", PREFIX,
				      t->level);
	while (groups-- > 1)
		at += (size_t)snprintf(out + at, TILE_PATH_MAX - at, "x%03u/",
				       group[groups]);
	at += (size_t)snprintf(out + at, TILE_PATH_MAX - at, "%03u", group[0]);
	if (t->width < TILE_WIDTH)
		(void)snprintf(out + at, TILE_PATH_MAX - at, ".p/%u", t->width);
}

/* Take LITERAL from the front of *S. */
static bool take(struct span *s, const char *literal)
{
	const size_t n = strlen(literal);

	if (s->n < n || memcmp(s->p, literal, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

/* Take the digits, at most MAX, from the front of *S. */
static bool take_number(struct span *s, size_t max, unsigned *out)
{
	size_t i = 0;

	*out = 0;
	for (; i < s->n && i < max && s->p[i] >= '0' && s->p[i] <= '9'; i++)
		*out = *out * 10 + (unsigned)(s->p[i] - '0');
	s->p += i;
	s->n -= i;
	return i > 0;
}

static bool take_level(struct span *s, int *level)
{
	unsigned n;

	if (take(s, ENTRIES)) {
		*level = TILE_ENTRIES;
		return true;
	}
	if (!take_number(s, 1, &n) || n >= TILE_LEVELS || !take(s, "/"))
		return false;
	*level = (int)n;
	return true;
}

/* All groups of N. */
static bool take_place(struct span *s, uint64_t *n)
{
	bool more;
	unsigned group;

	*n = 0;
	do {
		more = take(s, "x");
		if (!take_number(s, GROUP_DIGITS, &group) ||
		    *n > (UINT64_MAX - group) / GROUP)
			return false;
		*n = *n * GROUP + group;
	} while (more && take(s, "/"));
	return !more;
}

enum sg_err tile_parse(struct span path, struct tile *out)
{
	struct tile t = {.width = TILE_WIDTH};
	struct span rest = path;
	char canonical[TILE_PATH_MAX];
	struct span whole;

	if (path.n == 0)
		return SG_MALFORMED;
	(void)take(&rest, PREFIX);
	whole = rest;
	if (!take_level(&rest, &t.level) || !take_place(&rest, &t.n))
		return SG_MALFORMED;
	if (take(&rest, ".p/") &&
	    (!take_number(&rest, WIDTH_DIGITS_MAX, &t.width) || t.width == 0 ||
	     t.width >= TILE_WIDTH))
		return SG_MALFORMED;
	/* Whatever else is not as it should be, zeros in front for one. */
	tile_path(&t, canonical);
	if (!span_is(whole, canonical + sizeof(PREFIX) - 1))
		return SG_MALFORMED;
	*out = t;
	return SG_OK;
}

unsigned tile_width(int level, uint64_t n, uint64_t size)
{
	const unsigned shift =
		level == TILE_ENTRIES ? 0 : (unsigned)level * TILE_HEIGHT;
	const uint64_t hashes = size >> shift;

	if (n > hashes / TILE_WIDTH)
		return 0;
	if (n < hashes / TILE_WIDTH)
		return TILE_WIDTH;
	return (unsigned)(hashes % TILE_WIDTH);
}

void tile_of(unsigned level, uint64_t index, struct tile *t, unsigned *first,
	     unsigned *count)
{
	const unsigned height = level % TILE_HEIGHT;

	t->level = (int)(level / TILE_HEIGHT);
	t->n = index >> (TILE_HEIGHT - height);
	*count = 1U << height;
	*first = (unsigned)(index << height) % TILE_WIDTH;
	t->width = *first + *count;
}

static const struct merkle_hash *hash_at(struct span data, size_t i)
{
	return (const struct merkle_hash *)(data.p + i * MERKLE_HASH_BYTES);
}

enum sg_err tile_hash(struct merkle *m, struct span data, unsigned first,
		      unsigned count, struct merkle_hash *out)
{
	struct merkle_hash buf[TILE_WIDTH / 2];
	enum sg_err err;

	if (count == 0 || count > TILE_WIDTH || (count & (count - 1)) != 0 ||
	    first > TILE_WIDTH - count ||
	    data.n < (size_t)(first + count) * MERKLE_HASH_BYTES)
		return SG_MALFORMED;
	if (count == 1) {
		*out = *hash_at(data, first);
		return SG_OK;
	}
	count /= 2;
	for (size_t i = 0; i < count; i++) {
		err = merkle_node(m, hash_at(data, first + 2 * i),
				  hash_at(data, first + 2 * i + 1), &buf[i]);
		if (err != SG_OK)
			return err;
	}
	for (count /= 2; count > 0; count /= 2) {
		for (size_t i = 0; i < count; i++) {
			err = merkle_node(m, &buf[2 * i], &buf[2 * i + 1],
					  &buf[i]);
			if (err != SG_OK)
				return err;
		}
	}
	*out = buf[0];
	return SG_OK;
}

enum sg_err tile_next_entry(struct span *rest, struct span *entry)
{
	size_t n;

	if (rest->n == 0)
		return SG_NOT_FOUND;
	if (rest->n < LENGTH_BYTES)
		return SG_MALFORMED;
	n = (size_t)rest->p[0] << 8 | rest->p[1];
	if (rest->n - LENGTH_BYTES < n)
		return SG_MALFORMED;
	*entry = span_of(rest->p + LENGTH_BYTES, n);
	*rest = span_of(rest->p + LENGTH_BYTES + n, rest->n - LENGTH_BYTES - n);
	return SG_OK;
}

enum sg_err tile_put_entry(uint8_t *out, size_t cap, size_t *len,
			   struct span entry)
{
	uint8_t *p = out + *len;

	if (entry.n > TILE_ENTRY_MAX || cap < *len ||
	    cap - *len < LENGTH_BYTES + entry.n)
		return SG_TOO_BIG;
	p[0] = (uint8_t)(entry.n >> 8);
	p[1] = (uint8_t)entry.n;
	if (entry.n > 0)
		memcpy(p + LENGTH_BYTES, entry.p, entry.n);
	*len += LENGTH_BYTES + entry.n;
	return SG_OK;
}
