/* SPDX-License-Identifier: Apache-2.0 */
#include "entry.h"

#include <pthread.h>

#include "base/digest.h"
#include "entry_fields.h"
#include "hcert/cbor.h"

enum {
	RUN_FIELDS = 2,
	POLICY_FIELDS = 3,
	CEREMONY_FIELDS = 3,
	KEY_EVENT_FIELDS = 4, /* and two that may be there */
	REFUSED_FIELDS = 6,
	CERTIFICATE_FIELDS = 12
};

/* --- hashes --------------------------------------------------------------- */

/* Each thread keeps a digest: to make one costs more than the few hundred bytes
 * that are hashed. */
static pthread_once_t hashing_once = PTHREAD_ONCE_INIT;
static pthread_key_t hashing_key;
static bool hashing_ready;

static void free_digest(void *digest)
{
	digest_free(digest);
}

static void prepare_hashing(void)
{
	hashing_ready = pthread_key_create(&hashing_key, free_digest) == 0;
}

/* This thread's; NULL: there is none. */
static struct digest *own_digest(void)
{
	struct digest *d;

	(void)pthread_once(&hashing_once, prepare_hashing);
	if (!hashing_ready)
		return NULL;
	d = pthread_getspecific(hashing_key);
	if (d != NULL || digest_create(&d) != SG_OK)
		return d;
	if (pthread_setspecific(hashing_key, d) != 0) {
		digest_free(d);
		d = NULL;
	}
	return d;
}

/* SHA-256 over A and then B. */
static enum sg_err hash_two(struct span a, struct span b,
			    uint8_t out[ENTRY_HASH_BYTES])
{
	struct digest *d = own_digest();

	return d != NULL ? digest_sum(d, a, b, out) : SG_NO_MEMORY;
}

enum sg_err entry_revocation(enum cose_alg alg, struct span signature,
			     uint8_t out[ENTRY_REVOCATION_BYTES])
{
	uint8_t hash[ENTRY_HASH_BYTES];
	enum sg_err err;

	if (signature.n == 0 ||
	    (alg == COSE_ES256 && signature.n != COSE_ES256_BYTES))
		return SG_MALFORMED;
	/* s of an ECDSA signature can be negated by anyone: only r names it. */
	if (alg == COSE_ES256)
		signature.n /= 2;
	err = hash_two(signature, span_of(NULL, 0), hash);
	if (err == SG_OK)
		memcpy(out, hash, ENTRY_REVOCATION_BYTES);
	return err;
}

enum sg_err entry_matches(const struct entry *e, struct span signature,
			  struct span uvci, struct span sig_structure)
{
	uint8_t revocation[ENTRY_REVOCATION_BYTES];
	uint8_t uvci_hash[ENTRY_HASH_BYTES];
	uint8_t content_hash[ENTRY_HASH_BYTES];
	enum sg_err err;

	if (e->type != ENTRY_ISSUED && e->type != ENTRY_RENEWED)
		return SG_BAD_SIGNATURE;
	err = entry_revocation(e->alg, signature, revocation);
	if (err == SG_MALFORMED)
		return SG_BAD_SIGNATURE;
	if (err == SG_OK)
		err = hash_two(signature, uvci, uvci_hash);
	if (err == SG_OK)
		err = hash_two(signature, sig_structure, content_hash);
	if (err != SG_OK)
		return err;
	if (memcmp(revocation, e->revocation, sizeof(revocation)) != 0 ||
	    memcmp(uvci_hash, e->uvci_hash, sizeof(uvci_hash)) != 0 ||
	    memcmp(content_hash, e->content_hash, sizeof(content_hash)) != 0)
		return SG_BAD_SIGNATURE;
	return SG_OK;
}

/* --- encoding ------------------------------------------------------------- */

static void put_field_bytes(struct cbor_writer *w, uint64_t field,
			    const uint8_t *p, size_t n)
{
	cbor_put_uint(w, field);
	cbor_put_bytes(w, span_of(p, n));
}

static void put_field_int(struct cbor_writer *w, uint64_t field, int64_t v)
{
	cbor_put_uint(w, field);
	cbor_put_int(w, v);
}

static void put_field_text(struct cbor_writer *w, uint64_t field,
			   struct span text)
{
	cbor_put_uint(w, field);
	cbor_put_text(w, text);
}

/* What every entry begins with. */
static void put_begin(struct cbor_writer *w, uint64_t fields,
		      enum entry_type type, int64_t time_ms)
{
	cbor_put_map(w, fields);
	put_field_int(w, FIELD_TYPE, type);
	put_field_int(w, FIELD_TIME, time_ms);
}

static enum sg_err done(const struct cbor_writer *w, size_t *len)
{
	const enum sg_err err = cbor_done(w, len);

	return err == SG_OK && *len > ENTRY_BYTES_MAX ? SG_TOO_BIG : err;
}

