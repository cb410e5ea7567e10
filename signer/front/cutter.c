/* SPDX-License-Identifier: Apache-2.0 */
#include "cutter.h"

enum {
	INDEFINITE = 31, /* RFC 8949 s. 3: additional information */
	LAST_INLINE = 23,
	LAST_ARGUMENT = 27, /* of 1, 2, 4 or 8 bytes from 24 on */
	MAJOR_BYTES = 2,
	MAJOR_TEXT = 3,
	MAJOR_ARRAY = 4,
	MAJOR_MAP = 5,
	MAJOR_TAG = 6,
	MAJOR_SIMPLE = 7
};

struct cutter cutter_begin(enum cutter_form form, size_t max)
{
	return (struct cutter){.form = form, .max = max, .left = 1};
}

bool cutter_is_within(const struct cutter *c)
{
	return c->seen > 0 || c->gone > 0;
}

static void next_record(struct cutter *c)
{
	*c = cutter_begin(c->form, c->max);
}

/* The record at hand ends N bytes into the input, of which the last TAIL are
 * no part of it. */
static enum cutter_result ended(struct cutter *c, struct span in, size_t n,
				size_t tail, struct span *record, size_t *used)
{
	const bool fits = c->gone == 0 && n - tail <= c->max;

	*record = span_of(in.p, n - tail);
	*used = n;
	next_record(c);
	return fits ? CUTTER_RECORD : CUTTER_TOO_BIG;
}

/* All of the input is part of a record that goes on. */
static enum cutter_result goes_on(struct cutter *c, struct span in,
				  size_t *used)
{
	*used = 0;
	if (c->gone > 0 || in.n > c->max) {
		*used = in.n;
		c->gone += in.n;
		c->seen = 0;
	}
	return CUTTER_MORE;
}

static enum cutter_result next_line(struct cutter *c, struct span in, bool end,
				    struct span *record, size_t *used)
{
	const uint8_t *feed = NULL;

	if (in.n > c->seen)
		feed = memchr(in.p + c->seen, '\n', in.n - c->seen);
	if (feed != NULL)
		return ended(c, in, (size_t)(feed - in.p) + 1, 1, record, used);
	c->seen = in.n;
	if (end && cutter_is_within(c))
		return ended(c, in, in.n, 0, record, used);
	return goes_on(c, in, used);
}

/* --- items --------------------------------------------------------------- */

enum walk { WALK_ON, WALK_SHORT, WALK_BAD };

/*
 * C->left counts the items that the definite containers at hand still lack,
 * all together: how they nest does not matter for where the last one ends.
 * Inside of an indefinite container it begins anew, and with 0 its break may
 * come.
 */
static enum walk add_items(struct cutter *c, uint64_t n)
{
	/* Each takes a byte at least. */
	if (n > CUTTER_SKIP_MAX || c->left > CUTTER_SKIP_MAX)
		return WALK_BAD;
	c->left += n;
	return WALK_ON;
}

static void count_item(struct cutter *c)
{
	if (c->left > 0)
		c->left--;
}

static enum walk open_indefinite(struct cutter *c)
{
	if (c->open == CUTTER_OPEN_MAX)
		return WALK_BAD;
	count_item(c);
	c->outer[c->open++] = c->left;
	c->left = 0;
	return WALK_ON;
}

static enum walk take_break(struct cutter *c)
{
	if (c->left > 0 || c->open == 0)
		return WALK_BAD;
	c->left = c->outer[--c->open];
	return WALK_ON;
}

static enum walk take_argument(struct cutter *c, unsigned major, uint64_t arg)
{
	if (major == MAJOR_TAG)
		return WALK_ON; /* the item that follows counts */
	count_item(c);
	switch (major) {
	case MAJOR_BYTES:
	case MAJOR_TEXT:
		c->string = arg;
		return arg > CUTTER_SKIP_MAX ? WALK_BAD : WALK_ON;
	case MAJOR_ARRAY: return add_items(c, arg);
	case MAJOR_MAP:
		return arg > CUTTER_SKIP_MAX ? WALK_BAD : add_items(c, 2 * arg);
	default: return WALK_ON;
	}
}

/* The head at IN, *N bytes. */
static enum walk take_head(struct cutter *c, struct span in, size_t *n)
{
	const unsigned major = in.p[0] >> 5;
	const unsigned info = in.p[0] & 31;
	uint64_t arg = info;

	*n = 1;
	if (info == INDEFINITE) {
		if (major == MAJOR_SIMPLE)
			return take_break(c);
		return major >= MAJOR_BYTES && major <= MAJOR_MAP
			       ? open_indefinite(c)
			       : WALK_BAD;
	}
	if (info > LAST_ARGUMENT)
		return WALK_BAD;
	if (info > LAST_INLINE) {
		*n += (size_t)1 << (info - LAST_INLINE - 1);
		if (in.n < *n)
			return WALK_SHORT;
		arg = 0;
		for (size_t i = 1; i < *n; i++)
			arg = arg << 8 | in.p[i];
	}
	return take_argument(c, major, arg);
}

/* Bytes of the string at hand. */
static size_t take_string(struct cutter *c, size_t n)
{
	if (n > c->string)
		n = (size_t)c->string;
	c->string -= n;
	return n;
}

static bool item_is_complete(const struct cutter *c)
{
	return c->left == 0 && c->open == 0 && c->string == 0;
}

static enum cutter_result next_item(struct cutter *c, struct span in, bool end,
				    struct span *record, size_t *used)
{
	enum walk w = WALK_ON;
	size_t n;

	while (w == WALK_ON && c->seen < in.n) {
		const struct span rest =
			span_of(in.p + c->seen, in.n - c->seen);

		n = 0;
		if (c->string > 0)
			n = take_string(c, rest.n);
		else
			w = take_head(c, rest, &n);
		if (w == WALK_ON)
			c->seen += n;
		if (w == WALK_ON && item_is_complete(c))
			return ended(c, in, c->seen, 0, record, used);
	}
	*used = 0;
	if (w == WALK_BAD || c->gone > CUTTER_SKIP_MAX)
		return CUTTER_LOST;
	if (end && (in.n > 0 || c->gone > 0))
		return ended(c, in, in.n, 0, record, used);
	/* A head that is cut in two stays in the input, whole. */
	return goes_on(c, span_of(in.p, c->seen), used);
}

enum cutter_result cutter_next(struct cutter *c, struct span in, bool end,
			       struct span *record, size_t *used)
{
	return c->form == CUTTER_LINES ? next_line(c, in, end, record, used)
				       : next_item(c, in, end, record, used);
}
