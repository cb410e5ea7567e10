/* SPDX-License-Identifier: Apache-2.0 */
#include "cose.h"

#include "cbor.h"
#include "labels.h"

/* RFC 9052 s. 3.1, table 3: header labels. */
enum { HEADER_ALG = 1, HEADER_CRIT = 2, HEADER_KID = 4 };

enum {
	TAG_SIGN1 = 18,		   /* RFC 9052 s. 2 */
	TAG_CWT = 61,		   /* RFC 8392 s. 6 */
	TAG_SELF_DESCRIBED = 55799 /* RFC 8949 s. 3.4.6 */
};

enum { SIGN1_ITEMS = 4 }; /* RFC 9052 s. 4.2; also of the Sig_structure */

struct alg_name {
	enum cose_alg alg;
	const char *name;
};

/* Those of certificates.  ES384 is none of them: who reads a header or a name
 * by this table does not know it. */
static const struct alg_name ALGS[] = {
	{COSE_ES256, "ES256"},
	{COSE_PS256, "PS256"},
	{COSE_EDDSA, "EdDSA"},
};
enum { ALG_COUNT = sizeof(ALGS) / sizeof(ALGS[0]) };

const char *cose_alg_name(enum cose_alg alg)
{
	for (size_t i = 0; i < ALG_COUNT; i++)
		if (ALGS[i].alg == alg)
			return ALGS[i].name;
	return alg == COSE_ES384 ? "ES384" : "none";
}

enum cose_alg cose_alg_of(struct span name)
{
	for (size_t i = 0; i < ALG_COUNT; i++)
		if (span_is(name, ALGS[i].name))
			return ALGS[i].alg;
	return COSE_NONE;
}

enum sg_err cose_protected(enum cose_alg alg, const uint8_t kid[COSE_KID_BYTES],
			   uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	cbor_put_map(&w, 2);
	cbor_put_int(&w, HEADER_ALG);
	cbor_put_int(&w, alg);
	cbor_put_int(&w, HEADER_KID);
	cbor_put_bytes(&w, span_of(kid, COSE_KID_BYTES));
	return cbor_done(&w, len);
}

enum sg_err cose_sig_structure(struct span prot, struct span aad,
			       struct span payload, uint8_t *out, size_t cap,
			       size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	cbor_put_array(&w, SIGN1_ITEMS);
	cbor_put_text(&w, SPAN_LIT("Signature1")); /* RFC 9052 s. 4.4 */
	cbor_put_bytes(&w, prot);
	cbor_put_bytes(&w, aad);
	cbor_put_bytes(&w, payload);
	return cbor_done(&w, len);
}

enum sg_err cose_sign1_encode(struct span prot, struct span payload,
			      struct span signature, uint8_t *out, size_t cap,
			      size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	cbor_put_tag(&w, TAG_SIGN1);
	cbor_put_array(&w, SIGN1_ITEMS);
	cbor_put_bytes(&w, prot);
	cbor_put_map(&w, 0);
	cbor_put_bytes(&w, payload);
	cbor_put_bytes(&w, signature);
	return cbor_done(&w, len);
}

/* --- decoding ------------------------------------------------------------- */

/* What both header buckets say; a label may be in one of them only. */
struct headers {
	struct labels seen;
	enum cose_alg alg;
	bool has_kid;
	struct span kid;
};

/* Names in text, and numbers that are not ours, are COSE_NONE. */
static enum sg_err read_alg(struct cbor_reader *r, enum cose_alg *alg)
{
	struct cbor_item item;
	int64_t number;
	const enum sg_err e = cbor_next(r, &item);

	if (e != SG_OK)
		return e;
	if (item.type == CBOR_TEXT && !item.indefinite)
		return SG_OK;
	if (item.type != CBOR_UINT && item.type != CBOR_NINT)
		return SG_MALFORMED;
	if (!cbor_int(&item, &number))
		return SG_OK;
	for (size_t i = 0; i < ALG_COUNT; i++)
		if (number == (int64_t)ALGS[i].alg)
			*alg = ALGS[i].alg;
	return SG_OK;
}