enum sg_err entry_encode_certificate(enum entry_type type, int64_t time_ms,
				     const struct entry_certificate *c,
				     uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);
	uint8_t uvci_hash[ENTRY_HASH_BYTES];
	uint8_t content_hash[ENTRY_HASH_BYTES];
	uint8_t revocation[ENTRY_REVOCATION_BYTES];
	const char kind = dcc_kind_letter(c->kind);
	enum sg_err err;

	*len = 0;
	if (type != ENTRY_ISSUED && type != ENTRY_RENEWED)
		return SG_MALFORMED;
	if (c->client.n > ENTRY_NAME_MAX)
		return SG_TOO_BIG;
	err = entry_revocation(c->alg, c->signature, revocation);
	if (err == SG_OK)
		err = hash_two(c->signature, c->uvci, uvci_hash);
	if (err == SG_OK)
		err = hash_two(c->signature, c->sig_structure, content_hash);
	if (err != SG_OK)
		return err;
	put_begin(&w,
		  c->attestation == NULL ? CERTIFICATE_FIELDS
					 : CERTIFICATE_FIELDS + 1,
		  type, time_ms);
	put_field_text(&w, FIELD_CLIENT, c->client);
	put_field_bytes(&w, FIELD_KID, c->kid, COSE_KID_BYTES);
	put_field_int(&w, FIELD_ALG, c->alg);
	put_field_text(&w, FIELD_KIND, span_of(&kind, 1));
	put_field_bytes(&w, FIELD_UVCI_HASH, uvci_hash, sizeof(uvci_hash));
	put_field_bytes(&w, FIELD_REVOCATION, revocation, sizeof(revocation));
	put_field_bytes(&w, FIELD_CONTENT_HASH, content_hash,
			sizeof(content_hash));
	put_field_int(&w, FIELD_IAT, c->iat);
	put_field_int(&w, FIELD_EXP, c->exp);
	put_field_bytes(&w, FIELD_POLICY, c->policy_hash, ENTRY_HASH_BYTES);
	if (c->attestation != NULL)
		put_field_bytes(&w, FIELD_ATTESTATION, c->attestation,
				ENTRY_HASH_BYTES);
	return done(&w, len);
}

enum sg_err entry_encode_run(enum entry_type type, int64_t time_ms,
			     uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	*len = 0;
	if (type != ENTRY_STARTED && type != ENTRY_STOPPED)
		return SG_MALFORMED;
	put_begin(&w, RUN_FIELDS, type, time_ms);
	return done(&w, len);
}

/* Are the codes what they must be to be a map's keys? */
static bool codes_ordered(const struct entry_refused *r)
{
	if (r->n > ENTRY_CODES_MAX)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		if (r->code[i].code.n > ENTRY_CODE_MAX)
			return false;
		if (i > 0 &&
		    entry_text_order(r->code[i - 1].code, r->code[i].code) >= 0)
			return false;
	}
	return true;
}

enum sg_err entry_encode_refused(int64_t time_ms, const struct entry_refused *r,
				 uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	*len = 0;
	if (!codes_ordered(r))
		return SG_MALFORMED;
	if (r->client.n > ENTRY_NAME_MAX)
		return SG_TOO_BIG;
	put_begin(&w, REFUSED_FIELDS, ENTRY_REFUSED, time_ms);
	put_field_text(&w, FIELD_CLIENT, r->client);
	put_field_int(&w, FIELD_FROM, r->from_ms);
	cbor_put_uint(&w, FIELD_CODES);
	cbor_put_map(&w, r->n);
	for (size_t i = 0; i < r->n; i++) {
		cbor_put_text(&w, r->code[i].code);
		cbor_put_uint(&w, r->code[i].count);
	}
	cbor_put_uint(&w, FIELD_RECORDS);
	cbor_put_uint(&w, r->records);
	return done(&w, len);
}

enum sg_err entry_encode_policy(int64_t time_ms,
				const uint8_t hash[ENTRY_HASH_BYTES],
				uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	put_begin(&w, POLICY_FIELDS, ENTRY_POLICY, time_ms);
	put_field_bytes(&w, FIELD_POLICY, hash, ENTRY_HASH_BYTES);
	return done(&w, len);
}

enum sg_err entry_encode_ceremony(int64_t time_ms,
				  const struct entry_ceremony *c, uint8_t *out,
				  size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);
	uint64_t fields = CEREMONY_FIELDS;

	fields += c->refusal.n > 0;
	fields += c->outcome != NULL;
	*len = 0;
	if (c->refusal.n > ENTRY_REFUSAL_MAX)
		return SG_TOO_BIG;
	if (c->refusal.n > 0 && c->outcome != NULL)
		return SG_MALFORMED;
	put_begin(&w, fields, ENTRY_CEREMONY, time_ms);
	put_field_bytes(&w, FIELD_OPERATION, c->operation.p, c->operation.n);
	if (c->refusal.n > 0)
		put_field_text(&w, FIELD_REFUSAL, c->refusal);
	if (c->outcome != NULL)
		put_field_bytes(&w, FIELD_OUTCOME, c->outcome,
				ENTRY_HASH_BYTES);
	return done(&w, len);
}

enum sg_err entry_encode_revocation(int64_t time_ms, struct span statement,
				    uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	put_begin(&w, CEREMONY_FIELDS, ENTRY_REVOCATION, time_ms);
	put_field_bytes(&w, FIELD_OPERATION, statement.p, statement.n);
	return done(&w, len);
}

enum sg_err entry_encode_key_event(int64_t time_ms,
				   const struct entry_key_event *e,
				   uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);
	uint64_t fields = KEY_EVENT_FIELDS;

	fields += e->kid != NULL;
	fields += e->operation != NULL;
	*len = 0;
	if (e->label.n == 0 || e->state.n == 0)
		return SG_MALFORMED;
	if (e->label.n > ENTRY_NAME_MAX || e->state.n > ENTRY_STATE_MAX)
		return SG_TOO_BIG;
	put_begin(&w, fields, ENTRY_KEY_EVENT, time_ms);
	put_field_text(&w, FIELD_LABEL, e->label);
	put_field_text(&w, FIELD_STATE, e->state);
	if (e->kid != NULL)
		put_field_bytes(&w, FIELD_KEY_KID, e->kid, COSE_KID_BYTES);
	if (e->operation != NULL)
		put_field_bytes(&w, FIELD_OPERATION_HASH, e->operation,
				ENTRY_HASH_BYTES);
	return done(&w, len);
}
