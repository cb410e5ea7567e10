/* SPDX-License-Identifier: Apache-2.0 */
/* The writing half of cbor.h.  libcbor's encoders make the heads, in the
 * shortest form; what follows them is copied. */
#define cbor_type libcbor_type /* NOLINT(readability-identifier-naming) */
#include <cbor/encoding.h>
#undef cbor_type

#include <assert.h>

#include "cbor.h"
#include "real.h"

enum { HEAD_BYTES_MAX = 9, HEAD_HALF = 0xf9 }; /* RFC 8949 s. 3 */

static void put(struct cbor_writer *w, const void *p, size_t n)
{
	if (n > SIZE_MAX - w->len) {
		w->overflow = true;
		return;
	}
	if (n > 0 && w->len <= w->cap && n <= w->cap - w->len)
		memcpy(w->p + w->len, p, n);
	w->len += n;
}

/* An encoder says 0 when it lacks room, and ours never lack it. */
static void put_head(struct cbor_writer *w, const unsigned char *head, size_t n)
{
	assert(n > 0 && n <= HEAD_BYTES_MAX);
	put(w, head, n);
}

void cbor_put_uint(struct cbor_writer *w, uint64_t v)
{
	unsigned char b[HEAD_BYTES_MAX];

	put_head(w, b, cbor_encode_uint(v, b, sizeof(b)));
}

void cbor_put_int(struct cbor_writer *w, int64_t v)
{
	unsigned char b[HEAD_BYTES_MAX];

	if (v >= 0)
		cbor_put_uint(w, (uint64_t)v);
	else
		put_head(w, b,
			 cbor_encode_negint((uint64_t)(-1 - v), b, sizeof(b)));
}

void cbor_put_bytes(struct cbor_writer *w, struct span s)
{
	unsigned char b[HEAD_BYTES_MAX];

	put_head(w, b, cbor_encode_bytestring_start(s.n, b, sizeof(b)));
	put(w, s.p, s.n);
}

void cbor_put_text(struct cbor_writer *w, struct span s)
{
	unsigned char b[HEAD_BYTES_MAX];

	put_head(w, b, cbor_encode_string_start(s.n, b, sizeof(b)));
	put(w, s.p, s.n);
}

void cbor_put_array(struct cbor_writer *w, uint64_t items)
{
	unsigned char b[HEAD_BYTES_MAX];

	put_head(w, b, cbor_encode_array_start(items, b, sizeof(b)));
}

void cbor_put_map(struct cbor_writer *w, uint64_t pairs)
{
	unsigned char b[HEAD_BYTES_MAX];

	put_head(w, b, cbor_encode_map_start(pairs, b, sizeof(b)));
}

void cbor_put_tag(struct cbor_writer *w, uint64_t tag)
{
	unsigned char b[HEAD_BYTES_MAX];

	put_head(w, b, cbor_encode_tag(tag, b, sizeof(b)));
}

void cbor_put_bool(struct cbor_writer *w, bool v)
{
	unsigned char b[HEAD_BYTES_MAX];

	put_head(w, b, cbor_encode_bool(v, b, sizeof(b)));
}

void cbor_put_null(struct cbor_writer *w)
{
	unsigned char b[HEAD_BYTES_MAX];

	put_head(w, b, cbor_encode_null(b, sizeof(b)));
}

/* libcbor 0.8 rounds subnormal halves wrongly. */
static size_t encode_half(double v, unsigned char b[HEAD_BYTES_MAX])
{
	const uint16_t half = real_half(v);

	b[0] = HEAD_HALF;
	b[1] = (unsigned char)(half >> 8);
	b[2] = (unsigned char)half;
	return 3;
}

void cbor_put_real(struct cbor_writer *w, double v)
{
	unsigned char b[HEAD_BYTES_MAX];
	size_t n;

	switch (real_shortest_bytes(v)) {
	case 2: n = encode_half(v, b); break;
	case 4: n = cbor_encode_single((float)v, b, sizeof(b)); break;
	default: n = cbor_encode_double(v, b, sizeof(b)); break;
	}
	put_head(w, b, n);
}

void cbor_put_raw(struct cbor_writer *w, struct span encoded)
{
	put(w, encoded.p, encoded.n);
}

enum sg_err cbor_done(const struct cbor_writer *w, size_t *len)
{
	if (len != NULL)
		*len = w->overflow ? 0 : w->len;
	return w->overflow || w->len > w->cap ? SG_TOO_BIG : SG_OK;
}

bool cbor_text_before(struct span a, struct span b)
{
	return a.n != b.n ? a.n < b.n : span_compare(a, b) < 0;
}
