/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "doc.h"
#include "hcert/cbor.h"
#include "hcert/cose.h"

enum {
	DEPTH_MAX = 8,
	P256_BYTES = 32,
	ED25519_BYTES = 32,
	RSA_BYTES_MAX = 1024, /* RSA-8192; more than the daemon signs with */
	PEM_LINE = 48,	      /* bytes of a line of 64 characters: RFC 7468 */
	SPKI_ALG_COUNT = 3
};

/* COSE_Key parameters and values: RFC 9052 s. 7.1, RFC 9053 s. 7, RFC 8230
 * s. 4. */
enum {
	COSE_KEY_KTY = 1,
	COSE_KEY_KID = 2,
	COSE_KEY_ALG = 3,
	COSE_KTY_OKP = 1,
	COSE_KTY_EC2 = 2,
	COSE_KTY_RSA = 3,
	COSE_CRV_P256 = 1,
	COSE_CRV_ED25519 = 6,
	COSE_KEY_CRV = -1, /* EC2, OKP */
	COSE_KEY_X = -2,
	COSE_KEY_Y = -3,
	COSE_KEY_N = -1, /* RSA */
	COSE_KEY_E = -2
};

enum kty { KTY_EC2, KTY_RSA, KTY_OKP };

/* A public key's numbers, big-endian. */
struct numbers {
	enum kty kty;
	uint8_t a[RSA_BYTES_MAX], b[RSA_BYTES_MAX]; /* x and y; n and e; x */
	size_t a_n, b_n;
};

/* What a key's map says, as far as it matters here. */
struct entry {
	struct span alg, kid, state, certificate;
};

/* --- the core's document ----------------------------------------------- */

static void take_member(struct entry *e, struct span name,
			const struct cbor_item *value)
{
	if (value->type == CBOR_TEXT && span_is(name, "alg"))
		e->alg = value->run;
	if (value->type == CBOR_TEXT && span_is(name, "state"))
		e->state = value->run;
	if (value->type == CBOR_BYTES && span_is(name, "kid"))
		e->kid = value->run;
	if (value->type == CBOR_BYTES && span_is(name, "certificate"))
		e->certificate = value->run;
}

static enum sg_err read_entry(struct cbor_reader *r, struct entry *e)
{
	struct cbor_reader peek;
	struct cbor_item item;
	struct cbor_item name;
	enum sg_err err = cbor_next(r, &item);

	*e = (struct entry){0};
	if (err != SG_OK)
		return err;
	if (item.type != CBOR_MAP)
		return SG_MALFORMED;
	for (uint64_t n = item.arg; n > 0; n--) {
		err = cbor_next(r, &name);
		if (err != SG_OK)
			return err;
		peek = *r;
		if (cbor_next(&peek, &item) == SG_OK && name.type == CBOR_TEXT)
			take_member(e, name.run, &item);
		err = cbor_skip(r, DEPTH_MAX, NULL);
		if (err != SG_OK)
			return err;
	}
	return SG_OK;
}

/* R, at the first of *N keys. */
static enum sg_err open_list(struct span document, struct cbor_reader *r,
			     uint64_t *n)
{
	struct cbor_item item;
	enum sg_err err;

	*r = cbor_read(document, CBOR_DETERMINISTIC);
	err = cbor_next(r, &item);
	if (err == SG_OK && (item.type != CBOR_MAP || item.arg != 1))
		err = SG_MALFORMED;
	if (err == SG_OK)
		err = cbor_next(r, &item);
	if (err == SG_OK &&
	    (item.type != CBOR_TEXT || !span_is(item.run, "keys")))
		err = SG_MALFORMED;
	if (err == SG_OK)
		err = cbor_next(r, &item);
	if (err == SG_OK && item.type != CBOR_ARRAY)
		err = SG_MALFORMED;
	*n = err == SG_OK ? item.arg : 0;
	return err;
}

/* The next of *LEFT keys that a verifier may trust; SG_NOT_FOUND at the end. */
static enum sg_err next_trusted(struct cbor_reader *r, uint64_t *left,
				struct entry *e)
{
	enum sg_err err;

	while (*left > 0) {
		--*left;
		err = read_entry(r, e);
		if (err != SG_OK)
			return err;
		if (e->certificate.n > 0 && !span_is(e->state, "compromised"))
			return SG_OK;
	}
	return SG_NOT_FOUND;
}

static enum sg_err count_trusted(struct span document, uint64_t *n)
{
	struct cbor_reader r;
	struct entry e;
	uint64_t left;
	enum sg_err err = open_list(document, &r, &left);

