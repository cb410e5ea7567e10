/* SPDX-License-Identifier: Apache-2.0 */
#include "signed_request.h"

#include "hcert/cbor.h"

/* RFC 9052 s. 3.1, table 3, and s. 4.2; RFC 9597 s. 2; RFC 8392 s. 4. */
enum { TAG_SIGN1 = 18, HEADER_ALG = 1, HEADER_KID = 4, HEADER_CLAIMS = 15 };
enum { CLAIM_IAT = 6 };
enum { SIGN1_ITEMS = 4, HEADERS = 3, CLAIMS = 1, PURPOSE_ITEMS = 3 };

/* First of the external data: without it no signature passes, so that nothing
 * else that a client's key signs is taken for a request. */
#define PURPOSE SPAN_LIT("signerd request 1")

enum { PURPOSE_MAX = SIGNED_REQUEST_AUDIENCE_MAX + 64 };

/* --- reading -------------------------------------------------------------- */

static bool take_head(struct cbor_reader *r, enum cbor_type type, uint64_t arg)
{
	struct cbor_item item;

	return cbor_next(r, &item) == SG_OK && item.type == type &&
	       item.arg == arg;
}

static bool take_int(struct cbor_reader *r, int64_t *out)
{
	struct cbor_item item;

	return cbor_next(r, &item) == SG_OK && cbor_int(&item, out);
}

static bool take_null(struct cbor_reader *r)
{
	struct cbor_item item;

	return cbor_next(r, &item) == SG_OK && item.type == CBOR_NULL;
}

static bool take_bytes(struct cbor_reader *r, size_t min, size_t max,
		       struct span *out)
{
	return cbor_string(r, CBOR_BYTES, out) == SG_OK && out->n >= min &&
	       out->n <= max;
}

static enum cose_alg alg_of(int64_t number)
{
	switch (number) {
	case COSE_ES256: return COSE_ES256;
	case COSE_PS256: return COSE_PS256;
	case COSE_EDDSA: return COSE_EDDSA;
	default: return COSE_NONE;
	}
}

static bool read_protected(struct signed_request *s)
{
	struct cbor_reader r = cbor_read(s->prot, CBOR_DETERMINISTIC);
	int64_t number;

	if (!take_head(&r, CBOR_MAP, HEADERS) ||
	    !take_head(&r, CBOR_UINT, HEADER_ALG) || !take_int(&r, &number) ||
	    !take_head(&r, CBOR_UINT, HEADER_KID) ||
	    !take_bytes(&r, VERIFIER_KID_BYTES, VERIFIER_KID_BYTES, &s->kid) ||
	    !take_head(&r, CBOR_UINT, HEADER_CLAIMS) ||
	    !take_head(&r, CBOR_MAP, CLAIMS) ||
	    !take_head(&r, CBOR_UINT, CLAIM_IAT) || !take_int(&r, &s->time))
		return false;
	s->alg = alg_of(number);
	return s->alg != COSE_NONE && cbor_at_end(&r);
}

enum sg_err signed_request_decode(struct span in, struct signed_request *out)
{
	struct cbor_reader r = cbor_read(in, CBOR_DETERMINISTIC);
	struct signed_request s = {.alg = COSE_NONE};

	if (!take_head(&r, CBOR_TAG, TAG_SIGN1) ||
	    !take_head(&r, CBOR_ARRAY, SIGN1_ITEMS) ||
	    !take_bytes(&r, 1, SIGNED_REQUEST_PROTECTED_MAX, &s.prot) ||
	    !take_head(&r, CBOR_MAP, 0) || !take_null(&r) ||
	    !take_bytes(&r, 1, COSE_SIG_MAX, &s.signature) ||
	    !cbor_at_end(&r) || !read_protected(&s))
		return SG_MALFORMED;
	*out = s;
	return SG_OK;
}

/* --- writing -------------------------------------------------------------- */

enum sg_err signed_request_protected(enum cose_alg alg,
				     const uint8_t kid[VERIFIER_KID_BYTES],
				     int64_t time,
				     uint8_t out[SIGNED_REQUEST_PROTECTED_MAX],
				     size_t *len)
{
	struct cbor_writer w = cbor_write(out, SIGNED_REQUEST_PROTECTED_MAX);

	cbor_put_map(&w, HEADERS);
	cbor_put_uint(&w, HEADER_ALG);
	cbor_put_int(&w, alg);
	cbor_put_uint(&w, HEADER_KID);
	cbor_put_bytes(&w, span_of(kid, VERIFIER_KID_BYTES));
	cbor_put_uint(&w, HEADER_CLAIMS);
	cbor_put_map(&w, CLAIMS);
	cbor_put_uint(&w, CLAIM_IAT);
	cbor_put_int(&w, time);
	return cbor_done(&w, len);
}

enum sg_err signed_request_tbs(struct span prot,
			       const struct signed_purpose *purpose,
			       struct span request, uint8_t *out, size_t cap,
			       size_t *len)
{
	uint8_t data[PURPOSE_MAX];
	struct cbor_writer w = cbor_write(data, sizeof(data));
	size_t n;
	enum sg_err err;

	*len = 0;
	if (purpose->audience.n > SIGNED_REQUEST_AUDIENCE_MAX)
		return SG_MALFORMED;
	cbor_put_array(&w, PURPOSE_ITEMS);
	cbor_put_text(&w, PURPOSE);
	cbor_put_text(&w, purpose->operation);
	cbor_put_text(&w, purpose->audience);
	err = cbor_done(&w, &n);
	if (err == SG_OK)
		err = cose_sig_structure(prot, span_of(data, n), request, out,
					 cap, len);
	return err;
}
