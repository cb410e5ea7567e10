/* SPDX-License-Identifier: Apache-2.0 */
#include "entry.h"

#include <openssl/evp.h>

#include "hcert/cbor.h"

/* Map keys of an entry: see README.md.  8 is not in use. */
enum {
	FIELD_TYPE = 1,
	FIELD_TIME,
	FIELD_CLIENT,
	FIELD_KID,
	FIELD_ALG,
	FIELD_KIND,
	FIELD_UVCI_HASH,
	FIELD_REVOCATION = 9,
	FIELD_CONTENT_HASH,
	FIELD_IAT,
	FIELD_EXP,
	FIELD_POLICY,
	FIELD_ATTESTATION
};

enum { CERTIFICATE_FIELDS = 12, RUN_FIELDS = 2 };

/* SHA-256 over A and then B. */
static enum sg_err hash_two(struct span a, struct span b,
			    uint8_t out[ENTRY_HASH_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum sg_err err = SG_INTERNAL;

	if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, a.p, a.n) == 1 &&
	    EVP_DigestUpdate(ctx, b.p, b.n) == 1 &&
	    EVP_DigestFinal_ex(ctx, out, NULL) == 1)
		err = SG_OK;
	EVP_MD_CTX_free(ctx);
	return err;
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

	if (type != ENTRY_ISSUED && type != ENTRY_RENEWED)
		return SG_MALFORMED;
	err = entry_revocation(c->alg, c->signature, revocation);
	if (err == SG_OK)
		err = hash_two(c->signature, c->uvci, uvci_hash);
	if (err == SG_OK)
		err = hash_two(c->signature, c->sig_structure, content_hash);
	if (err != SG_OK)
		return err;
	cbor_put_map(&w, c->attestation == NULL ? CERTIFICATE_FIELDS
						: CERTIFICATE_FIELDS + 1);
	put_field_int(&w, FIELD_TYPE, type);
	put_field_int(&w, FIELD_TIME, time_ms);
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

	if (type != ENTRY_STARTED && type != ENTRY_STOPPED)
		return SG_MALFORMED;
	cbor_put_map(&w, RUN_FIELDS);
	put_field_int(&w, FIELD_TYPE, type);
	put_field_int(&w, FIELD_TIME, time_ms);
	return done(&w, len);
}
