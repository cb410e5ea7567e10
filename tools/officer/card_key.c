/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card_state.h"
#include "pkcs11/ckr.h"
#include "pkcs11/object.h"
#include "pkcs11/spki.h"
#include "pkcs11/unconst.h"
#include "signer.h"

enum {
	ID_MAX = 64,
	VALUE_MAX = 8192,   /* bytes of a certificate */
	POINT_MAX = 133,    /* of P-521, wrapped in an OCTET STRING, and more */
	CURVE_MAX = 32,	    /* of CKA_EC_PARAMS */
	ATTRIBUTES_MAX = 8, /* of a template */
	FOUND_MAX = 2	    /* one too many shows */
};

/* --- the module ----------------------------------------------------------- */

enum sg_err card_load(struct card *c, const char *module, char *why, size_t cap)
{
	union {
		void *object;
		CK_C_GetFunctionList function;
	} symbol;
	CK_FUNCTION_LIST *f = NULL;
	void *handle;
	CK_RV rv;

	if (module == NULL)
		module = p11_kit_uri_get_module_path(c->uri);
	if (module == NULL) {
		(void)snprintf(why, cap,
			       "which PKCS #11 module?  Say --module PATH, or "
			       "?module-path=PATH in the URI");
		return SG_CONFIG;
	}
	handle = dlopen(module, RTLD_NOW | RTLD_LOCAL); /* stays: it may leave
							   threads behind */
	symbol.object =
		handle != NULL ? dlsym(handle, "C_GetFunctionList") : NULL;
	if (symbol.object == NULL || symbol.function(&f) != CKR_OK) {
		(void)snprintf(why, cap, "%s: no PKCS #11 module", module);
		return SG_CONFIG;
	}
	rv = f->C_Initialize(NULL);
	if (rv != CKR_OK)
		return card_failed(c, "C_Initialize", rv, why, cap);
	c->f = f;
	return SG_OK;
}

/* --- objects -------------------------------------------------------------- */

/* The template of the URI's object of CLASS. */
static CK_ULONG template_of(const struct card *c, const CK_OBJECT_CLASS *class,
			    CK_ATTRIBUTE out[ATTRIBUTES_MAX])
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_LABEL, CKA_ID};
	CK_ULONG n = 0;

	out[n++] = (CK_ATTRIBUTE){CKA_CLASS, unconst(class), sizeof(*class)};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const CK_ATTRIBUTE *a =
			p11_kit_uri_get_attribute(c->uri, types[i]);

		if (a != NULL)
			out[n++] = *a;
	}
	return n;
}

/* The object of CLASS with the id of the key; CK_INVALID_HANDLE: none. */
static CK_OBJECT_HANDLE beside(const struct card *c, CK_OBJECT_CLASS class)
{
	uint8_t id[ID_MAX];
	size_t n = sizeof(id);
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG count = FOUND_MAX;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
				   {CKA_ID, id, 0}};

	if (object_read(c->f, c->session, c->key, CKA_ID, id, &n) != CKR_OK ||
	    n == 0)
		return CK_INVALID_HANDLE;
	template[1].ulValueLen = n;
	if (object_find(c->f, c->session, template, 2, found, &count) !=
		    CKR_OK ||
	    count == 0)
		return CK_INVALID_HANDLE;
	return found[0];
}

/* --- the public half ------------------------------------------------------ */

static bool pkey_spki(EVP_PKEY *pkey, struct span *out)
{
	const bool good = pkey != NULL && signer_spki(pkey, out);

	EVP_PKEY_free(pkey);
	return good;
}

/* The point as it is in an EC key: without its OCTET STRING. */
static struct span unwrap(struct span point)
{
	/* X9.62: 04 begins an uncompressed point as well; its length tells. */
	if (point.n > 2 && point.p[0] == V_ASN1_OCTET_STRING &&
	    point.p[1] == point.n - 2)
		return span_of(point.p + 2, point.n - 2);
	return point;
}

