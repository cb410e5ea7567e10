/* SPDX-License-Identifier: Apache-2.0 */
/* The reading half of entry.h.  The fields of a type come in one order alone,
 * so that whoever takes them one after the other has checked their order and
 * that none is there twice. */
#include "entry_fields.h"
#include "hcert/cbor.h"

struct fields {
	struct cbor_reader r;
	uint64_t left; /* pairs */
	uint64_t last; /* key */
};

/* Take the key of the next pair, which must be WANT. */
static enum sg_err take_key(struct fields *f, enum entry_field want)
{
	struct cbor_item key;
	enum sg_err err;

	if (f->left == 0)
		return SG_MALFORMED;
	err = cbor_next(&f->r, &key);
	if (err != SG_OK)
		return err;
	if (key.type != CBOR_UINT || key.arg != (uint64_t)want)
		return key.type == CBOR_UINT && key.arg == f->last
			       ? SG_DUPLICATE_KEY
			       : SG_MALFORMED;
	f->last = key.arg;
	f->left--;
	return SG_OK;
}

static enum sg_err take_uint(struct fields *f, enum entry_field want,
			     uint64_t *out)
{
	struct cbor_item item;
	enum sg_err err = take_key(f, want);

	if (err == SG_OK)
		err = cbor_next(&f->r, &item);
	if (err != SG_OK)
		return err;
	*out = item.arg;
	return item.type == CBOR_UINT ? SG_OK : SG_MALFORMED;
}

static enum sg_err take_int(struct fields *f, enum entry_field want,
			    int64_t *out)
{
	struct cbor_item item;
	enum sg_err err = take_key(f, want);

	if (err == SG_OK)
		err = cbor_next(&f->r, &item);
	if (err != SG_OK)
		return err;
	return cbor_int(&item, out) ? SG_OK : SG_MALFORMED;
}

/* A byte string of exactly N bytes. */
static enum sg_err take_bytes(struct fields *f, enum entry_field want, size_t n,
			      const uint8_t **out)
{
	struct span run;
	enum sg_err err = take_key(f, want);

	if (err == SG_OK)
		err = cbor_string(&f->r, CBOR_BYTES, &run);
	if (err != SG_OK)
		return err;
	*out = run.p;
	return run.n == n ? SG_OK : SG_MALFORMED;
}

/* A text of at most MAX bytes. */
static enum sg_err take_text(struct fields *f, enum entry_field want,
			     size_t max, struct span *out)
{
	enum sg_err err = take_key(f, want);

	if (err == SG_OK)
		err = cbor_string(&f->r, CBOR_TEXT, out);
	if (err != SG_OK)
		return err;
	return out->n <= max ? SG_OK : SG_TOO_BIG;
}

static enum sg_err take_client(struct fields *f, struct span *out)
{
	return take_text(f, FIELD_CLIENT, ENTRY_NAME_MAX, out);
}

/* Does the pair of KEY come next? */
static bool comes_next(const struct fields *f, enum entry_field key)
{
	struct cbor_reader at = f->r;
	struct cbor_item item;

	return f->left > 0 && cbor_next(&at, &item) == SG_OK &&
	       item.type == CBOR_UINT && item.arg == (uint64_t)key;
}

static enum sg_err take_alg(struct fields *f, enum cose_alg *out)
{
	int64_t alg;
	const enum sg_err err = take_int(f, FIELD_ALG, &alg);

	if (err != SG_OK)
		return err;
	if (alg != COSE_ES256 && alg != COSE_PS256 && alg != COSE_EDDSA)
		return SG_MALFORMED;
	*out = (enum cose_alg)alg;
	return SG_OK;
}

static enum sg_err take_kind(struct fields *f, enum dcc_kind *out)
{
	struct span letter;
	enum sg_err err = take_key(f, FIELD_KIND);

	if (err == SG_OK)
		err = cbor_string(&f->r, CBOR_TEXT, &letter);
	if (err != SG_OK)
		return err;
	if (letter.n != 1)
		return SG_MALFORMED;
	for (unsigned k = 0; k < DCC_KINDS; k++)
		if ((char)letter.p[0] == dcc_kind_letter((enum dcc_kind)k)) {
			*out = (enum dcc_kind)k;
			return SG_OK;
		}
	return SG_MALFORMED;
}

/* --- by type -------------------------------------------------------------- */

static enum sg_err take_certificate(struct fields *f, struct entry *e)
{
	enum sg_err err = take_client(f, &e->client);

	if (err == SG_OK)
		err = take_bytes(f, FIELD_KID, COSE_KID_BYTES, &e->kid);
	if (err == SG_OK)
		err = take_alg(f, &e->alg);
	if (err == SG_OK)
		err = take_kind(f, &e->kind);
	if (err == SG_OK)
		err = take_bytes(f, FIELD_UVCI_HASH, ENTRY_HASH_BYTES,
				 &e->uvci_hash);
	if (err == SG_OK)
		err = take_bytes(f, FIELD_REVOCATION, ENTRY_REVOCATION_BYTES,
				 &e->revocation);
	if (err == SG_OK)
		err = take_bytes(f, FIELD_CONTENT_HASH, ENTRY_HASH_BYTES,
				 &e->content_hash);
	if (err == SG_OK)
		err = take_int(f, FIELD_IAT, &e->iat);
	if (err == SG_OK)
		err = take_int(f, FIELD_EXP, &e->exp);
	if (err == SG_OK)
		err = take_bytes(f, FIELD_POLICY, ENTRY_HASH_BYTES,
				 &e->policy_hash);
	if (err == SG_OK && f->left > 0)
		err = take_bytes(f, FIELD_ATTESTATION, ENTRY_HASH_BYTES,
				 &e->attestation);
	return err;
}

