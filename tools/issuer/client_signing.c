/* SPDX-License-Identifier: Apache-2.0 */
#include "client_signing.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "hcert/cbor.h"
#include "hcert/cwt.h"
#include "hcert/deflate.h"
#include "hcert/hc1.h"
#include "policy/signed_request.h"
#include "tools/common/input.h"
#include "tools/common/json_cbor.h"
#include "tools/common/signing_key.h"

#define BEGIN "{\"signed\":\""
#define END "\"}"

struct client_signing {
	struct signing_key *key;
	struct signed_purpose purpose;
	struct deflate *deflate;
	/* Of the request at hand, grown as needed. */
	size_t cap;
	uint8_t *payload, *tbs, *cose;
	char *text;
	uint8_t *certificate; /* HC1_COSE_MAX */
};

/* A member of the request, encoded. */
struct member {
	struct span key;
	struct span value; /* owned, but for what lies in the certificate */
	uint8_t *memory;
};

enum { MEMBERS_MAX = 64, HEAD_MAX = 9 /* of a CBOR item */ };

/* --- opening -------------------------------------------------------------- */

static enum sg_err read_key(struct client_signing *s, const char *path,
			    char *why)
{
	uint8_t *pem;
	size_t n;
	enum sg_err err = input_bytes(path, &pem, &n, why, WHY_MAX);

	if (err != SG_OK)
		return SG_CONFIG;
	err = signing_key_read(span_of(pem, n), &s->key);
	OPENSSL_cleanse(pem, n);
	free(pem);
	if (err == SG_OK || err == SG_NO_MEMORY)
		return err;
	(void)snprintf(why, WHY_MAX,
		       "--sign-with: %.*s: not a private key in PEM, without "
		       "a passphrase, on P-256, of RSA or Ed25519",
		       WHY_MAX / 2, path);
	return SG_CONFIG;
}

enum sg_err client_signing_open(const struct args *args, const char *operation,
				struct client_signing **out, char *why)
{
	const char *key = args->value[OPT_SIGN_WITH];
	const char *audience = args->value[OPT_AUDIENCE];
	struct client_signing *s;
	enum sg_err err;

	*out = NULL;
	if (key == NULL)
		return SG_OK;
	if (audience == NULL ||
	    strlen(audience) > SIGNED_REQUEST_AUDIENCE_MAX) {
		(void)snprintf(why, WHY_MAX,
			       "--sign-with needs --audience: the name of the "
			       "server's ledger, as its operator tells it");
		return SG_CONFIG;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return SG_NO_MEMORY;
	s->purpose = (struct signed_purpose){.operation = span_str(operation),
					     .audience = span_str(audience)};
	s->certificate = malloc(HC1_COSE_MAX);
	err = s->certificate != NULL ? deflate_create(&s->deflate)
				     : SG_NO_MEMORY;
	if (err == SG_OK)
		err = read_key(s, key, why);
	if (err != SG_OK) {
		client_signing_close(s);
		return err;
	}
	*out = s;
	return SG_OK;
}

void client_signing_close(struct client_signing *s)
{
	if (s == NULL)
		return;
	signing_key_free(s->key);
	deflate_free(s->deflate);
	free(s->payload);
	free(s->tbs);
	free(s->cose);
	free(s->text);
	free(s->certificate);
	free(s);
}

/* --- the request in CBOR -------------------------------------------------- */

/* The payload of the certificate HC1; empty if it is none. */
static struct span payload_of(struct client_signing *s, struct span hc1)
{
	struct cose_sign1 sign1;
	struct cwt_claims claims = {0};
	size_t n;

	if (hc1_decode(s->deflate, hc1, s->certificate, HC1_COSE_MAX, &n) !=
		    SG_OK ||
	    cose_sign1_decode(span_of(s->certificate, n), &sign1) != SG_OK ||
	    sign1.detached || cwt_decode(sign1.payload, &claims) != SG_OK)
		return span_of(NULL, 0);
	return claims.dcc;
}

/* The text of an attestation: bytes where it is base64. */
static bool as_bytes(json_t *value, uint8_t **out, size_t *n)
{
	const struct span text =
		span_of(json_string_value(value), json_string_length(value));
	const size_t cap = text.n + HEAD_MAX;
	uint8_t *bytes = malloc(cap);
	uint8_t *item = malloc(cap);
	struct cbor_writer w;
	bool good =
		bytes != NULL && item != NULL && base64_decode(text, bytes, n);

	if (good) {
		w = cbor_write(item, cap);
		cbor_put_bytes(&w, span_of(bytes, *n));
		good = cbor_done(&w, n) == SG_OK;
	}
	free(bytes);
	if (!good) {
		free(item);
		return false;
	}
	*out = item;
	return true;
}

/* False: there is no such certificate, or no memory. */
static bool encode(struct client_signing *s, const char *key, json_t *value,
		   struct member *out)
{
	size_t n = 0;