	*n = 0;
	while (err == SG_OK) {
		err = next_trusted(&r, &left, &e);
		*n += err == SG_OK;
	}
	return err == SG_NOT_FOUND ? SG_OK : err;
}

/* --- public keys ------------------------------------------------------- */

/* A number of KEY, big-endian, in WIDTH bytes (0: as many as it needs). */
static bool read_number(const EVP_PKEY *key, const char *param, size_t width,
			uint8_t out[RSA_BYTES_MAX], size_t *len)
{
	BIGNUM *v = NULL;
	size_t n;
	bool ok;

	if (EVP_PKEY_get_bn_param(key, param, &v) != 1)
		return false;
	n = width > 0 ? width : (size_t)BN_num_bytes(v);
	ok = n <= RSA_BYTES_MAX && BN_bn2binpad(v, out, (int)n) == (int)n;
	*len = n;
	BN_free(v);
	return ok;
}

static enum sg_err numbers_of(EVP_PKEY *key, struct numbers *k)
{
	bool ok = false;

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		k->kty = KTY_EC2;
		ok = EVP_PKEY_get_bits(key) == 8 * P256_BYTES &&
		     read_number(key, OSSL_PKEY_PARAM_EC_PUB_X, P256_BYTES,
				 k->a, &k->a_n) &&
		     read_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, P256_BYTES,
				 k->b, &k->b_n);
		break;
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		k->kty = KTY_RSA;
		ok = read_number(key, OSSL_PKEY_PARAM_RSA_N, 0, k->a,
				 &k->a_n) &&
		     read_number(key, OSSL_PKEY_PARAM_RSA_E, 0, k->b, &k->b_n);
		break;
	case EVP_PKEY_ED25519:
		k->kty = KTY_OKP;
		k->a_n = ED25519_BYTES;
		ok = EVP_PKEY_get_raw_public_key(key, k->a, &k->a_n) == 1;
		break;
	default: break;
	}
	return ok ? SG_OK : SG_BAD_KEY;
}

static enum sg_err read_key(struct span der, struct numbers *k)
{
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	EVP_PKEY *key;
	enum sg_err err;

	if (cert == NULL)
		return SG_MALFORMED;
	key = X509_get0_pubkey(cert);
	err = key == NULL ? SG_BAD_KEY : numbers_of(key, k);
	X509_free(cert);
	return err;
}

/* --- COSE_KeySet ------------------------------------------------------- */

static int64_t cose_alg_number(enum kty kty)
{
	static const int64_t alg[SPKI_ALG_COUNT] = {
		[KTY_EC2] = COSE_ES256,
		[KTY_RSA] = COSE_PS256,
		[KTY_OKP] = COSE_EDDSA,
	};

	return alg[kty];
}

static void put_member(struct cbor_writer *w, int64_t label, struct span bytes)
{
	cbor_put_int(w, label);
	cbor_put_bytes(w, bytes);
}

static void put_pair(struct cbor_writer *w, int64_t label, int64_t value)
{
	cbor_put_int(w, label);
	cbor_put_int(w, value);
}

/* In deterministic order: 1, 2, 3, -1, -2, -3. */
static void put_cose_key(struct cbor_writer *w, const struct entry *e,
			 const struct numbers *k)
{
	static const int64_t kty[SPKI_ALG_COUNT] = {
		[KTY_EC2] = COSE_KTY_EC2,
		[KTY_RSA] = COSE_KTY_RSA,
		[KTY_OKP] = COSE_KTY_OKP,
	};
	const struct span a = span_of(k->a, k->a_n);
	const struct span b = span_of(k->b, k->b_n);

	cbor_put_map(w, k->kty == KTY_EC2 ? 6 : 5);
	put_pair(w, COSE_KEY_KTY, kty[k->kty]);
	put_member(w, COSE_KEY_KID, e->kid);
	put_pair(w, COSE_KEY_ALG, cose_alg_number(k->kty));
	if (k->kty == KTY_RSA) {
		put_member(w, COSE_KEY_N, a);
		put_member(w, COSE_KEY_E, b);
		return;
	}
	put_pair(w, COSE_KEY_CRV,
		 k->kty == KTY_EC2 ? COSE_CRV_P256 : COSE_CRV_ED25519);
	put_member(w, COSE_KEY_X, a);
	if (k->kty == KTY_EC2)
		put_member(w, COSE_KEY_Y, b);
}

/* --- JWK set ----------------------------------------------------------- */

