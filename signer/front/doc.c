/* SPDX-License-Identifier: Apache-2.0 */
#include "doc.h"

#include <assert.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/hex.h"

enum {
	ITEM_DEPTH_MAX = 16,
	BASE64_RUN = 768, /* bytes encoded at a time: a multiple of 3 */
	NUMBER_BYTES = 32
};

static void put(struct doc *d, const void *text, size_t n)
{
	cbor_put_raw(&d->w, span_of(text, n));
}

/* JSON: what stands between the value before and the next one. */
static void separate(struct doc *d)
{
	if (d->comma)
		put(d, ",", 1);
	d->comma = true;
}

static void open_bracket(struct doc *d, const char *bracket)
{
	separate(d);
	put(d, bracket, 1);
	d->comma = false;
}

static void close_bracket(struct doc *d, const char *bracket)
{
	put(d, bracket, 1);
	d->comma = true;
}

void doc_map(struct doc *d, uint64_t pairs)
{
	if (d->form == DOC_CBOR)
		cbor_put_map(&d->w, pairs);
	else
		open_bracket(d, "{");
}

void doc_map_end(struct doc *d)
{
	if (d->form == DOC_JSON)
		close_bracket(d, "}");
}

void doc_array(struct doc *d, uint64_t items)
{
	if (d->form == DOC_CBOR)
		cbor_put_array(&d->w, items);
	else
		open_bracket(d, "[");
}

void doc_array_end(struct doc *d)
{
	if (d->form == DOC_JSON)
		close_bracket(d, "]");
}

/* --- text -------------------------------------------------------------- */

/* Bytes of the UTF-8 character that P (N > 0 bytes) begins with; 0 if it is
 * none (RFC 3629 s. 4). */
static size_t utf8_bytes(const uint8_t *p, size_t n)
{
	size_t want;
	uint32_t least;
	uint32_t c;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] < 0xe0) {
		want = 2;
		least = 0x80;
		c = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] < 0xf0) {
		want = 3;
		least = 0x800;
		c = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] < 0xf5) {
		want = 4;
		least = 0x10000;
		c = p[0] & 0x07;
	} else {
		return 0;
	}
	if (n < want)
		return 0;
	for (size_t i = 1; i < want; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return want;
}

/* Characters that stand for themselves in a JSON string (RFC 8259 s. 7). */
static bool plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The character at P, escaped where it must be; returns its bytes. */
static size_t put_special(struct doc *d, const uint8_t *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t bytes = utf8_bytes(p, n);
	char escape[6] = {'\\', 'u', '0', '0', 0, 0};

	if (bytes == 0) {
		put(d, "\xef\xbf\xbd", 3); /* U+FFFD */
		return 1;
	}
	if (bytes > 1) {
		put(d, p, bytes);
		return bytes;
	}
	if (*p == '"' || *p == '\\') {
		escape[1] = (char)*p;
		put(d, escape, 2);
		return 1;
	}
	escape[4] = hex[*p >> 4];
	escape[5] = hex[*p & 15];
	put(d, escape, sizeof(escape));
	return 1;
}

static void put_string(struct doc *d, struct span text)
{
	size_t run = 0; /* where the plain characters began */
	size_t at = 0;

	put(d, "\"", 1);
	while (at < text.n) {
		if (plain(text.p[at])) {
			at++;
			continue;
		}
		put(d, text.p + run, at - run);
		at += put_special(d, text.p + at, text.n - at);
		run = at;
	}
	if (at > run)
		put(d, text.p + run, at - run);
	put(d, "\"", 1);
}

void doc_text(struct doc *d, struct span text)
{
	if (d->form == DOC_CBOR) {
		cbor_put_text(&d->w, text);
		return;
	}
	separate(d);
	put_string(d, text);
}

void doc_str(struct doc *d, const char *text)
{
	doc_text(d, span_str(text));
}

void doc_key(struct doc *d, const char *key)
{
	doc_text(d, span_str(key));
	if (d->form == DOC_JSON)
		put(d, ":", 1);
	d->comma = false;
}

static void put_base64(struct doc *d, struct span bytes, enum base64_form form)
{
	char text[(BASE64_RUN + 2) / 3 * 4];
	struct span run;

	separate(d);
	put(d, "\"", 1);
	while (bytes.n > 0) {
		run = span_of(bytes.p,
			      bytes.n < BASE64_RUN ? bytes.n : BASE64_RUN);
		put(d, text, base64_encode(run, form, text));
		bytes.p += run.n;
		bytes.n -= run.n;
	}
	put(d, "\"", 1);
}

void doc_bytes(struct doc *d, struct span bytes)
{
	if (d->form == DOC_CBOR)
		cbor_put_bytes(&d->w, bytes);
	else
		put_base64(d, bytes, BASE64_STANDARD);
}

