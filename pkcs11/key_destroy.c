/* SPDX-License-Identifier: Apache-2.0 */
#include "key_destroy.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "key_public.h"
#include "object.h"
#include "unconst.h"

enum { OBJECTS_MAX = 16, CERTIFICATE_MAX = 8192 };

struct found {
	CK_ULONG n;
	CK_OBJECT_HANDLE object[OBJECTS_MAX];
};

static const CK_FUNCTION_LIST *calls(const struct forge *f)
{
	return f->session.token->module->f;
}

/* Objects of CLASS on the token whose attribute TYPE is VALUE. */
static enum sg_err find(struct forge *f, CK_OBJECT_CLASS class,
			CK_ATTRIBUTE_TYPE type, struct span value,
			struct found *found, struct forged *out)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
				   {CKA_TOKEN, &yes, sizeof(yes)},
				   {type, unconst(value.p), value.n}};
	CK_RV rv;

	found->n = OBJECTS_MAX;
	watch_enter(f->watch, "finding a key's objects", clock_mono_us());
	rv = object_find(calls(f), f->session.handle, template, 3,
			 found->object, &found->n);
	watch_leave(f->watch);
	return rv == CKR_OK ? SG_OK : forge_fail_call(out, "C_FindObjects", rv);
}

static enum sg_err destroy(struct forge *f, CK_OBJECT_HANDLE object,
			   struct forged *out)
{
	CK_RV rv;

	watch_enter(f->watch, "destroying an object", clock_mono_us());
	rv = calls(f)->C_DestroyObject(f->session.handle, object);
	watch_leave(f->watch);
	return rv == CKR_OK ? SG_OK
			    : forge_fail_call(out, "C_DestroyObject", rv);
}

/* Is the public key OBJECT that of SPKI? */
static bool is_public(struct forge *f, CK_OBJECT_HANDLE object,
		      enum cose_alg alg, struct span spki)
{
	struct span der;
	bool is;

	if (key_public_read(f->session.token, f->session.handle, object, alg,
			    &der) != SG_OK)
		return false;
	is = span_eq(der, spki);
	OPENSSL_free(unconst(der.p));
	return is;
}

/* Is the certificate OBJECT one of the key SPKI? */
static bool is_certificate(struct forge *f, CK_OBJECT_HANDLE object,
			   struct span spki)
{
	uint8_t der[CERTIFICATE_MAX];
	size_t n = sizeof(der);
	const uint8_t *p = der;
	const uint8_t *q = spki.p;
	X509 *x = NULL;
	EVP_PKEY *key;
	bool is;

	if (object_read(calls(f), f->session.handle, object, CKA_VALUE, der,
			&n) == CKR_OK)
		x = d2i_X509(NULL, &p, (long)n);
	key = d2i_PUBKEY(NULL, &q, (long)spki.n);
	is = x != NULL && key != NULL &&
	     EVP_PKEY_eq(X509_get0_pubkey(x), key) == 1;
	EVP_PKEY_free(key);
	X509_free(x);
	ERR_clear_error();
	return is;
}

/* The public keys and certificates of TASK's key among those of an attribute;
 * others may share it, and stay. */
static enum sg_err destroy_public(struct forge *f,
				  const struct wire_forge *task,
				  CK_ATTRIBUTE_TYPE type, struct span value,
				  struct forged *out)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_PUBLIC_KEY,
						  CKO_CERTIFICATE};
	struct found found;
	enum sg_err e = SG_OK;

	for (size_t c = 0; c < 2 && e == SG_OK; c++) {
		e = find(f, classes[c], type, value, &found, out);
		for (CK_ULONG i = 0; i < found.n && e == SG_OK; i++) {
			const CK_OBJECT_HANDLE o = found.object[i];

			if (classes[c] == CKO_PUBLIC_KEY
				    ? is_public(f, o, (enum cose_alg)task->alg,
						task->spki)
				    : is_certificate(f, o, task->spki))
				e = destroy(f, o, out);
		}
	}
	return e;
}

/* The id of the private key OBJECT; empty: it has none. */
static struct span id_of(struct forge *f, CK_OBJECT_HANDLE object,
			 uint8_t id[TOKEN_ID_MAX])
{
	size_t n = TOKEN_ID_MAX;

	if (object_read(calls(f), f->session.handle, object, CKA_ID, id, &n) !=
	    CKR_OK)
		n = 0;
	return span_of(id, n);
}

/* Does the public key that goes with the one private key say SPKI? */
static enum sg_err check_public(struct forge *f, const struct wire_forge *task,
				CK_ATTRIBUTE_TYPE type, struct span value,
				struct forged *out)
{
	struct found found;
	enum sg_err e = find(f, CKO_PUBLIC_KEY, type, value, &found, out);

	if (e != SG_OK)
		return e;
	for (CK_ULONG i = 0; i < found.n; i++)
		if (is_public(f, found.object[i], (enum cose_alg)task->alg,
			      task->spki))
			return SG_OK;
	return forge_fail(out, SG_BAD_KEY,
			  "the key of this label on the token is another one");
}

/* A private key may share its id with no other: which of them the public key
 * is of could not be told. */
static enum sg_err check_alone(struct forge *f, struct span id,
			       struct forged *out)
{
	struct found found;
	enum sg_err e = find(f, CKO_PRIVATE_KEY, CKA_ID, id, &found, out);

	if (e == SG_OK && found.n != 1)
		e = forge_fail(out, SG_CONFIG,
			       "several private keys have the key's id");
	return e;
}

static enum sg_err check_gone(struct forge *f, const struct wire_forge *task,
			      struct forged *out)
{
	struct found found;
	enum sg_err e =
		find(f, CKO_PRIVATE_KEY, CKA_LABEL, task->label, &found, out);

	if (e == SG_OK && found.n > 0)
		e = forge_fail(out, SG_INTERNAL,
			       "the token still has the private key");
	return e;
}

static enum sg_err destroy_pair(struct forge *f, const struct wire_forge *task,
				CK_OBJECT_HANDLE private, struct forged *out)
{
	uint8_t bytes[TOKEN_ID_MAX];
	const struct span id = id_of(f, private, bytes);
	const CK_ATTRIBUTE_TYPE type = id.n > 0 ? CKA_ID : CKA_LABEL;
	const struct span value = id.n > 0 ? id : task->label;
	enum sg_err e = check_public(f, task, type, value, out);

	if (e == SG_OK && id.n > 0)
		e = check_alone(f, id, out);
	/* The private key first: what is left can still be told by its public
	 * key, should we not come so far. */
	if (e == SG_OK)
		e = destroy(f, private, out);
	if (e == SG_OK)
		e = destroy_public(f, task, type, value, out);
	return e;
}

void key_destroy(struct forge *f, const struct wire_forge *task,
		 struct forged *out)
{
	struct found found;
	enum sg_err e =
		find(f, CKO_PRIVATE_KEY, CKA_LABEL, task->label, &found, out);

	if (e != SG_OK)
		return;
	if (task->spki.n == 0) {
		(void)forge_fail(out, SG_MALFORMED, "no key is meant");
		return;
	}
	if (found.n > 1) {
		(void)forge_fail(out, SG_CONFIG,
				 "the token has several such keys");
		return;
	}
	if (found.n == 1)
		e = destroy_pair(f, task, found.object[0], out);
	/* What an earlier try has left, too. */
	if (e == SG_OK)
		e = destroy_public(f, task, CKA_LABEL, task->label, out);
	if (e == SG_OK)
		(void)check_gone(f, task, out);
}
