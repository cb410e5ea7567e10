/* SPDX-License-Identifier: Apache-2.0 */
#include "signed_body.h"

#include "dcc_cbor.h"
#include "hcert/cbor.h"
#include "hcert/cose.h"

enum { TAG_SIGN1 = 18, SIGN1_ITEMS = 4 };
/* As bytes: the tag, and a map that holds nothing. */
enum { TAG_BYTE = 0xc0 | TAG_SIGN1, EMPTY_MAP = 0xa0 };

/* S with its payload detached (RFC 9052 s. 4.1). */
static enum sg_err detach(struct signed_body *b, const struct cose_sign1 *s,
			  struct span *signature)
{
	struct cbor_writer w = cbor_write(b->signature, sizeof(b->signature));
	size_t n = 0;
	enum sg_err err;

	cbor_put_tag(&w, TAG_SIGN1);
	cbor_put_array(&w, SIGN1_ITEMS);
	cbor_put_bytes(&w, s->prot);
	cbor_put_map(&w, 0);
	cbor_put_null(&w);
	cbor_put_bytes(&w, s->signature);
	err = cbor_done(&w, &n);
	*signature = span_of(b->signature, n);
	return err;
}

enum sg_err signed_body_read(struct signed_body *b, struct dcc_scratch *s,
			     struct span cose, struct span *request,
			     struct span *signature)
{
	struct cose_sign1 sign1;
	enum sg_err err;

	dcc_scratch_reset(s);
	/* A tag of CWT around it, which the decoder knows, is none of ours. */
	if (cose_sign1_decode(cose, &sign1) != SG_OK || cose.p[0] != TAG_BYTE ||
	    sign1.detached || sign1.unprotected.n != 1 ||
	    sign1.unprotected.p[0] != EMPTY_MAP)
		return dcc_fault(
			s, SG_MALFORMED,
			"a signed request is a COSE_Sign1 with tag 18, "
			"all headers protected, and its payload");
	err = dcc_cbor_read(s, sign1.payload, request);
	if (err != SG_OK)
		return err;
	if (!span_eq(*request, sign1.payload))
		return dcc_fault(s, SG_MALFORMED,
				 "what is signed must be deterministic CBOR "
				 "(RFC 8949, section 4.2.1)");
	if (detach(b, &sign1, signature) != SG_OK)
		return dcc_fault(s, SG_MALFORMED,
				 "the headers or the signature are too long");
	return SG_OK;
}

/* Is REQUEST {"signed": VALUE}?  With more in it, it is none, and the core does
 * not know that field. */
static bool is_signed(struct span request, struct cbor_item *value)
{
	struct cbor_reader r = cbor_read(request, CBOR_DETERMINISTIC);
	struct cbor_item map;
	struct span key;

	return cbor_next(&r, &map) == SG_OK && map.type == CBOR_MAP &&
	       map.arg == 1 && cbor_string(&r, CBOR_TEXT, &key) == SG_OK &&
	       span_is(key, "signed") && cbor_next(&r, value) == SG_OK;
}

enum sg_err signed_body_open(struct signed_body *b, struct dcc_scratch *s,
			     struct span *request, struct span *signature)
{
	struct cbor_item value;

	*signature = span_of(NULL, 0);
	if (!is_signed(*request, &value))
		return SG_OK;
	if (value.type != CBOR_BYTES)
		return dcc_fault(
			s, SG_MALFORMED,
			"\"signed\" must be a COSE_Sign1 in base64 (in "
			"CBOR a byte string)");
	if (value.run.n > sizeof(b->cose))
		return SG_TOO_BIG;
	memcpy(b->cose, value.run.p, value.run.n);
	return signed_body_read(b, s, span_of(b->cose, value.run.n), request,
				signature);
}
