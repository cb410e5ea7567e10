/* SPDX-License-Identifier: Apache-2.0 */
#include "verifiers.h"

#include <assert.h>
#include <openssl/evp.h>

#include "base/base64.h"
#include "base/digest.h"

/* RFC 7468 s. 13. */
#define PEM_BEGIN SPAN_LIT("-----BEGIN PUBLIC KEY-----")
#define PEM_END SPAN_LIT("-----END PUBLIC KEY-----")

enum { BASE64_MAX = (VERIFIER_SPKI_MAX + 2) / 3 * 4 };

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct span trim(struct span s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* What stands between the lines of a PEM text; TEXT itself if it has none. */
static struct span inside_pem(struct span text)
{
	const struct span begin = PEM_BEGIN;
	const struct span end = PEM_END;

	if (text.n < begin.n + end.n || memcmp(text.p, begin.p, begin.n) != 0 ||
	    memcmp(text.p + text.n - end.n, end.p, end.n) != 0)
		return text;
	return span_of(text.p + begin.n, text.n - begin.n - end.n);
}

/* The DER in TEXT. */
static bool decode(struct span text, uint8_t der[VERIFIER_SPKI_MAX], size_t *n)
{
	char packed[BASE64_MAX];
	size_t used = 0;

	text = inside_pem(trim(text));
	for (size_t i = 0; i < text.n; i++) {
		if (is_space(text.p[i]))
			continue;
		if (used == sizeof(packed))
			return false;
		packed[used++] = (char)text.p[i];
	}
	return base64_decode(span_of(packed, used), der, n);
}

enum sg_err verifier_kid(struct span spki, uint8_t out[VERIFIER_KID_BYTES])
{
	uint8_t hash[DIGEST_BYTES];

	if (EVP_Digest(spki.p, spki.n, hash, NULL, EVP_sha256(), NULL) != 1)
		return SG_NO_MEMORY;
	memcpy(out, hash, VERIFIER_KID_BYTES);
	return SG_OK;
}

enum sg_err verifiers_add(struct verifiers *v, struct span text)
{
	struct verifier *key = &v->key[v->n];
	uint8_t der[VERIFIER_SPKI_MAX];
	size_t n;
	enum sg_err err;

	assert(v->n < VERIFIERS_MAX);
	if (!decode(text, der, &n))
		return SG_MALFORMED;
	/* Also says that its algorithm and size are among ours. */
	err = cose_key_from_spki(span_of(der, n), &key->key);
	if (err != SG_OK)
		return err;
	err = cose_key_check(span_of(der, n));
	if (err == SG_OK)
		err = verifier_kid(span_of(der, n), key->kid);
	if (err != SG_OK) {
		cose_key_free(key->key);
		key->key = NULL;
		return err;
	}
	v->n++;
	return SG_OK;
}

const char *verifiers_wanted(enum sg_err err)
{
	if (err == SG_BAD_KEY)
		return "must be a key on P-256, of RSA with 2048 to 4096 bits, "
		       "or Ed25519";
	return "must be a public key in PEM, or its DER in base64";
}

void verifiers_clear(struct verifiers *v)
{
	while (v->n > 0)
		cose_key_free(v->key[--v->n].key);
}

const struct verifier *verifiers_find(const struct verifiers *v,
				      struct span kid)
{
	for (size_t i = 0; i < v->n; i++)
		if (span_eq(kid, span_of(v->key[i].kid, sizeof(v->key[i].kid))))
			return &v->key[i];
	return NULL;
}