void doc_base64url(struct doc *d, struct span bytes)
{
	assert(d->form == DOC_JSON);
	put_base64(d, bytes, BASE64_URL);
}

void doc_hex(struct doc *d, struct span bytes)
{
	char pair[3];

	if (d->form == DOC_CBOR) {
		cbor_put_bytes(&d->w, bytes);
		return;
	}
	separate(d);
	put(d, "\"", 1);
	for (size_t i = 0; i < bytes.n; i++) {
		hex_encode(bytes.p + i, 1, pair);
		put(d, pair, 2);
	}
	put(d, "\"", 1);
}

/* --- numbers ----------------------------------------------------------- */

static void put_literal(struct doc *d, const char *text)
{
	separate(d);
	put(d, text, strlen(text));
}

void doc_int(struct doc *d, int64_t v)
{
	char text[NUMBER_BYTES];

	if (d->form == DOC_CBOR) {
		cbor_put_int(&d->w, v);
		return;
	}
	(void)snprintf(text, sizeof(text), "%lld", (long long)v);
	put_literal(d, text);
}

void doc_bool(struct doc *d, bool v)
{
	if (d->form == DOC_CBOR)
		cbor_put_bool(&d->w, v);
	else
		put_literal(d, v ? "true" : "false");
}

/* --- items of the core ------------------------------------------------- */

static enum sg_err put_item(struct doc *d, struct cbor_reader *r,
			    unsigned depth);

static enum sg_err put_pairs(struct doc *d, struct cbor_reader *r, uint64_t n,
			     unsigned depth)
{
	struct cbor_item key;
	enum sg_err err;

	open_bracket(d, "{");
	for (; n > 0; n--) {
		err = cbor_next(r, &key);
		if (err != SG_OK)
			return err;
		if (key.type != CBOR_TEXT)
			return SG_MALFORMED;
		doc_text(d, key.run);
		put(d, ":", 1);
		d->comma = false;
		err = put_item(d, r, depth);
		if (err != SG_OK)
			return err;
	}
	close_bracket(d, "}");
	return SG_OK;
}

static enum sg_err put_items(struct doc *d, struct cbor_reader *r, uint64_t n,
			     unsigned depth)
{
	enum sg_err err;

	open_bracket(d, "[");
	for (; n > 0; n--) {
		err = put_item(d, r, depth);
		if (err != SG_OK)
			return err;
	}
	close_bracket(d, "]");
	return SG_OK;
}

static enum sg_err put_item(struct doc *d, struct cbor_reader *r,
			    unsigned depth)
{
	struct cbor_item item;
	int64_t v;
	enum sg_err err = cbor_next(r, &item);

	if (err != SG_OK)
		return err;
	switch (item.type) {
	case CBOR_UINT:
	case CBOR_NINT:
		if (!cbor_int(&item, &v))
			return SG_MALFORMED;
		doc_int(d, v);
		return SG_OK;
	case CBOR_TEXT: doc_text(d, item.run); return SG_OK;
	case CBOR_BYTES:
		if (d->hex && item.run.n == DOC_HEX_BYTES)
			doc_hex(d, item.run);
		else
			doc_bytes(d, item.run);
		return SG_OK;
	case CBOR_FALSE: doc_bool(d, false); return SG_OK;
	case CBOR_TRUE: doc_bool(d, true); return SG_OK;
	case CBOR_NULL: put_literal(d, "null"); return SG_OK;
	case CBOR_ARRAY:
		if (depth == 0)
			return SG_MALFORMED;
		return put_items(d, r, item.arg, depth - 1);
	case CBOR_MAP:
		if (depth == 0)
			return SG_MALFORMED;
		return put_pairs(d, r, item.arg, depth - 1);
	default: return SG_MALFORMED; /* the core writes nothing else */
	}
}

enum sg_err doc_item(struct doc *d, struct span cbor)
{
	struct cbor_reader r = cbor_read(cbor, CBOR_DETERMINISTIC);
	enum sg_err err;

	if (d->form == DOC_CBOR) {
		cbor_put_raw(&d->w, cbor);
		return SG_OK;
	}
	err = put_item(d, &r, ITEM_DEPTH_MAX);
	return err == SG_OK && !cbor_at_end(&r) ? SG_MALFORMED : err;
}

enum sg_err doc_item_hex(struct doc *d, struct span cbor)
{
	enum sg_err err;

	d->hex = true;
	err = doc_item(d, cbor);
	d->hex = false;
	return err;
}

enum sg_err doc_done(const struct doc *d, struct span *out)
{
	size_t len;
	enum sg_err err = cbor_done(&d->w, &len);

	if (err == SG_OK)
		*out = span_of(d->w.p, len);
	return err;
}
