/* SPDX-License-Identifier: Apache-2.0 */
#include "key_public.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/log.h"
#include "object.h"
#include "spki.h"
#include "unconst.h"

enum {
	CERTIFICATE_MAX = 16384, /* bytes of DER */
	CANDIDATES_MAX = 16	 /* objects with the key's id */
};

/* The name by which a key's objects belong together. */
struct name {
	struct span id;	   /* CKA_ID; empty: by label */
	struct span label; /* CKA_LABEL */
};

static const CK_FUNCTION_LIST *calls(const struct key *key)
{
	return key->token->module->f;
}

static bool same_name(const struct token_certificate *o,
		      const struct name *name)
{
	if (name->id.n > 0)
		return span_eq(span_of(o->id, o->nid), name->id);
	return name->label.n > 0 && span_eq(span_str(o->label), name->label);
}

/* Raw handles of the objects of CLASS under NAME. */
static CK_ULONG raw_find(const struct key *key, CK_SESSION_HANDLE session,
			 CK_OBJECT_CLASS class, const struct name *name,
			 CK_OBJECT_HANDLE *found)
{
	const bool by_id = name->id.n > 0;
	const struct span value = by_id ? name->id : name->label;
	CK_ATTRIBUTE template[2] = {
		{CKA_CLASS, &class, sizeof(class)},
		{by_id ? CKA_ID : CKA_LABEL, unconst(value.p), value.n}};
	CK_ULONG n = CANDIDATES_MAX;

	if (value.n == 0 ||
	    object_find(calls(key), session, template, 2, found, &n) != CKR_OK)
		return 0;
	return n;
}

enum sg_err key_public_read(const struct token *t, CK_SESSION_HANDLE session,
			    CK_OBJECT_HANDLE object, enum cose_alg alg,
			    struct span *out)
{
	const CK_FUNCTION_LIST *f = t->module->f;
	uint8_t a[COSE_SIG_MAX + 1];
	uint8_t b[8];
	size_t na = sizeof(a);
	size_t nb = sizeof(b);
	const bool rsa = alg == COSE_PS256;

	if (object_read(f, session, object, rsa ? CKA_MODULUS : CKA_EC_POINT, a,
			&na) != CKR_OK)
		return SG_BAD_KEY;
	if (alg == COSE_ES256)
		return spki_p256(span_of(a, na), out);
	if (alg == COSE_EDDSA)
		return spki_ed25519(span_of(a, na), out);
	if (object_read(f, session, object, CKA_PUBLIC_EXPONENT, b, &nb) !=
	    CKR_OK)
		return SG_BAD_KEY;
	return spki_rsa(span_of(a, na), span_of(b, nb), out);
}

static bool spki_fits(const struct key *key, struct span spki)
{
	struct cose_key *public = NULL;
	bool fits;

	if (cose_key_from_spki(spki, &public) != SG_OK)
		return false;
	fits = cose_key_alg(public) == key->alg &&
	       cose_key_sig_bytes(public) == key->sig_bytes;
	cose_key_free(public);
	return fits;
}

static void find_spki(struct key *key, CK_SESSION_HANDLE session,
		      const struct name *name)
{
	CK_OBJECT_HANDLE found[CANDIDATES_MAX];
	const CK_ULONG n = raw_find(key, session, CKO_PUBLIC_KEY, name, found);

	for (CK_ULONG i = 0; i < n; i++) {
		struct span der;

		if (key_public_read(key->token, session, found[i], key->alg,
				    &der) != SG_OK)
			continue;
		if (spki_fits(key, der)) {
			key->spki = der;
			return;
		}
		OPENSSL_free(unconst(der.p));
	}
}

/* A certificate that may be the key's, and the newest so far. */
struct choice {
	const struct key *key;
	EVP_PKEY *public; /* of the key; NULL: not known */
	X509 *best;
};

static void consider(struct choice *c, struct span der)
{
	const uint8_t *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	if (x == NULL || p != der.p + der.n) {
		log_event(LOG_WARNING, "certificate-unreadable", "key=\"%s\"",
			  c->key->label);
	} else if (c->public != NULL &&
		   EVP_PKEY_eq(X509_get0_pubkey(x), c->public) != 1) {
		log_event(LOG_WARNING, "certificate-of-another-key",
			  "key=\"%s\"", c->key->label);
	} else if (c->best == NULL ||
		   ASN1_TIME_compare(X509_get0_notBefore(x),
				     X509_get0_notBefore(c->best)) > 0) {
		X509 *older = c->best;

		c->best = x;
		x = older;
	}
	X509_free(x);
	ERR_clear_error();
}

/* After the login a token may show certificates that libp11 did not see. */
static void consider_raw(struct choice *c, CK_SESSION_HANDLE session,
			 const struct name *name)
{
	CK_OBJECT_HANDLE found[CANDIDATES_MAX];
	const CK_ULONG n =
		raw_find(c->key, session, CKO_CERTIFICATE, name, found);
	uint8_t *der = n > 0 ? OPENSSL_malloc(CERTIFICATE_MAX) : NULL;

	if (der == NULL)
		return;
	for (CK_ULONG i = 0; i < n; i++) {
		size_t len = CERTIFICATE_MAX;

		if (object_read(calls(c->key), session, found[i], CKA_VALUE,
				der, &len) == CKR_OK)
			consider(c, span_of(der, len));
	}
	OPENSSL_free(der);
}

static void find_certificate(struct key *key, CK_SESSION_HANDLE session,
			     const struct name *name)
{
	struct choice c = {.key = key};
	const uint8_t *p = key->spki.p;
	unsigned char *der = NULL;
	int n;

	if (p != NULL)
		c.public = d2i_PUBKEY(NULL, &p, (long)key->spki.n);
	for (size_t i = 0; i < key->token->ncertificates; i++) {
		const struct token_certificate *o = &key->token->certificate[i];

		if (same_name(o, name))
			consider(&c, o->der);
	}
	if (c.best == NULL)
		consider_raw(&c, session, name);
	if (c.best != NULL) {
		n = i2d_X509(c.best, &der);
		if (n > 0)
			key->certificate = span_of(der, (size_t)n);
	}
	X509_free(c.best);
	EVP_PKEY_free(c.public);
	ERR_clear_error();
}

void key_public_find(struct key *key, CK_SESSION_HANDLE session)
{
	uint8_t label[TOKEN_LABEL_MAX];
	size_t n = sizeof(label);
	struct name name = {.id = span_of(key->id, key->nid)};

	if (object_read(calls(key), session, key->handle, CKA_LABEL, label,
			&n) == CKR_OK)
		name.label = span_of(label, n);
	find_spki(key, session, &name);
	find_certificate(key, session, &name);
}