static EVP_PKEY *make_ec(const char *curve, struct span point)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 unconst(curve), 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  unconst(point.p), point.n),
		OSSL_PARAM_construct_end()};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY,
					params);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static bool read_ec(const struct card *c, CK_OBJECT_HANDLE o, struct span *out)
{
	/* CKA_EC_PARAMS: the curve's object identifier in DER. */
	static const struct {
		struct span oid;
		const char *name;
	} curves[] = {
		{SPAN_LIT("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"), "P-256"},
		{SPAN_LIT("\x06\x05\x2b\x81\x04\x00\x22"), "P-384"},
	};
	uint8_t params[CURVE_MAX];
	uint8_t point[POINT_MAX];
	size_t params_n = sizeof(params);
	size_t n = sizeof(point);

	if (object_read(c->f, c->session, o, CKA_EC_PARAMS, params,
			&params_n) != CKR_OK ||
	    object_read(c->f, c->session, o, CKA_EC_POINT, point, &n) != CKR_OK)
		return false;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (span_eq(span_of(params, params_n), curves[i].oid))
			return pkey_spki(make_ec(curves[i].name,
						 unwrap(span_of(point, n))),
					 out);
	return false;
}

static bool read_ed25519(const struct card *c, CK_OBJECT_HANDLE o,
			 struct span *out)
{
	uint8_t point[POINT_MAX];
	size_t n = sizeof(point);

	return object_read(c->f, c->session, o, CKA_EC_POINT, point, &n) ==
		       CKR_OK &&
	       spki_ed25519(span_of(point, n), out) == SG_OK;
}

static bool read_rsa(const struct card *c, CK_OBJECT_HANDLE o, struct span *out)
{
	uint8_t modulus[COSE_SIG_MAX + 1];
	uint8_t exponent[16];
	size_t n = sizeof(modulus);
	size_t e = sizeof(exponent);

	return object_read(c->f, c->session, o, CKA_MODULUS, modulus, &n) ==
		       CKR_OK &&
	       object_read(c->f, c->session, o, CKA_PUBLIC_EXPONENT, exponent,
			   &e) == CKR_OK &&
	       spki_rsa(span_of(modulus, n), span_of(exponent, e), out) ==
		       SG_OK;
}

static bool read_public(const struct card *c, CK_OBJECT_HANDLE o,
			struct span *out)
{
	CK_KEY_TYPE type;
	size_t n = sizeof(type);

	if (object_read(c->f, c->session, o, CKA_KEY_TYPE, &type, &n) !=
		    CKR_OK ||
	    n != sizeof(type))
		return false;
	switch (type) {
	case CKK_EC: return read_ec(c, o, out);
	case CKK_EC_EDWARDS: return read_ed25519(c, o, out);
	case CKK_RSA: return read_rsa(c, o, out);
	default: return false;
	}
}

static bool read_certificate(const struct card *c, CK_OBJECT_HANDLE o,
			     struct span *out)
{
	uint8_t *der = malloc(VALUE_MAX);
	const unsigned char *p = der;
	size_t n = VALUE_MAX;
	X509 *x = NULL;
	bool good;

	if (der != NULL &&
	    object_read(c->f, c->session, o, CKA_VALUE, der, &n) == CKR_OK)
		x = d2i_X509(NULL, &p, (long)n);
	good = x != NULL && pkey_spki(X509_get_pubkey(x), out);
	X509_free(x);
	ERR_clear_error();
	free(der);
	return good;
}

static enum sg_err find_public(const struct card *c, struct span *spki,
			       char *why, size_t cap)
{
	CK_OBJECT_HANDLE o = beside(c, CKO_PUBLIC_KEY);

	if (o != CK_INVALID_HANDLE && read_public(c, o, spki))
		return SG_OK;
	o = beside(c, CKO_CERTIFICATE);
	if (o != CK_INVALID_HANDLE && read_certificate(c, o, spki))
		return SG_OK;
	(void)snprintf(why, cap,
		       "the card has neither the key's public half nor its "
		       "certificate under the key's id");
	return SG_NOT_FOUND;
}

enum sg_err card_find_key(struct card *c, struct span *spki, char *why,
			  size_t cap)
{
	static const CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template[ATTRIBUTES_MAX];
	const CK_ULONG n = template_of(c, &class, template);
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG count = FOUND_MAX;
	const CK_RV rv =
		object_find(c->f, c->session, template, n, found, &count);

	if (rv != CKR_OK)
		return card_failed(c, "C_FindObjects", rv, why, cap);
	if (count != 1) {
		(void)snprintf(why, cap,
			       count == 0 ? "the card has no such private key"
					  : "several keys on the card fit the "
					    "URI: name object or id");
		return SG_NOT_FOUND;
	}
	c->key = found[0];
	c->always = object_bool(c->f, c->session, c->key,
				CKA_ALWAYS_AUTHENTICATE, false);
	return find_public(c, spki, why, cap);
}