	*out = (struct member){.key = span_str(key)};
	if (json_is_string(value) && strcmp(key, "hcert") == 0) {
		out->key = SPAN_LIT("dcc");
		out->value = payload_of(s, span_of(json_string_value(value),
						   json_string_length(value)));
		return out->value.n > 0;
	}
	if (!(json_is_string(value) && strcmp(key, "attestation") == 0 &&
	      as_bytes(value, &out->memory, &n)) &&
	    json_cbor(value, &out->memory, &n) != SG_OK)
		return false;
	out->value = span_of(out->memory, n);
	return true;
}

static int by_encoding(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;

	if (cbor_text_before(x->key, y->key))
		return -1;
	return cbor_text_before(y->key, x->key) ? 1 : 0;
}

static bool is_twice(const struct member *m, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (span_eq(m[i - 1].key, m[i].key))
			return true;
	return false;
}

static enum sg_err grow(struct client_signing *s, size_t payload)
{
	const size_t cap = payload + SIGNED_REQUEST_FRAME_MAX + COSE_SIG_MAX;
	uint8_t **const buffer[] = {&s->payload, &s->tbs, &s->cose};
	char *text;

	if (cap <= s->cap)
		return SG_OK;
	for (size_t i = 0; i < sizeof(buffer) / sizeof(buffer[0]); i++) {
		uint8_t *p = realloc(*buffer[i], cap);

		if (p == NULL)
			return SG_NO_MEMORY;
		*buffer[i] = p;
	}
	text = realloc(s->text, cap * 2 + sizeof(BEGIN END));
	if (text == NULL)
		return SG_NO_MEMORY;
	s->text = text;
	s->cap = cap;
	return SG_OK;
}

static enum sg_err put_members(struct client_signing *s, struct member *m,
			       size_t n, size_t *len)
{
	struct cbor_writer w;
	size_t size = HEAD_MAX;
	enum sg_err err;

	for (size_t i = 0; i < n; i++)
		size += HEAD_MAX + m[i].key.n + m[i].value.n;
	err = grow(s, size);
	if (err != SG_OK)
		return err;
	w = cbor_write(s->payload, s->cap);
	cbor_put_map(&w, n);
	for (size_t i = 0; i < n; i++) {
		cbor_put_text(&w, m[i].key);
		cbor_put_raw(&w, m[i].value);
	}
	return cbor_done(&w, len);
}

/* The request J in s->payload; *LEN stays 0 where it is none. */
static enum sg_err make_payload(struct client_signing *s, json_t *j,
				size_t *len)
{
	struct member member[MEMBERS_MAX];
	size_t n = 0;
	bool good = json_object_size(j) <= MEMBERS_MAX;
	enum sg_err err = SG_OK;

	*len = 0;
	for (void *at = json_object_iter(j); good && at != NULL;
	     at = json_object_iter_next(j, at))
		good = encode(s, json_object_iter_key(at),
			      json_object_iter_value(at), &member[n++]);
	if (good) {
		qsort(member, n, sizeof(member[0]), by_encoding);
		if (!is_twice(member, n))
			err = put_members(s, member, n, len);
	}
	for (size_t i = 0; i < n; i++)
		free(member[i].memory);
	return err;
}

/* --- signing -------------------------------------------------------------- */

/* The COSE_Sign1 over the N bytes in s->payload, in s->cose. */
static enum sg_err seal(struct client_signing *s, int64_t now, size_t n,
			size_t *len)
{
	uint8_t prot[SIGNED_REQUEST_PROTECTED_MAX];
	uint8_t signature[COSE_SIG_MAX];
	const struct span payload = span_of(s->payload, n);
	struct span p;
	size_t tbs_n;
	size_t sig_n;
	enum sg_err err = signed_request_protected(signing_key_alg(s->key),
						   signing_key_kid(s->key), now,
						   prot, &n);

	if (err != SG_OK)
		return err;
	p = span_of(prot, n);
	err = signed_request_tbs(p, &s->purpose, payload, s->tbs, s->cap,
				 &tbs_n);
	if (err == SG_OK)
		err = signing_key_sign(s->key, span_of(s->tbs, tbs_n),
				       signature, &sig_n);
	if (err == SG_OK)
		err = cose_sign1_encode(p, payload, span_of(signature, sig_n),
					s->cose, s->cap, len);
	return err;
}

enum sg_err client_signing_sign(struct client_signing *s, int64_t now,
				struct span *text)
{
	json_t *j;
	size_t n = 0;
	size_t used = sizeof(BEGIN) - 1;
	enum sg_err err = SG_OK;

	if (s == NULL)
		return SG_OK;
	j = json_loadb((const char *)text->p, text->n,
		       JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL |
			       JSON_REJECT_DUPLICATES,
		       NULL);
	if (json_is_object(j))
		err = make_payload(s, j, &n);
	json_decref(j);
	if (err == SG_OK && n > 0)
		err = seal(s, now, n, &n);
	if (err != SG_OK || n == 0)
		return err;
	memcpy(s->text, BEGIN, used);
	used += base64_encode(span_of(s->cose, n), BASE64_STANDARD,
			      s->text + used);
	memcpy(s->text + used, END, sizeof(END) - 1);
	*text = span_of(s->text, used + sizeof(END) - 1);
	return SG_OK;
}
