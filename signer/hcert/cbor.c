/* SPDX-License-Identifier: Apache-2.0 */
/* libcbor and we both have a type of this name. */
#define cbor_type libcbor_type /* NOLINT(readability-identifier-naming) */
#include <cbor/streaming.h>
#undef cbor_type

#include <math.h>

#include "cbor.h"
#include "real.h"
#include "utf8.h"

/* RFC 8949 s. 3: a head's first byte is a major type and five bits more. */
enum { MAJOR_SHIFT = 5, MAJOR_TAG = 6, MAJOR_SIMPLE = 7, INFO_MASK = 0x1f };

/* What the five bits mean from 24 on. */
enum {
	INFO_1_BYTE = 24,
	INFO_2_BYTES,
	INFO_4_BYTES,
	INFO_8_BYTES,
	INFO_INDEFINITE = 31
};

/* s. 3.3: one-byte simple values end before false; two-byte ones begin here. */
enum { SIMPLE_FALSE = 20, SIMPLE_2_BYTES_MIN = 32 };

/* --- libcbor's callbacks: each fills in the item -------------------------- */

static void take(void *ctx, enum cbor_type type, uint64_t arg)
{
	struct cbor_item *item = ctx;

	item->type = type;
	item->arg = arg;
}

static void take_run(void *ctx, enum cbor_type type, cbor_data p, size_t n)
{
	struct cbor_item *item = ctx;

	item->type = type;
	item->arg = n;
	item->run = span_of(p, n);
}

static void take_indefinite(void *ctx, enum cbor_type type)
{
	struct cbor_item *item = ctx;

	item->type = type;
	item->indefinite = true;
}

static void take_real(void *ctx, double real)
{
	struct cbor_item *item = ctx;

	item->type = CBOR_FLOAT;
	item->real = real;
}

#define TAKE_ARG(name, ctype, item_type)                                       \
	static void name(void *ctx, ctype v)                                   \
	{                                                                      \
		take(ctx, item_type, v);                                       \
	}
TAKE_ARG(take_uint8, uint8_t, CBOR_UINT)
TAKE_ARG(take_uint16, uint16_t, CBOR_UINT)
TAKE_ARG(take_uint32, uint32_t, CBOR_UINT)
TAKE_ARG(take_uint64, uint64_t, CBOR_UINT)
TAKE_ARG(take_nint8, uint8_t, CBOR_NINT)
TAKE_ARG(take_nint16, uint16_t, CBOR_NINT)
TAKE_ARG(take_nint32, uint32_t, CBOR_NINT)
TAKE_ARG(take_nint64, uint64_t, CBOR_NINT)
TAKE_ARG(take_array, size_t, CBOR_ARRAY)
TAKE_ARG(take_map, size_t, CBOR_MAP)
TAKE_ARG(take_tag, uint64_t, CBOR_TAG)
#undef TAKE_ARG

#define TAKE_BARE(name, action)                                                \
	static void name(void *ctx)                                            \
	{                                                                      \
		action;                                                        \
	}
TAKE_BARE(take_bytes_start, take_indefinite(ctx, CBOR_BYTES))
TAKE_BARE(take_text_start, take_indefinite(ctx, CBOR_TEXT))
TAKE_BARE(take_array_start, take_indefinite(ctx, CBOR_ARRAY))
TAKE_BARE(take_map_start, take_indefinite(ctx, CBOR_MAP))
TAKE_BARE(take_undefined, take(ctx, CBOR_UNDEFINED, 0))
TAKE_BARE(take_null, take(ctx, CBOR_NULL, 0))
TAKE_BARE(take_break, take(ctx, CBOR_BREAK, 0))
#undef TAKE_BARE

static void take_bytes(void *ctx, cbor_data p, size_t n)
{
	take_run(ctx, CBOR_BYTES, p, n);
}

static void take_text(void *ctx, cbor_data p, size_t n)
{
	take_run(ctx, CBOR_TEXT, p, n);
}

static void take_float(void *ctx, float v)
{
	take_real(ctx, (double)v);
}

static void take_bool(void *ctx, bool v)
{
	take(ctx, v ? CBOR_TRUE : CBOR_FALSE, 0);
}

static const struct cbor_callbacks TAKE = {
	.uint8 = take_uint8,
	.uint16 = take_uint16,
	.uint32 = take_uint32,
	.uint64 = take_uint64,
	.negint8 = take_nint8,
	.negint16 = take_nint16,
	.negint32 = take_nint32,
	.negint64 = take_nint64,
	.byte_string = take_bytes,
	.byte_string_start = take_bytes_start,
	.string = take_text,
	.string_start = take_text_start,
	.array_start = take_array,
	.indef_array_start = take_array_start,
	.map_start = take_map,
	.indef_map_start = take_map_start,
	.tag = take_tag,
	.float2 = take_float,
	.float4 = take_float,
	.float8 = take_real,
	.undefined = take_undefined,
	.null = take_null,
	.boolean = take_bool,
	.indef_break = take_break,
};

/* --- one item ------------------------------------------------------------- */