static void put_jwk(struct doc *d, const struct entry *e,
		    const struct numbers *k)
{
	static const char *const kty[SPKI_ALG_COUNT] = {
		[KTY_EC2] = "EC", [KTY_RSA] = "RSA", [KTY_OKP] = "OKP"};
	const bool rsa = k->kty == KTY_RSA;
	uint8_t thumbprint[SHA256_DIGEST_LENGTH];

	doc_map(d, 0);
	doc_key(d, "kty");
	doc_str(d, kty[k->kty]);
	if (!rsa) {
		doc_key(d, "crv");
		doc_str(d, k->kty == KTY_EC2 ? "P-256" : "Ed25519");
	}
	doc_key(d, rsa ? "n" : "x");
	doc_base64url(d, span_of(k->a, k->a_n));
	if (k->b_n > 0) {
		doc_key(d, rsa ? "e" : "y");
		doc_base64url(d, span_of(k->b, k->b_n));
	}
	doc_key(d, "use");
	doc_str(d, "sig");
	doc_key(d, "alg");
	doc_str(d, cose_alg_name((enum cose_alg)cose_alg_number(k->kty)));
	doc_key(d, "kid"); /* as in the certificates' trust lists */
	doc_bytes(d, e->kid);
	doc_key(d, "x5c"); /* RFC 7517 s. 4.7: standard base64 */
	doc_array(d, 1);
	doc_bytes(d, e->certificate);
	doc_array_end(d);
	(void)SHA256(e->certificate.p, e->certificate.n, thumbprint);
	doc_key(d, "x5t#S256");
	doc_base64url(d, span_of(thumbprint, sizeof(thumbprint)));
	doc_map_end(d);
}

/* --- PEM --------------------------------------------------------------- */

static void put_pem(struct cbor_writer *w, struct span der)
{
	char line[PEM_LINE / 3 * 4 + 1];
	struct span run;
	size_t n;

	cbor_put_raw(w, SPAN_LIT("-----BEGIN CERTIFICATE-----\n"));
	while (der.n > 0) {
		run = span_of(der.p, der.n < PEM_LINE ? der.n : PEM_LINE);
		n = base64_encode(run, BASE64_STANDARD, line);
		line[n] = '\n';
		cbor_put_raw(w, span_of(line, n + 1));
		der = span_of(der.p + run.n, der.n - run.n);
	}
	cbor_put_raw(w, SPAN_LIT("-----END CERTIFICATE-----\n"));
}

/* --- all of them ------------------------------------------------------- */

static enum sg_err put_one(struct doc *d, enum media form,
			   const struct entry *e)
{
	struct numbers k = {0};
	enum sg_err err;

	if (form == MEDIA_PEM) {
		put_pem(&d->w, e->certificate);
		return SG_OK;
	}
	err = read_key(e->certificate, &k);
	if (err != SG_OK)
		return err;
	if (form == MEDIA_COSE_KEY_SET)
		put_cose_key(&d->w, e, &k);
	else
		put_jwk(d, e, &k);
	return SG_OK;
}

/* The trusted keys, with what stands around them. */
static enum sg_err put_set(struct doc *d, enum media form, struct span document)
{
	struct cbor_reader r;
	struct entry e;
	uint64_t left;
	uint64_t n;
	enum sg_err err = count_trusted(document, &n);

	if (err == SG_OK)
		err = open_list(document, &r, &left);
	if (err != SG_OK)
		return err;
	if (form == MEDIA_JWK_SET) {
		doc_map(d, 1);
		doc_key(d, "keys");
	}
	if (form != MEDIA_PEM)
		doc_array(d, n);
	while ((err = next_trusted(&r, &left, &e)) == SG_OK) {
		err = put_one(d, form, &e);
		if (err != SG_OK)
			return err;
	}
	if (err != SG_NOT_FOUND)
		return err;
	if (form == MEDIA_JWK_SET) {
		doc_array_end(d);
		doc_map_end(d);
	}
	return SG_OK;
}

enum sg_err keys_write(enum media form, struct span document, uint8_t *out,
		       size_t cap, size_t *len)
{
	const bool json = form == MEDIA_JSON || form == MEDIA_JWK_SET;
	struct doc d = doc_begin(json ? DOC_JSON : DOC_CBOR, out, cap);
	enum sg_err err;

	if (form == MEDIA_JSON || form == MEDIA_CBOR)
		err = doc_item(&d, document);
	else
		err = put_set(&d, form, document);
	return err == SG_OK ? cbor_done(&d.w, len) : err;
}
