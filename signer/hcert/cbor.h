/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CBOR_H
#define SG_CBOR_H

#include "base/err.h"
#include "base/span.h"

/*
 * cbor: a pull reader and a measure-or-write writer for CBOR (RFC 8949), over
 * libcbor's streaming decoder and encoders.  No allocation.  Thread-safe: all
 * state is the caller's.
 */

enum cbor_type {
	CBOR_UINT,  /* arg: the value */
	CBOR_NINT,  /* arg: -1 - value */
	CBOR_BYTES, /* run: the bytes */
	CBOR_TEXT,  /* run: the bytes, checked UTF-8 */
	CBOR_ARRAY, /* arg: items */
	CBOR_MAP,   /* arg: pairs */
	CBOR_TAG,   /* arg: number; the tagged item follows */
	CBOR_FALSE,
	CBOR_TRUE,
	CBOR_NULL,
	CBOR_UNDEFINED,
	CBOR_SIMPLE, /* arg: the number */
	CBOR_FLOAT,  /* real */
	CBOR_BREAK   /* only from a lax reader: end of an indefinite item */
};

struct cbor_item {
	enum cbor_type type;
	bool indefinite; /* array, map, bytes, text of a lax reader: arg is 0
			    and run empty; chunks or items follow to a BREAK */
	uint64_t arg;
	double real;
	struct span run;
	struct span all; /* the head's bytes, with the run where there is one */
};

enum cbor_mode {
	/* RFC 8949 s. 4.2.1: shortest heads, definite lengths; shortest floats
	 * too.  Key order is for cbor_check(). */
	CBOR_DETERMINISTIC,
	CBOR_LAX /* any well-formed CBOR: for what others wrote */
};

struct cbor_reader {
	struct span in;
	size_t at; /* offset of the next item */
	enum cbor_mode mode;
};

static inline struct cbor_reader cbor_read(struct span in, enum cbor_mode mode)
{
	return (struct cbor_reader){.in = in, .mode = mode};
}

static inline bool cbor_at_end(const struct cbor_reader *r)
{
	return r->at == r->in.n;
}

/*
 * Take the next item's head, and its run for a string.  A count or length
 * that cannot fit what is left of the input is malformed, so no caller ever
 * loops or allocates on a false promise.
 * Errors: SG_MALFORMED (truncated, not well-formed, not UTF-8, or against
 * R's mode); R stays where it was.
 */
SG_MUST_USE enum sg_err cbor_next(struct cbor_reader *r,
				  struct cbor_item *item);

/*
 * Take the next item, which must be a string of TYPE (CBOR_BYTES, CBOR_TEXT)
 * in one piece: *RUN lies in the input.
 * Errors: as cbor_next(), and SG_MALFORMED for anything else; R stays where it
 * was.
 */
SG_MUST_USE enum sg_err cbor_string(struct cbor_reader *r, enum cbor_type type,
				    struct span *run);

/*
 * Is there one more item in the array or map that HEAD opened?  *TAKEN counts
 * them (those of a map are its keys and values); begin with 0.  The end of an
 * indefinite one, its BREAK, is taken from R.  Every item must be taken whole
 * before the next call.  An indefinite map may end after a key: who reads
 * pairs asks for keys alone, so that the BREAK is found where a value must be.
 */
bool cbor_more(struct cbor_reader *r, const struct cbor_item *head,
	       uint64_t *taken);

/* Most levels of nesting that cbor_skip() and cbor_check() know. */
enum { CBOR_DEPTH_MAX = 32 };

/*
 * Pass one whole item, nested ones included, at most DEPTH_MAX levels (and
 * CBOR_DEPTH_MAX); *ALL (may be NULL) gets its bytes.
 * Errors: SG_MALFORMED, also when it is nested deeper; R stays where it was.
 */
SG_MUST_USE enum sg_err cbor_skip(struct cbor_reader *r, unsigned depth_max,
				  struct span *all);

struct cbor_limits {
	unsigned depth; /* nesting levels of arrays, maps; <= CBOR_DEPTH_MAX */
	size_t items;	/* items in all, tags too */
};

/*
 * Is IN exactly one deterministically encoded item (RFC 8949 s. 4.2.1): no
 * trailing bytes, shortest heads, definite lengths, map keys unique and in
 * bytewise order, UTF-8 text, within LIMITS?  Map keys must be integers or
 * text.
 * Errors: SG_MALFORMED, SG_DUPLICATE_KEY, SG_TOO_BIG (beyond LIMITS).
 */
SG_MUST_USE enum sg_err cbor_check(struct span in, struct cbor_limits limits);

/* The integer of a UINT or NINT item, if it fits. */
bool cbor_int(const struct cbor_item *item, int64_t *value);

/* A writer that counts past its end, so that one pass writes or measures. */
struct cbor_writer {
	uint8_t *p;
	size_t cap;
	size_t len;    /* bytes wanted so far */
	bool overflow; /* len no longer fits a size_t */
};

static inline struct cbor_writer cbor_write(void *p, size_t cap)
{
	return (struct cbor_writer){.p = (uint8_t *)p, .cap = cap};
}

/* Shortest heads always; the caller keeps key order and counts. */
void cbor_put_uint(struct cbor_writer *w, uint64_t v);
void cbor_put_int(struct cbor_writer *w, int64_t v);
void cbor_put_bytes(struct cbor_writer *w, struct span s);
void cbor_put_text(struct cbor_writer *w, struct span s);
void cbor_put_array(struct cbor_writer *w, uint64_t items);
/* Does A, encoded, come before B (s. 4.2.1): is it shorter, or lower byte by
 * byte? */
bool cbor_text_before(struct span a, struct span b);
void cbor_put_map(struct cbor_writer *w, uint64_t pairs);
void cbor_put_tag(struct cbor_writer *w, uint64_t tag);
void cbor_put_bool(struct cbor_writer *w, bool v);
void cbor_put_null(struct cbor_writer *w);
/* Shortest of half, single and double that keeps the value (s. 4.2.1). */
void cbor_put_real(struct cbor_writer *w, double v);
/* An item, or several, already encoded. */
void cbor_put_raw(struct cbor_writer *w, struct span encoded);

/* SG_OK if all fitted, else SG_TOO_BIG; *LEN (may be NULL) gets the bytes
 * needed, 0 on overflow. */
SG_MUST_USE enum sg_err cbor_done(const struct cbor_writer *w, size_t *len);

#endif /* SG_CBOR_H */
