/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway.h"

#include <assert.h>

#include "base/base64.h"

/* RFC 7468 s. 13. */
#define PEM_BEGIN SPAN_LIT("-----BEGIN PUBLIC KEY-----")
#define PEM_END SPAN_LIT("-----END PUBLIC KEY-----")

enum { BASE64_MAX = (GATEWAY_SPKI_MAX + 2) / 3 * 4 };

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
static bool decode(struct span text, uint8_t der[GATEWAY_SPKI_MAX], size_t *n)
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

enum sg_err gateway_add_key(struct gateway *g, struct span text)
{
	struct gateway_key *key = &g->key[g->n];
	uint8_t der[GATEWAY_SPKI_MAX];
	size_t n;
	enum sg_err err;

	assert(g->n < GATEWAY_KEYS_MAX);
	if (!decode(text, der, &n))
		return SG_MALFORMED;
	/* Also says that its algorithm and size are among ours. */
	err = cose_key_from_spki(span_of(der, n), &key->key);
	if (err != SG_OK)
		return err;
	err = cose_key_check(span_of(der, n));
	if (err == SG_OK)
		err = attestation_kid(span_of(der, n), key->kid);
	if (err != SG_OK) {
		cose_key_free(key->key);
		key->key = NULL;
		return err;
	}
	g->n++;
	return SG_OK;
}

void gateway_clear(struct gateway *g)
{
	while (g->n > 0)
		cose_key_free(g->key[--g->n].key);
}

const struct gateway_key *gateway_find(const struct gateway *g, struct span kid)
{
	for (size_t i = 0; i < g->n; i++)
		if (span_eq(kid, span_of(g->key[i].kid, sizeof(g->key[i].kid))))
			return &g->key[i];
	return NULL;
}

enum sg_err gateway_verify(const struct gateway_key *key,
			   const struct attestation *a)
{
	uint8_t tbs[ATTESTATION_TBS_MAX];
	size_t n;
	const enum sg_err err =
		attestation_tbs(a->prot, a->claims, tbs, sizeof(tbs), &n);

	if (err != SG_OK)
		return err;
	return cose_key_verify(key->key, a->alg, span_of(tbs, n), a->signature);
}