/* The map {code => count}. */
static enum sg_err take_codes(struct fields *f, struct entry_refused *r)
{
	struct cbor_item map;
	struct cbor_item count;
	enum sg_err err = take_key(f, FIELD_CODES);

	if (err == SG_OK)
		err = cbor_next(&f->r, &map);
	if (err != SG_OK)
		return err;
	if (map.type != CBOR_MAP)
		return SG_MALFORMED;
	if (map.arg > ENTRY_CODES_MAX)
		return SG_TOO_BIG;
	while (r->n < map.arg) {
		struct span code;
		int order;

		err = cbor_string(&f->r, CBOR_TEXT, &code);
		if (err == SG_OK)
			err = cbor_next(&f->r, &count);
		if (err != SG_OK)
			return err;
		if (code.n > ENTRY_CODE_MAX)
			return SG_TOO_BIG;
		order = r->n == 0 ? -1
				  : entry_text_order(r->code[r->n - 1].code,
						     code);
		if (order >= 0)
			return order == 0 ? SG_DUPLICATE_KEY : SG_MALFORMED;
		if (count.type != CBOR_UINT)
			return SG_MALFORMED;
		r->code[r->n].code = code;
		r->code[r->n].count = count.arg;
		r->n++;
	}
	return SG_OK;
}

static enum sg_err take_refused(struct fields *f, struct entry *e)
{
	struct entry_refused *r = &e->refused;
	enum sg_err err = take_client(f, &e->client);

	r->client = e->client;
	if (err == SG_OK)
		err = take_int(f, FIELD_FROM, &r->from_ms);
	if (err == SG_OK)
		err = take_codes(f, r);
	if (err == SG_OK)
		err = take_uint(f, FIELD_RECORDS, &r->records);
	return err;
}

static enum sg_err take_signed(struct fields *f, struct entry *e)
{
	const enum sg_err err = take_key(f, FIELD_OPERATION);

	if (err != SG_OK)
		return err;
	return cbor_string(&f->r, CBOR_BYTES, &e->operation);
}

static enum sg_err take_ceremony(struct fields *f, struct entry *e)
{
	enum sg_err err = take_signed(f, e);

	if (err != SG_OK || f->left == 0)
		return err;
	if (comes_next(f, FIELD_OUTCOME))
		return take_bytes(f, FIELD_OUTCOME, ENTRY_HASH_BYTES,
				  &e->outcome);
	err = take_text(f, FIELD_REFUSAL, ENTRY_REFUSAL_MAX, &e->refusal);
	return err == SG_OK && e->refusal.n == 0 ? SG_MALFORMED : err;
}

static enum sg_err take_key_event(struct fields *f, struct entry *e)
{
	enum sg_err err = take_text(f, FIELD_LABEL, ENTRY_NAME_MAX, &e->label);

	if (err == SG_OK)
		err = take_text(f, FIELD_STATE, ENTRY_STATE_MAX, &e->state);
	if (err == SG_OK && (e->label.n == 0 || e->state.n == 0))
		err = SG_MALFORMED;
	if (err == SG_OK && comes_next(f, FIELD_KEY_KID))
		err = take_bytes(f, FIELD_KEY_KID, COSE_KID_BYTES, &e->kid);
	if (err == SG_OK && f->left > 0)
		err = take_bytes(f, FIELD_OPERATION_HASH, ENTRY_HASH_BYTES,
				 &e->operation_hash);
	return err;
}

static enum sg_err take_rest(struct fields *f, struct entry *e)
{
	switch (e->type) {
	case ENTRY_ISSUED:
	case ENTRY_RENEWED: return take_certificate(f, e);
	case ENTRY_REFUSED: return take_refused(f, e);
	case ENTRY_POLICY:
		return take_bytes(f, FIELD_POLICY, ENTRY_HASH_BYTES,
				  &e->policy_hash);
	case ENTRY_CEREMONY: return take_ceremony(f, e);
	case ENTRY_REVOCATION: return take_signed(f, e);
	case ENTRY_STARTED:
	case ENTRY_STOPPED: return SG_OK;
	case ENTRY_KEY_EVENT: return take_key_event(f, e);
	}
	return SG_MALFORMED;
}

enum sg_err entry_decode(struct span in, struct entry *out)
{
	struct fields f = {.r = cbor_read(in, CBOR_DETERMINISTIC)};
	struct cbor_item map;
	uint64_t type;
	enum sg_err err;

	if (in.n > ENTRY_BYTES_MAX)
		return SG_TOO_BIG;
	/* Not the codes: they are most of it, and N says how many there are. */
	memset(out, 0, offsetof(struct entry, refused));
	out->refused.client = span_of(NULL, 0);
	out->refused.from_ms = 0;
	out->refused.records = 0;
	out->refused.n = 0;
	err = cbor_next(&f.r, &map);
	if (err != SG_OK)
		return err;
	if (map.type != CBOR_MAP)
		return SG_MALFORMED;
	f.left = map.arg;
	err = take_uint(&f, FIELD_TYPE, &type);
	if (err == SG_OK && (type < ENTRY_ISSUED || type > ENTRY_REVOCATION))
		err = SG_MALFORMED;
	if (err != SG_OK)
		return err;
	out->type = (enum entry_type)type;
	err = take_int(&f, FIELD_TIME, &out->time_ms);
	if (err == SG_OK)
		err = take_rest(&f, out);
	if (err == SG_OK && (f.left > 0 || !cbor_at_end(&f.r)))
		err = SG_MALFORMED;
	return err;
}
