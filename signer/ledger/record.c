/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <libdeflate.h>

#include "hcert/cbor.h"

/* Map keys of a record: see README.md. */
enum {
	FIELD_INDEX = 1,
	FIELD_ENTRY,
	FIELD_SIGNATURE,
	FIELD_COUNTRY,
	FIELD_UCI,
	FIELD_COUNTRY_UCI,
	FIELD_PAYLOAD
};

enum { PLAIN_FIELDS = 2, CERTIFICATE_FIELDS = 7 };

/* The head: length of the body, then the CRC, little-endian. */
enum { LENGTH_BYTES = 4 };

static uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static void store_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

/* Over the length at the beginning of FRAME, and N bytes of body. */
static uint32_t crc_of(const uint8_t *frame, size_t n)
{
	return libdeflate_crc32(libdeflate_crc32(0, frame, LENGTH_BYTES),
				frame + RECORD_HEAD_BYTES, n);
}

void record_frame(uint8_t *frame, size_t body_n)
{
	store_le32(frame, (uint32_t)body_n);
	store_le32(frame + LENGTH_BYTES, crc_of(frame, body_n));
}

enum sg_err record_unframe(struct span in, size_t body_max, struct span *body)
{
	uint32_t n;

	if (in.n < RECORD_HEAD_BYTES)
		return SG_NOT_FOUND;
	n = load_le32(in.p);
	if (n == 0 || n > body_max)
		return SG_MALFORMED;
	if (in.n - RECORD_HEAD_BYTES < n)
		return SG_NOT_FOUND;
	if (load_le32(in.p + LENGTH_BYTES) != crc_of(in.p, n))
		return SG_MALFORMED;
	*body = span_of(in.p + RECORD_HEAD_BYTES, n);
	return SG_OK;
}

/* --- encoding ------------------------------------------------------------- */

static bool is_certificate(const struct record *r)
{
	return r->signature.n > 0 && r->uci != NULL && r->country_uci != NULL &&
	       r->payload != NULL;
}

static bool is_plain(const struct record *r)
{
	return r->signature.n == 0 && r->country.n == 0 && r->uci == NULL &&
	       r->country_uci == NULL && r->payload == NULL;
}

static bool is_sound(const struct record *r)
{
	return r->entry.n > 0 && r->entry.n <= ENTRY_BYTES_MAX &&
	       r->signature.n <= COSE_SIG_MAX &&
	       r->country.n <= RECORD_COUNTRY_MAX &&
	       (is_certificate(r) || is_plain(r));
}

static void put_bytes(struct cbor_writer *w, uint64_t field, struct span s)
{
	cbor_put_uint(w, field);
	cbor_put_bytes(w, s);
}

static void put_body(struct cbor_writer *w, const struct record *r)
{
	const bool plain = is_plain(r);

	cbor_put_map(w, plain ? PLAIN_FIELDS : CERTIFICATE_FIELDS);
	cbor_put_uint(w, FIELD_INDEX);
	cbor_put_uint(w, r->index);
	put_bytes(w, FIELD_ENTRY, r->entry);
	if (plain)
		return;
	put_bytes(w, FIELD_SIGNATURE, r->signature);
	cbor_put_uint(w, FIELD_COUNTRY);
	cbor_put_text(w, r->country);
	put_bytes(w, FIELD_UCI, span_of(r->uci, RECORD_HASH_BYTES));
	put_bytes(w, FIELD_COUNTRY_UCI,
		  span_of(r->country_uci, RECORD_HASH_BYTES));
	put_bytes(w, FIELD_PAYLOAD, span_of(r->payload, RECORD_HASH_BYTES));
}

enum sg_err record_encode(const struct record *r, uint8_t *out, size_t cap,
			  size_t *len)
{
	const bool head_fits = cap >= RECORD_HEAD_BYTES;
	struct cbor_writer w = head_fits ? cbor_write(out + RECORD_HEAD_BYTES,
						      cap - RECORD_HEAD_BYTES)
					 : cbor_write(NULL, 0);
	size_t n;
	enum sg_err err;

	*len = 0;
	if (!is_sound(r))
		return SG_MALFORMED;
	put_body(&w, r);
	err = cbor_done(&w, &n);
	*len = RECORD_HEAD_BYTES + n;
	if (err == SG_OK)
		record_frame(out, n);
	return err;
}

/* --- decoding ------------------------------------------------------------- */

static enum sg_err take_key(struct cbor_reader *r, uint64_t want)
{
	struct cbor_item key;
	const enum sg_err err = cbor_next(r, &key);

	if (err != SG_OK)
		return err;
	return key.type == CBOR_UINT && key.arg == want ? SG_OK : SG_MALFORMED;
}

static enum sg_err take_string(struct cbor_reader *r, uint64_t key,
			       enum cbor_type type, struct span *out)
{
	const enum sg_err err = take_key(r, key);

	return err == SG_OK ? cbor_string(r, type, out) : err;
}

static enum sg_err take_hash(struct cbor_reader *r, uint64_t key,
			     const uint8_t **out)
{
	struct span run;
	const enum sg_err err = take_string(r, key, CBOR_BYTES, &run);

	if (err != SG_OK)
		return err;
	*out = run.p;
	return run.n == RECORD_HASH_BYTES ? SG_OK : SG_MALFORMED;
}

static enum sg_err take_certificate(struct cbor_reader *r, struct record *out)
{
	enum sg_err err =
		take_string(r, FIELD_SIGNATURE, CBOR_BYTES, &out->signature);

	if (err == SG_OK)
		err = take_string(r, FIELD_COUNTRY, CBOR_TEXT, &out->country);
	if (err == SG_OK)
		err = take_hash(r, FIELD_UCI, &out->uci);
	if (err == SG_OK)
		err = take_hash(r, FIELD_COUNTRY_UCI, &out->country_uci);
	if (err == SG_OK)
		err = take_hash(r, FIELD_PAYLOAD, &out->payload);
	return err == SG_OK && out->signature.n == 0 ? SG_MALFORMED : err;
}

static enum sg_err take_body(struct span body, struct record *out)
{
	struct cbor_reader r = cbor_read(body, CBOR_DETERMINISTIC);
	struct cbor_item item;
	uint64_t fields;
	enum sg_err err = cbor_next(&r, &item);

	if (err != SG_OK)
		return err;
	fields = item.arg;
	if (item.type != CBOR_MAP ||
	    (fields != PLAIN_FIELDS && fields != CERTIFICATE_FIELDS))
		return SG_MALFORMED;
	err = take_key(&r, FIELD_INDEX);
	if (err == SG_OK)
		err = cbor_next(&r, &item);
	if (err != SG_OK)
		return err;
	if (item.type != CBOR_UINT)
		return SG_MALFORMED;
	out->index = item.arg;
	err = take_string(&r, FIELD_ENTRY, CBOR_BYTES, &out->entry);
	if (err == SG_OK && fields == CERTIFICATE_FIELDS)
		err = take_certificate(&r, out);
	if (err == SG_OK && (!cbor_at_end(&r) || !is_sound(out)))
		err = SG_MALFORMED;
	return err;
}

enum sg_err record_decode(struct span in, struct record *out, size_t *len)
{
	struct record r = {0};
	struct span body;
	enum sg_err err =
		record_unframe(in, RECORD_BYTES_MAX - RECORD_HEAD_BYTES, &body);

	if (err == SG_OK)
		err = take_body(body, &r);
	if (err != SG_OK)
		return err;
	*out = r;
	*len = RECORD_HEAD_BYTES + body.n;
	return SG_OK;
}
