/* SPDX-License-Identifier: Apache-2.0 */
#include "dcc_cbor.h"

#include <stdio.h>

#include "hcert/cbor.h"

enum {
	TAG_DATE_TIME = 0, /* RFC 8949 s. 3.4.1: text; dates stay untagged */
	HEAD_MAX = 9	   /* bytes of the longest head */
};

struct walk {
	struct dcc_scratch *s;
	struct cbor_reader r;
	struct cbor_writer w; /* over s->request */
};

static enum sg_err put_item(struct walk *k, const struct cbor_item *item,
			    unsigned depth);

static enum sg_err next(struct walk *k, struct cbor_item *item)
{
	if (cbor_next(&k->r, item) == SG_OK)
		return SG_OK;
	(void)snprintf(k->s->detail, sizeof(k->s->detail),
		       "the CBOR is not well-formed, or not UTF-8 (byte %zu)",
		       k->r.at);
	return SG_MALFORMED;
}

/* Has all so far fitted?  To be asked before a look at what was written. */
static bool fits(const struct walk *k)
{
	return !k->w.overflow && k->w.len <= k->w.cap;
}

/* The chunks of an indefinite string, put together. */
static enum sg_err join(struct walk *k, enum cbor_type type, struct span *whole)
{
	struct cbor_item chunk;
	size_t n = 0;
	enum sg_err err;

	for (;;) {
		err = next(k, &chunk);
		if (err != SG_OK)
			return err;
		if (chunk.type == CBOR_BREAK)
			break;
		if (chunk.type != type || chunk.indefinite)
			return dcc_fault(
				k->s, SG_MALFORMED,
				"a string has a chunk of another type");
		if (chunk.run.n > sizeof(k->s->copy) - n)
			return SG_TOO_BIG;
		if (chunk.run.n > 0)
			memcpy(k->s->copy + n, chunk.run.p, chunk.run.n);
		n += chunk.run.n;
	}
	*whole = span_of(k->s->copy, n);
	return SG_OK;
}

/* A string; *RUN (may be NULL) is where its bytes now lie. */
static enum sg_err put_string(struct walk *k, const struct cbor_item *item,
			      struct span *run)
{
	struct span whole = item->run;
	enum sg_err err = SG_OK;

	if (item->indefinite)
		err = join(k, item->type, &whole);
	if (err != SG_OK)
		return err;
	if (item->type == CBOR_TEXT)
		cbor_put_text(&k->w, whole);
	else
		cbor_put_bytes(&k->w, whole);
	if (!fits(k))
		return SG_TOO_BIG;
	if (run != NULL)
		*run = span_of(k->w.p + k->w.len - whole.n, whole.n);
	return SG_OK;
}

/* Read the next item of an array or map that has N of them, or, INDEFINITE,
 * ends with a break.  SG_NOT_FOUND at the end. */
static enum sg_err next_of(struct walk *k, const struct cbor_item *container,
			   uint64_t done, struct cbor_item *item)
{
	enum sg_err err;

	if (!container->indefinite && done == container->arg)
		return SG_NOT_FOUND;
	err = next(k, item);
	if (err == SG_OK && item->type == CBOR_BREAK && container->indefinite)
		return SG_NOT_FOUND;
	return err;
}

static enum sg_err put_array(struct walk *k, const struct cbor_item *array,
			     unsigned depth)
{
	const size_t start = k->w.len;
	uint8_t buf[HEAD_MAX];
	struct cbor_writer head = cbor_write(buf, sizeof(buf));
	struct cbor_item item;
	uint64_t n = 0;
	enum sg_err err;

	while ((err = next_of(k, array, n, &item)) == SG_OK) {
		err = put_item(k, &item, depth);
		if (err != SG_OK)
			return err;
		n++;
	}
	if (err != SG_NOT_FOUND)
		return err;
	/* The count is known now: make room for the head. */
	cbor_put_array(&head, n);
	cbor_put_raw(&k->w, span_of(buf, head.len));
	if (!fits(k))
		return SG_TOO_BIG;
	memmove(k->w.p + start + head.len, k->w.p + start,
		k->w.len - start - head.len);
	memcpy(k->w.p + start, buf, head.len);
	return SG_OK;
}

static enum sg_err put_pair(struct walk *k, const struct cbor_item *key,
			    unsigned depth)
{
	struct dcc_member *m = dcc_member_add(k->s);
	const size_t start = k->w.len;
	struct cbor_item value;
	enum sg_err err;

	if (m == NULL)
		return SG_TOO_BIG;
	if (key->type != CBOR_TEXT)
		return dcc_fault(k->s, SG_MALFORMED, "map keys must be text");
	err = put_string(k, key, &m->key);
	if (err == SG_OK)
		err = next(k, &value);
	if (err == SG_OK)
		err = put_item(k, &value, depth);
	if (err == SG_OK)
		m->pair = span_of(k->w.p + start, k->w.len - start);
	return err;
}

/* The pairs from FIRST on, which lie behind START, in order and with their
 * head before them. */
static enum sg_err put_in_order(struct walk *k, size_t start, size_t first)
{
	struct dcc_scratch *s = k->s;
	struct cbor_writer sorted = cbor_write(s->copy, sizeof(s->copy));
	enum sg_err err = dcc_members_sort(s, first);