/*
 * Items that libcbor 0.8 refuses: tags that nobody had registered once (18
 * among them), and simple values other than false to undefined.
 */
static bool is_ours(uint8_t head)
{
	const uint8_t info = head & INFO_MASK;

	switch (head >> MAJOR_SHIFT) {
	case MAJOR_TAG: return info < INFO_1_BYTE;
	case MAJOR_SIMPLE: return info < SIMPLE_FALSE || info == INFO_1_BYTE;
	default: return false;
	}
}

/* The bytes of such an item; 0 when it is not well-formed. */
static size_t take_ours(struct span rest, struct cbor_item *item)
{
	const uint8_t info = rest.p[0] & INFO_MASK;

	if (info < INFO_1_BYTE) {
		take(item,
		     rest.p[0] >> MAJOR_SHIFT == MAJOR_TAG ? CBOR_TAG
							   : CBOR_SIMPLE,
		     info);
		return 1;
	}
	if (rest.n < 2 || rest.p[1] < SIMPLE_2_BYTES_MIN)
		return 0;
	take(item, CBOR_SIMPLE, rest.p[1]);
	return 2;
}

/* The bytes of the next item, 0 when it is cut off or not well-formed. */
static size_t take_item(struct span rest, struct cbor_item *item)
{
	struct cbor_decoder_result got;

	if (is_ours(rest.p[0]))
		return take_ours(rest, item);
	got = cbor_stream_decode(rest.p, rest.n, &TAKE, item);
	return got.status == CBOR_DECODER_FINISHED ? got.read : 0;
}

/* Could the argument, or the float, have been written in fewer bytes? */
static bool is_shortest(uint8_t info, const struct cbor_item *item)
{
	if (item->type == CBOR_FLOAT)
		return real_shortest_bytes(item->real) ==
		       (size_t)1 << (info - INFO_1_BYTE);
	switch (info) {
	case INFO_1_BYTE: return item->arg >= INFO_1_BYTE;
	case INFO_2_BYTES: return item->arg > UINT8_MAX;
	case INFO_4_BYTES: return item->arg > UINT16_MAX;
	case INFO_8_BYTES: return item->arg > UINT32_MAX;
	default: return true;
	}
}

static bool is_deterministic(uint8_t head, const struct cbor_item *item)
{
	const uint8_t info = head & INFO_MASK;

	if (info == INFO_INDEFINITE)
		return false;
	/* A NaN has many encodings; the one of s. 4.2.2 is taken. */
	if (item->type == CBOR_FLOAT && isnan(item->real))
		return item->all.n == 3 && item->all.p[1] == 0x7e &&
		       item->all.p[2] == 0x00;
	return info < INFO_1_BYTE || item->type == CBOR_SIMPLE ||
	       is_shortest(info, item);
}

/* Can LEFT bytes hold what the head promises?  Strings have been taken whole
 * by then; an item takes at least one byte. */
static bool is_plausible(const struct cbor_item *item, size_t left)
{
	switch (item->type) {
	case CBOR_ARRAY: return item->arg <= left;
	case CBOR_MAP: return item->arg <= left / 2;
	case CBOR_TEXT: return utf8_valid(item->run);
	default: return true;
	}
}

enum sg_err cbor_next(struct cbor_reader *r, struct cbor_item *item)
{
	const struct span rest = span_of(r->in.p + r->at, r->in.n - r->at);
	size_t n;

	if (rest.n == 0)
		return SG_MALFORMED;
	*item = (struct cbor_item){0};
	n = take_item(rest, item);
	if (n == 0)
		return SG_MALFORMED;
	item->all = span_of(rest.p, n);
	if (!is_plausible(item, rest.n - n))
		return SG_MALFORMED;
	if (r->mode == CBOR_DETERMINISTIC && !is_deterministic(rest.p[0], item))
		return SG_MALFORMED;
	r->at += n;
	return SG_OK;
}

enum sg_err cbor_string(struct cbor_reader *r, enum cbor_type type,
			struct span *run)
{
	struct cbor_reader at = *r;
	struct cbor_item item;
	const enum sg_err e = cbor_next(&at, &item);

	if (e != SG_OK)
		return e;
	if (item.type != type || item.indefinite)
		return SG_MALFORMED;
	*run = item.run;
	*r = at;
	return SG_OK;
}

bool cbor_more(struct cbor_reader *r, const struct cbor_item *head,
	       uint64_t *taken)
{
	const uint8_t brk = 0xff; /* s. 3.2.1 */
	const uint64_t count =
		head->type == CBOR_MAP ? 2 * head->arg : head->arg;

	if (!head->indefinite) {
		if (*taken == count)
			return false;
	} else if (!cbor_at_end(r) && r->in.p[r->at] == brk) {
		r->at++;
		return false;
	}
	(*taken)++;
	return true;
}

bool cbor_int(const struct cbor_item *item, int64_t *value)
{
	if (item->arg > INT64_MAX)
		return false;
	if (item->type == CBOR_UINT)
		*value = (int64_t)item->arg;
	else if (item->type == CBOR_NINT)
		*value = -1 - (int64_t)item->arg;
	else
		return false;
	return true;
}
