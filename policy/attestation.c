/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation.h"

#include "hcert/cbor.h"

/* RFC 9052 s. 3.1, table 3, and s. 4.2. */
enum { TAG_SIGN1 = 18, HEADER_ALG = 1, HEADER_KID = 4 };
enum { SIGN1_ITEMS = 4, HEADERS = 2 };

/* Keys of the claims, in the order in which they stand. */
enum {
	CLAIM_UVCI = 1,
	CLAIM_PERSON,
	CLAIM_NONCE,
	CLAIM_REFERENCE,
	CLAIM_TIME,
	CLAIM_VERDICT,
	CLAIMS = CLAIM_VERDICT
};

/* Room for the canonical form of any person that the DCC schema takes: names
 * of 80 letters, a date of 10. */
enum { PERSON_ITEMS = 3, PERSON_FORM_MAX = 256 };

/* The external data: without it no signature passes, so that nothing else that
 * a gateway's key signs is taken for an attestation, nor this for that. */
#define PURPOSE SPAN_LIT("signerd identity attestation 1")

/* --- reading -------------------------------------------------------------- */

/* Take a head of TYPE with exactly ARG. */
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

/* Take a string of TYPE with MIN to MAX bytes. */
static bool take_string(struct cbor_reader *r, enum cbor_type type, size_t min,
			size_t max, struct span *out)
{
	return cbor_string(r, type, out) == SG_OK && out->n >= min &&
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

static bool read_protected(struct attestation *a)
{
	struct cbor_reader r = cbor_read(a->prot, CBOR_DETERMINISTIC);
	int64_t number;

	if (!take_head(&r, CBOR_MAP, HEADERS) ||
	    !take_head(&r, CBOR_UINT, HEADER_ALG) || !take_int(&r, &number) ||
	    !take_head(&r, CBOR_UINT, HEADER_KID) ||
	    !take_string(&r, CBOR_BYTES, ATTESTATION_KID_BYTES,
			 ATTESTATION_KID_BYTES, &a->kid))
		return false;
	a->alg = alg_of(number);
	return a->alg != COSE_NONE && cbor_at_end(&r);
}

enum sg_err attestation_decode(struct span in, struct attestation *out)
{
	struct cbor_reader r = cbor_read(in, CBOR_DETERMINISTIC);
	struct attestation a = {.alg = COSE_NONE};

	if (in.n > ATTESTATION_BYTES_MAX)
		return SG_TOO_BIG;
	if (!take_head(&r, CBOR_TAG, TAG_SIGN1) ||
	    !take_head(&r, CBOR_ARRAY, SIGN1_ITEMS) ||
	    !take_string(&r, CBOR_BYTES, 1, in.n, &a.prot) ||
	    !take_head(&r, CBOR_MAP, 0) ||
	    !take_string(&r, CBOR_BYTES, 1, in.n, &a.claims) ||
	    !take_string(&r, CBOR_BYTES, 1, COSE_SIG_MAX, &a.signature) ||
	    !cbor_at_end(&r) || !read_protected(&a))
		return SG_MALFORMED;
	*out = a;
	return SG_OK;
}

static bool take_verdict(struct cbor_reader *r, bool *out)
{
	struct cbor_item item;

	if (cbor_next(r, &item) != SG_OK)
		return false;
	*out = item.type == CBOR_TRUE;
	return item.type == CBOR_TRUE || item.type == CBOR_FALSE;
}

enum sg_err attestation_claims_decode(struct span claims,
				      struct attestation_claims *out)
{
	struct cbor_reader r = cbor_read(claims, CBOR_DETERMINISTIC);
	struct attestation_claims c;

	if (!take_head(&r, CBOR_MAP, CLAIMS) ||
	    !take_head(&r, CBOR_UINT, CLAIM_UVCI) ||
	    !take_string(&r, CBOR_TEXT, 1, ATTESTATION_UVCI_MAX, &c.uvci) ||
	    !take_head(&r, CBOR_UINT, CLAIM_PERSON) ||
	    !take_string(&r, CBOR_BYTES, ATTESTATION_PERSON_BYTES,
			 ATTESTATION_PERSON_BYTES, &c.person) ||
	    !take_head(&r, CBOR_UINT, CLAIM_NONCE) ||
	    !take_string(&r, CBOR_BYTES, ATTESTATION_NONCE_MIN,
			 ATTESTATION_NONCE_MAX, &c.nonce) ||
	    !take_head(&r, CBOR_UINT, CLAIM_REFERENCE) ||
	    !take_string(&r, CBOR_BYTES, ATTESTATION_REFERENCE_MIN,
			 ATTESTATION_REFERENCE_MAX, &c.reference) ||
	    !take_head(&r, CBOR_UINT, CLAIM_TIME) || !take_int(&r, &c.time) ||
	    !take_head(&r, CBOR_UINT, CLAIM_VERDICT) ||
	    !take_verdict(&r, &c.verdict) || !cbor_at_end(&r))
		return SG_MALFORMED;
	*out = c;
	return SG_OK;
}

/* --- writing -------------------------------------------------------------- */

static bool fits(struct span s, size_t min, size_t max)
{
	return s.n >= min && s.n <= max;
}

enum sg_err attestation_claims_encode(const struct attestation_claims *c,
				      uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	*len = 0;
	if (!fits(c->uvci, 1, ATTESTATION_UVCI_MAX) ||
	    !fits(c->person, ATTESTATION_PERSON_BYTES,
		  ATTESTATION_PERSON_BYTES) ||
	    !fits(c->nonce, ATTESTATION_NONCE_MIN, ATTESTATION_NONCE_MAX) ||
	    !fits(c->reference, ATTESTATION_REFERENCE_MIN,
		  ATTESTATION_REFERENCE_MAX))
		return SG_MALFORMED;
	cbor_put_map(&w, CLAIMS);
	cbor_put_uint(&w, CLAIM_UVCI);
	cbor_put_text(&w, c->uvci);
	cbor_put_uint(&w, CLAIM_PERSON);
	cbor_put_bytes(&w, c->person);
	cbor_put_uint(&w, CLAIM_NONCE);
	cbor_put_bytes(&w, c->nonce);
	cbor_put_uint(&w, CLAIM_REFERENCE);
	cbor_put_bytes(&w, c->reference);
	cbor_put_uint(&w, CLAIM_TIME);
	cbor_put_int(&w, c->time);
	cbor_put_uint(&w, CLAIM_VERDICT);
	cbor_put_bool(&w, c->verdict);
	return cbor_done(&w, len);
}

enum sg_err attestation_tbs(struct span prot, struct span claims, uint8_t *out,
			    size_t cap, size_t *len)
{
	return cose_sig_structure(prot, PURPOSE, claims, out, cap, len);
}

/* --- hashes --------------------------------------------------------------- */

static void put_name(struct cbor_writer *w, bool present, struct span text)
{
	if (present)
		cbor_put_text(w, text);
	else
		cbor_put_null(w);
}

enum sg_err attestation_person_hash(struct digest *d, struct span nonce,
				    const struct attestation_person *person,
				    uint8_t out[ATTESTATION_PERSON_BYTES])
{
	uint8_t form[PERSON_FORM_MAX];
	struct cbor_writer w = cbor_write(form, sizeof(form));
	size_t n;
	enum sg_err err;

	cbor_put_array(&w, PERSON_ITEMS);
	put_name(&w, person->has_fnt, person->fnt);
	put_name(&w, person->has_gnt, person->gnt);
	cbor_put_text(&w, person->dob);
	err = cbor_done(&w, &n);
	if (err == SG_OK)
		err = digest_sum(d, nonce, span_of(form, n), out);
	return err;
}