	if (err != SG_OK)
		return err;
	cbor_put_map(&sorted, s->used - first);
	for (size_t i = first; i < s->used; i++)
		cbor_put_raw(&sorted, s->member[i].pair);
	s->used = first;
	err = cbor_done(&sorted, NULL);
	if (err != SG_OK)
		return err;
	k->w.len = start;
	cbor_put_raw(&k->w, span_of(s->copy, sorted.len));
	return fits(k) ? SG_OK : SG_TOO_BIG;
}

static enum sg_err put_map(struct walk *k, const struct cbor_item *map,
			   unsigned depth)
{
	const size_t start = k->w.len;
	const size_t first = k->s->used;
	struct cbor_item key;
	uint64_t n = 0;
	enum sg_err err;

	while ((err = next_of(k, map, n, &key)) == SG_OK) {
		err = put_pair(k, &key, depth);
		if (err != SG_OK)
			return err;
		n++;
	}
	return err == SG_NOT_FOUND ? put_in_order(k, start, first) : err;
}

static enum sg_err put_tagged(struct walk *k, uint64_t tag)
{
	struct cbor_item item;
	enum sg_err err;

	if (tag != TAG_DATE_TIME)
		return dcc_fault(k->s, SG_MALFORMED, "tags are not taken");
	err = next(k, &item);
	if (err != SG_OK)
		return err;
	if (item.type != CBOR_TEXT)
		return dcc_fault(k->s, SG_MALFORMED, "tag 0 must be on text");
	return put_string(k, &item, NULL);
}

static void put_real(struct walk *k, double v)
{
	int64_t whole;

	if (dcc_whole(v, &whole))
		cbor_put_int(&k->w, whole);
	else
		cbor_put_real(&k->w, v);
}

static void put_other(struct walk *k, const struct cbor_item *item)
{
	int64_t v;

	if (item->type == CBOR_NINT && cbor_int(item, &v))
		cbor_put_int(&k->w, v);
	else /* simple values, and what only the longest head can hold */
		cbor_put_raw(&k->w, item->all);
}

/* Write ITEM, whose head has been read, with what is inside of it; DEPTH
 * levels are left. */
static enum sg_err put_item(struct walk *k, const struct cbor_item *item,
			    unsigned depth)
{
	switch (item->type) {
	case CBOR_UINT: cbor_put_uint(&k->w, item->arg); break;
	case CBOR_BYTES:
	case CBOR_TEXT: return put_string(k, item, NULL);
	case CBOR_ARRAY:
	case CBOR_MAP:
		if (depth == 0)
			return dcc_fault(k->s, SG_MALFORMED,
					 "the CBOR is nested too deeply");
		return item->type == CBOR_MAP ? put_map(k, item, depth - 1)
					      : put_array(k, item, depth - 1);
	case CBOR_TAG: return put_tagged(k, item->arg);
	case CBOR_FLOAT: put_real(k, item->real); break;
	case CBOR_BREAK:
		return dcc_fault(k->s, SG_MALFORMED,
				 "a break stands where nothing is open");
	default: put_other(k, item); break;
	}
	return fits(k) ? SG_OK : SG_TOO_BIG;
}

enum sg_err dcc_cbor_read(struct dcc_scratch *s, struct span body,
			  struct span *request)
{
	struct walk k = {.s = s,
			 .r = cbor_read(body, CBOR_LAX),
			 .w = cbor_write(s->request, sizeof(s->request))};
	struct cbor_item item;
	enum sg_err err;

	dcc_scratch_reset(s);
	err = next(&k, &item);
	if (err != SG_OK)
		return err;
	if (item.type != CBOR_MAP)
		return dcc_fault(s, SG_MALFORMED,
				 "the request must be a CBOR map");
	err = put_item(&k, &item, DCC_DEPTH_MAX);
	if (err != SG_OK)
		return err;
	if (!cbor_at_end(&k.r))
		return dcc_fault(s, SG_MALFORMED,
				 "something follows the CBOR map");
	*request = span_of(s->request, k.w.len);
	return SG_OK;
}

struct span dcc_request_text(struct span request, const char *key)
{
	struct cbor_reader r = cbor_read(request, CBOR_DETERMINISTIC);
	const struct span none = {0};
	struct cbor_item item;
	struct cbor_item name;
	bool found;

	if (cbor_next(&r, &item) != SG_OK || item.type != CBOR_MAP)
		return none;
	for (uint64_t n = item.arg; n > 0; n--) {
		if (cbor_next(&r, &name) != SG_OK)
			return none;
		/* Keys stand in order: after a longer one it does not come. */
		if (name.type == CBOR_TEXT && name.run.n > strlen(key))
			return none;
		found = name.type == CBOR_TEXT && span_is(name.run, key);
		if (!found && cbor_skip(&r, DCC_DEPTH_MAX, NULL) != SG_OK)
			return none;
		if (found)
			return cbor_next(&r, &item) == SG_OK &&
					       item.type == CBOR_TEXT
				       ? item.run
				       : none;
	}
	return none;
}
