/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <assert.h>
#include <stdlib.h>

enum {
	BYTES_MIN = 512,
	/* Beyond BYTES_LARGE it grows by steps, of memory that is mapped for
	 * it alone (see front.c): what is not used of it costs nothing. */
	BYTES_LARGE = 128 * 1024,
	BYTES_STEP = 256 * 1024
};

static enum sg_err make_room(struct bytes *b, size_t n)
{
	size_t cap = b->cap > 0 ? b->cap : BYTES_MIN;
	uint8_t *p;

	if (b->off > 0) {
		memmove(b->p, b->p + b->off, b->len);
		b->off = 0;
	}
	if (n > SIZE_MAX / 4 - b->len)
		return SG_NO_MEMORY;
	while (cap < b->len + n)
		cap += cap < BYTES_LARGE ? cap : BYTES_STEP;
	if (cap == b->cap)
		return SG_OK;
	p = realloc(b->p, cap);
	if (p == NULL)
		return SG_NO_MEMORY;
	b->p = p;
	b->cap = cap;
	return SG_OK;
}

enum sg_err bytes_add(struct bytes *b, struct span s)
{
	if (s.n == 0)
		return SG_OK;
	if (s.n > b->cap - b->off - b->len && make_room(b, s.n) != SG_OK)
		return SG_NO_MEMORY;
	memcpy(b->p + b->off + b->len, s.p, s.n);
	b->len += s.n;
	return SG_OK;
}

struct span bytes_view(const struct bytes *b)
{
	return span_of(b->len > 0 ? b->p + b->off : NULL, b->len);
}

void bytes_drop(struct bytes *b, size_t n)
{
	assert(n <= b->len);
	b->off += n;
	b->len -= n;
	if (b->len == 0)
		bytes_free(b);
}

size_t bytes_take(struct bytes *b, uint8_t *out, size_t cap)
{
	const size_t n = b->len < cap ? b->len : cap;

	if (n == 0)
		return 0;
	memcpy(out, b->p + b->off, n);
	bytes_drop(b, n);
	return n;
}

void bytes_free(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){0};
}
