/* SPDX-License-Identifier: Apache-2.0 */
#include "renewal.h"

#include "dcc_cbor.h"
#include "hcert/cbor.h"
#include "hcert/cose.h"
#include "hcert/cwt.h"

static const struct {
	const char *code, *en, *vi;
} FAULTS[RENEWAL_FAULT_COUNT] = {
#define X(id, code, en, vi) [RENEWAL_##id] = {code, en, vi},
	RENEWAL_FAULT_MAP(X)
#undef X
};

/* A request's members that matter here. */
struct parts {
	uint64_t pairs;
	bool has_dcc;
	const char *pointer;	/* of the certificate; NULL: there is none */
	struct cbor_item value; /* the certificate's head */
};

static enum sg_err refuse(struct renewal_fault *fault, const char *pointer,
			  enum renewal_fault_id id)
{
	*fault = (struct renewal_fault){
		.pointer = pointer,
		.code = FAULTS[id].code,
		.detail = {[WIRE_ENGLISH] = FAULTS[id].en,
			   [WIRE_VIETNAMESE] = FAULTS[id].vi}};
	return SG_REFUSED;
}

/* --- the request's members ---------------------------------------------- */

/* Take the next pair off R. */
static enum sg_err next_pair(struct cbor_reader *r, struct span *key,
			     struct cbor_item *value, struct span *all)
{
	struct cbor_reader head;
	enum sg_err err = cbor_string(r, CBOR_TEXT, key);

	head = *r;
	if (err == SG_OK)
		err = cbor_next(&head, value);
	if (err == SG_OK)
		err = cbor_skip(r, DCC_DEPTH_MAX, all);
	return err;
}

static const char *certificate_pointer(struct span key)
{
	if (span_is(key, "hcert"))
		return "/hcert";
	return span_is(key, "cose") ? "/cose" : NULL;
}

static enum sg_err look(struct span request, struct parts *p,
			struct renewal_fault *fault)
{
	struct cbor_reader r = cbor_read(request, CBOR_DETERMINISTIC);
	struct cbor_item map;
	struct cbor_item value;
	struct span key;
	struct span all;

	*p = (struct parts){.pairs = 0};
	if (cbor_next(&r, &map) != SG_OK || map.type != CBOR_MAP)
		return SG_INTERNAL; /* no result of a dcc_*_read() */
	p->pairs = map.arg;
	for (uint64_t i = 0; i < map.arg; i++) {
		const char *pointer;

		if (next_pair(&r, &key, &value, &all) != SG_OK)
			return SG_INTERNAL;
		p->has_dcc |= span_is(key, "dcc");
		pointer = certificate_pointer(key);
		if (pointer == NULL)
			continue;
		if (p->pointer != NULL)
			return refuse(fault, pointer, RENEWAL_BOTH);
		p->pointer = pointer;
		p->value = value;
	}
	return p->has_dcc && p->pointer != NULL
		       ? refuse(fault, p->pointer, RENEWAL_BOTH)
		       : SG_OK;
}

/* --- the certificate ---------------------------------------------------- */

static enum sg_err unwrap(struct renewal *r, struct deflate *d,
			  const struct parts *p, struct span *cose,
			  struct renewal_fault *fault)
{
	size_t n = 0;

	if (span_is(span_str(p->pointer), "/cose")) {
		*cose = p->value.run;
		return p->value.type == CBOR_BYTES
			       ? SG_OK
			       : refuse(fault, p->pointer, RENEWAL_TYPE);
	}
	if (p->value.type != CBOR_TEXT)
		return refuse(fault, p->pointer, RENEWAL_TYPE);
	switch (hc1_decode(d, p->value.run, r->cose, sizeof(r->cose), &n)) {
	case SG_OK: *cose = span_of(r->cose, n); return SG_OK;
	case SG_BAD_PREFIX: return refuse(fault, p->pointer, RENEWAL_PREFIX);
	case SG_TOO_BIG: return refuse(fault, p->pointer, RENEWAL_SIZE);
	default: return refuse(fault, p->pointer, RENEWAL_TEXT);
	}
}

/* The payload, in COSE; the signature, which outlives it, in R. */
static bool take_apart(struct renewal *r, struct span cose, struct span *dcc,
		       struct span *presented)
{
	struct cose_sign1 sign1;
	struct cwt_claims claims;

	if (cose_sign1_decode(cose, &sign1) != SG_OK || sign1.detached ||
	    sign1.signature.n > sizeof(r->presented) ||
	    cwt_decode(sign1.payload, &claims) != SG_OK || claims.dcc.n == 0)
		return false;
	*dcc = claims.dcc;
	if (sign1.signature.n > 0)
		memcpy(r->presented, sign1.signature.p, sign1.signature.n);
	*presented = span_of(r->presented, sign1.signature.n);
	return true;
}

/* REQUEST with DCC in the certificate's place: well-formed, the rest is
 * dcc_cbor_read()'s. */
static enum sg_err rewrite(struct renewal *r, struct span request,
			   const struct parts *p, struct span dcc,
			   struct span *body)
{
	struct cbor_writer w = cbor_write(r->body, sizeof(r->body));
	struct cbor_reader in = cbor_read(request, CBOR_DETERMINISTIC);
	struct cbor_item item;
	struct span key;
	struct span all;
	enum sg_err err = cbor_next(&in, &item);
	size_t n = 0;

	cbor_put_map(&w, p->pairs);
	for (uint64_t i = 0; i < p->pairs && err == SG_OK; i++) {
		err = next_pair(&in, &key, &item, &all);
		if (err != SG_OK)
			break;
		if (certificate_pointer(key) != NULL) {
			cbor_put_text(&w, SPAN_LIT("dcc"));
			cbor_put_raw(&w, dcc);
		} else {
			cbor_put_text(&w, key);
			cbor_put_raw(&w, all);
		}
	}
	if (err == SG_OK)
		err = cbor_done(&w, &n);
	*body = span_of(r->body, n);
	return err;
}

enum sg_err renewal_read(struct renewal *r, struct deflate *d,
			 struct dcc_scratch *s, struct span *request,
			 struct span *presented, struct renewal_fault *fault)
{
	struct span cose = {0};
	struct span dcc = {0};
	struct span body;
	struct span out;
	struct parts p;
	enum sg_err err = look(*request, &p, fault);

	*presented = span_of(NULL, 0);
	if (err != SG_OK || p.pointer == NULL)
		return err;
	err = unwrap(r, d, &p, &cose, fault);
	if (err != SG_OK)
		return err;
	if (!take_apart(r, cose, &dcc, presented))
		return refuse(fault, p.pointer, RENEWAL_COSE);
	err = rewrite(r, *request, &p, dcc, &body);
	if (err != SG_OK)
		return err;
	/* From here on the request as it came is gone from S. */
	err = dcc_cbor_read(s, body, &out);
	if (err == SG_OK) {
		*request = out;
		return SG_OK;
	}
	s->detail[0] = '\0';
	if (err == SG_TOO_BIG)
		return err;
	return refuse(fault, p.pointer, RENEWAL_COSE);
}
