/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony_done.h"

#include "hcert/cbor.h"

static void put_text(struct cbor_writer *w, const char *text)
{
	cbor_put_text(w, span_str(text));
}

enum sg_err ceremony_done_encode(const struct store_item *item,
				 const uint8_t hash[STORE_HASH_BYTES],
				 uint8_t *out, size_t cap, size_t *len)
{
	const struct outcome *o = &item->outcome;
	struct cbor_writer w = cbor_write(out, cap);
	uint64_t n = 2;

	n += o->csr.n > 0;
	n += item->nadopted > 0;
	n += o->spki.n > 0;
	n += item->policy != NULL;
	cbor_put_map(&w, n);
	if (o->csr.n > 0) {
		put_text(&w, "csr");
		cbor_put_bytes(&w, o->csr);
	}
	put_text(&w, "hash");
	cbor_put_bytes(&w, span_of(hash, STORE_HASH_BYTES));
	if (item->nadopted > 0) {
		put_text(&w, "keys");
		cbor_put_array(&w, item->nadopted);
	}
	for (size_t i = 0; i < item->nadopted; i++) {
		cbor_put_array(&w, 2);
		cbor_put_text(&w, item->adopted[i].label);
		cbor_put_bytes(
			&w, span_of(item->adopted[i].spki, STORE_HASH_BYTES));
	}
	if (o->spki.n > 0) {
		put_text(&w, "spki");
		cbor_put_bytes(&w, o->spki);
	}
	put_text(&w, "time");
	cbor_put_int(&w, o->time);
	if (item->policy != NULL) {
		put_text(&w, "policy");
		cbor_put_bytes(&w, span_of(item->policy, STORE_HASH_BYTES));
	}
	return cbor_done(&w, len);
}

/* Is KEY the next text?  It is taken only then. */
static bool take_key(struct cbor_reader *r, const char *key)
{
	struct cbor_reader at = *r;
	struct span text;

	if (cbor_string(&at, CBOR_TEXT, &text) != SG_OK || !span_is(text, key))
		return false;
	*r = at;
	return true;
}

static enum sg_err take_bytes(struct cbor_reader *r, struct span *out)
{
	return cbor_string(r, CBOR_BYTES, out) == SG_OK && out->n > 0
		       ? SG_OK
		       : SG_MALFORMED;
}

static enum sg_err take_hash(struct cbor_reader *r, const uint8_t **out)
{
	struct span bytes;
	const enum sg_err err = take_bytes(r, &bytes);

	*out = bytes.p;
	return err == SG_OK && bytes.n != STORE_HASH_BYTES ? SG_MALFORMED : err;
}

static enum sg_err take_adopted(struct cbor_reader *r, struct store_item *out)
{
	struct cbor_item head;
	enum sg_err err = cbor_next(r, &head);

	if (err != SG_OK || head.type != CBOR_ARRAY || head.arg > LIFE_KEYS_MAX)
		return SG_MALFORMED;
	out->nadopted = (size_t)head.arg;
	for (size_t i = 0; err == SG_OK && i < out->nadopted; i++) {
		struct store_adopted *a = &out->adopted[i];

		err = cbor_next(r, &head);
		if (err == SG_OK && (head.type != CBOR_ARRAY || head.arg != 2))
			err = SG_MALFORMED;
		if (err == SG_OK)
			err = cbor_string(r, CBOR_TEXT, &a->label);
		if (err == SG_OK)
			err = take_hash(r, &a->spki);
	}
	return err;
}

static enum sg_err take_time(struct cbor_reader *r, int64_t *out)
{
	struct cbor_item item;

	return take_key(r, "time") && cbor_next(r, &item) == SG_OK &&
			       cbor_int(&item, out)
		       ? SG_OK
		       : SG_MALFORMED;
}

enum sg_err ceremony_done_decode(struct span in,
				 const uint8_t hash[STORE_HASH_BYTES],
				 struct store_item *out)
{
	struct cbor_reader r = cbor_read(in, CBOR_DETERMINISTIC);
	struct outcome *o = &out->outcome;
	struct cbor_item map;
	const uint8_t *of = NULL;
	enum sg_err err = cbor_next(&r, &map);

	*o = (struct outcome){0};
	out->nadopted = 0;
	out->policy = NULL;
	if (err != SG_OK || map.type != CBOR_MAP)
		return SG_MALFORMED;
	if (take_key(&r, "csr"))
		err = take_bytes(&r, &o->csr);
	if (err == SG_OK)
		err = take_key(&r, "hash") ? take_hash(&r, &of) : SG_MALFORMED;
	if (err == SG_OK && take_key(&r, "keys"))
		err = take_adopted(&r, out);
	if (err == SG_OK && take_key(&r, "spki"))
		err = take_bytes(&r, &o->spki);
	if (err == SG_OK)
		err = take_time(&r, &o->time);
	if (err == SG_OK && take_key(&r, "policy"))
		err = take_hash(&r, &out->policy);
	if (err != SG_OK || !cbor_at_end(&r))
		return SG_MALFORMED;
	/* What the map's head says is what there was. */
	if (map.arg != 2U + (o->csr.n > 0) + (out->nadopted > 0) +
			       (o->spki.n > 0) + (out->policy != NULL))
		return SG_MALFORMED;
	return memcmp(of, hash, STORE_HASH_BYTES) == 0 ? SG_OK : SG_MALFORMED;
}
