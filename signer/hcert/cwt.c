/* SPDX-License-Identifier: Apache-2.0 */
#include "cwt.h"

#include <math.h>

#include "cbor.h"
#include "labels.h"

enum { TAG_CWT = 61 }; /* RFC 8392 s. 6 */

/* Integers up to here are exact in a double; no time of ours is beyond. */
static const double TIME_MAX = 0x1p53;

enum sg_err cwt_encode(const struct cwt_claims *claims, uint8_t *out,
		       size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	cbor_put_map(&w, (uint64_t)(claims->iss.n > 0) +
				 (uint64_t)claims->has_exp +
				 (uint64_t)claims->has_iat +
				 (uint64_t)(claims->dcc.n > 0));
	if (claims->iss.n > 0) {
		cbor_put_int(&w, CWT_ISS);
		cbor_put_text(&w, claims->iss);
	}
	if (claims->has_exp) {
		cbor_put_int(&w, CWT_EXP);
		cbor_put_int(&w, claims->exp);
	}
	if (claims->has_iat) {
		cbor_put_int(&w, CWT_IAT);
		cbor_put_int(&w, claims->iat);
	}
	if (claims->dcc.n > 0) {
		cbor_put_int(&w, CWT_HCERT);
		cbor_put_map(&w, 1);
		cbor_put_int(&w, CWT_HCERT_DCC);
		cbor_put_raw(&w, claims->dcc);
	}
	return cbor_done(&w, len);
}

/* NumericDate (RFC 8392 s. 2): an integer or a float, untagged. */
static enum sg_err read_time(struct cbor_reader *r, bool *has, int64_t *value)
{
	struct cbor_item item;
	const enum sg_err e = cbor_next(r, &item);

	if (e != SG_OK)
		return e;
	*has = true;
	if (item.type != CBOR_FLOAT)
		return cbor_int(&item, value) ? SG_OK : SG_MALFORMED;
	if (!(fabs(item.real) <= TIME_MAX)) /* nor a NaN */
		return SG_MALFORMED;
	*value = (int64_t)floor(item.real);
	return SG_OK;
}

static enum sg_err skip(struct cbor_reader *r, struct span *all)
{
	return cbor_skip(r, CBOR_DEPTH_MAX, all);
}

/* Reads the value that belongs to KEY. */
typedef enum sg_err (*read_value)(struct cbor_reader *r,
				  const struct cbor_item *key,
				  struct cwt_claims *out);

/* A map with keys of which none comes twice. */
static enum sg_err read_map(struct cbor_reader *r, read_value value,
			    struct cwt_claims *out)
{
	struct labels seen = {.n = 0};
	struct cbor_item head;
	struct cbor_item key;
	uint64_t taken = 0;
	enum sg_err e = cbor_next(r, &head);

	if (e != SG_OK)
		return e;
	if (head.type != CBOR_MAP)
		return SG_MALFORMED;
	while (cbor_more(r, &head, &taken)) {
		e = cbor_next(r, &key);
		if (e == SG_OK)
			e = labels_add(&seen, &key);
		if (e == SG_OK)
			e = value(r, &key, out);
		if (e != SG_OK)
			return e;
		taken++; /* the value */
	}
	return SG_OK;
}

static enum sg_err read_hcert_member(struct cbor_reader *r,
				     const struct cbor_item *key,
				     struct cwt_claims *out)
{
	int64_t k;

	if (cbor_int(key, &k) && k == CWT_HCERT_DCC)
		return skip(r, &out->dcc);
	return skip(r, NULL);
}

static enum sg_err read_claim(struct cbor_reader *r,
			      const struct cbor_item *key,
			      struct cwt_claims *out)
{
	int64_t k;

	if (!cbor_int(key, &k))
		return skip(r, NULL);
	switch (k) {
	case CWT_ISS: return cbor_string(r, CBOR_TEXT, &out->iss);
	case CWT_EXP: return read_time(r, &out->has_exp, &out->exp);
	case CWT_NBF: return read_time(r, &out->has_nbf, &out->nbf);
	case CWT_IAT: return read_time(r, &out->has_iat, &out->iat);
	case CWT_HCERT: return read_map(r, read_hcert_member, out);
	default: return skip(r, NULL);
	}
}

enum sg_err cwt_decode(struct span in, struct cwt_claims *out)
{
	struct cbor_reader r = cbor_read(in, CBOR_LAX);
	struct cbor_reader after_tag = r;
	struct cwt_claims claims = {0};
	struct cbor_item item;
	enum sg_err e;

	e = cbor_next(&after_tag, &item);
	if (e == SG_OK && item.type == CBOR_TAG && item.arg == TAG_CWT)
		r = after_tag;
	e = read_map(&r, read_claim, &claims);
	if (e != SG_OK)
		return e;
	if (!cbor_at_end(&r))
		return SG_MALFORMED;
	*out = claims;
	return SG_OK;
}