static enum sg_err read_header(struct cbor_reader *r,
			       const struct cbor_item *label, struct headers *h)
{
	int64_t number;

	if (!cbor_int(label, &number))
		return cbor_skip(r, CBOR_DEPTH_MAX, NULL);
	switch (number) {
	case HEADER_ALG:
		/* Also from the unprotected bucket: it cannot mislead, since
		 * a key has but one algorithm (see cose_key_verify). */
		return read_alg(r, &h->alg);
	case HEADER_CRIT: return SG_MALFORMED;
	case HEADER_KID:
		h->has_kid = true;
		return cbor_string(r, CBOR_BYTES, &h->kid);
	default: return cbor_skip(r, CBOR_DEPTH_MAX, NULL);
	}
}

static enum sg_err read_bucket(struct cbor_reader *r, struct headers *h)
{
	struct cbor_item head;
	struct cbor_item label;
	uint64_t taken = 0;
	enum sg_err e = cbor_next(r, &head);

	if (e != SG_OK)
		return e;
	if (head.type != CBOR_MAP)
		return SG_MALFORMED;
	while (cbor_more(r, &head, &taken)) {
		e = cbor_next(r, &label);
		if (e == SG_OK)
			e = labels_add(&h->seen, &label);
		if (e == SG_OK)
			e = read_header(r, &label, h);
		if (e != SG_OK)
			return e;
		taken++; /* the value */
	}
	return SG_OK;
}

/* RFC 9052 s. 3: an empty string, or a map that fills it. */
static enum sg_err read_protected(struct span prot, struct headers *h)
{
	struct cbor_reader r = cbor_read(prot, CBOR_LAX);
	enum sg_err e;

	if (prot.n == 0)
		return SG_OK;
	e = read_bucket(&r, h);
	if (e != SG_OK)
		return e;
	return cbor_at_end(&r) ? SG_OK : SG_MALFORMED;
}

static enum sg_err read_payload(struct cbor_reader *r, struct cose_sign1 *out)
{
	struct cbor_reader at = *r;
	struct cbor_item item;
	const enum sg_err e = cbor_next(&at, &item);

	if (e != SG_OK)
		return e;
	out->detached = item.type == CBOR_NULL;
	if (!out->detached)
		return cbor_string(r, CBOR_BYTES, &out->payload);
	*r = at;
	return SG_OK;
}

/* The four members of the array. */
static enum sg_err read_members(struct cbor_reader *r, struct cose_sign1 *out)
{
	struct headers h = {.alg = COSE_NONE};
	size_t begin;
	enum sg_err e;

	e = cbor_string(r, CBOR_BYTES, &out->prot);
	if (e == SG_OK)
		e = read_protected(out->prot, &h);
	if (h.seen.n == 0)
		out->prot.n = 0; /* s. 4.4: no parameters, no bytes */
	begin = r->at;
	if (e == SG_OK)
		e = read_bucket(r, &h);
	out->unprotected = span_of(r->in.p + begin, r->at - begin);
	if (e == SG_OK)
		e = read_payload(r, out);
	if (e == SG_OK)
		e = cbor_string(r, CBOR_BYTES, &out->signature);
	out->alg = h.alg;
	out->has_kid = h.has_kid;
	out->kid = h.kid;
	return e;
}

/* Pass the tag NUMBER if it comes next. */
static bool pass_tag(struct cbor_reader *r, uint64_t number)
{
	struct cbor_reader at = *r;
	struct cbor_item item;

	if (cbor_next(&at, &item) != SG_OK || item.type != CBOR_TAG ||
	    item.arg != number)
		return false;
	*r = at;
	return true;
}

enum sg_err cose_sign1_decode(struct span in, struct cose_sign1 *out)
{
	struct cbor_reader r = cbor_read(in, CBOR_LAX);
	struct cose_sign1 sign1 = {0};
	struct cbor_item head;
	uint64_t taken = 0;
	bool cwt;
	enum sg_err e;

	(void)pass_tag(&r, TAG_SELF_DESCRIBED);
	cwt = pass_tag(&r, TAG_CWT);
	sign1.tagged = pass_tag(&r, TAG_SIGN1);
	if (cwt && !sign1.tagged)
		return SG_MALFORMED; /* RFC 8392 s. 6: it tags a tagged one */
	e = cbor_next(&r, &head);
	if (e != SG_OK)
		return e;
	if (head.type != CBOR_ARRAY ||
	    (!head.indefinite && head.arg != SIGN1_ITEMS))
		return SG_MALFORMED;
	e = read_members(&r, &sign1);
	if (e != SG_OK)
		return e;
	taken = SIGN1_ITEMS;
	if (cbor_more(&r, &head, &taken) || !cbor_at_end(&r))
		return SG_MALFORMED;
	*out = sign1;
	return SG_OK;
}
