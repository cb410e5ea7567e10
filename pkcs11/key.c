/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/log.h"
#include "ckr.h"
#include "key_public.h"
#include "mechanism.h"
#include "object.h"
#include "unconst.h"

enum {
	RSA_BITS_MIN = 2048,
	RSA_BYTES_MAX = COSE_SIG_MAX,
	CURVE_SIG_BYTES = COSE_ES256_BYTES
};
_Static_assert((int)COSE_ES256_BYTES == (int)COSE_EDDSA_BYTES,
	       "r||s of both curves is as long");

/* CKA_EC_PARAMS in DER: named curves (RFC 5480 s. 2.1.1.1, RFC 8410 s. 3), and
 * the PrintableString of PKCS #11 v3.0 s. 2.3.5, which SoftHSM2 also has. */
static const uint8_t P256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
			       0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t ED25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t EDWARDS25519[] = "\x13\x0c"
				      "edwards25519";

bool key_label_is_good(struct span label)
{
	for (size_t i = 0; i < label.n; i++) {
		const uint8_t c = label.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '.' || c == '_' ||
		      c == '-'))
			return false;
	}
	return label.n > 0 && label.n < KEY_LABEL_MAX;
}

static const CK_FUNCTION_LIST *calls(const struct key *key)
{
	return key->token->module->f;
}

/* The one object on the token that fits the URI; copies are not on it. */
static enum sg_err find(const struct key *key, CK_SESSION_HANDLE session,
			CK_OBJECT_HANDLE *out)
{
	CK_ATTRIBUTE template[URI_TEMPLATE_MAX + 1];
	CK_ULONG n = uri_template(key->uri, template);
	CK_BBOOL yes = CK_TRUE;
	CK_OBJECT_HANDLE found[2];
	CK_ULONG count = 2;
	CK_RV rv;

	template[n++] = (CK_ATTRIBUTE){CKA_TOKEN, &yes, sizeof(yes)};
	rv = object_find(calls(key), session, template, n, found, &count);
	if (rv != CKR_OK) {
		log_event(LOG_ERROR, "key-unreadable", "key=\"%s\" " CKR_FMT,
			  key->label, CKR_ARGS(rv));
		return SG_TOKEN_DOWN;
	}
	if (count == 1) {
		*out = found[0];
		return SG_OK;
	}
	if (!key->quiet)
		log_event(LOG_ERROR,
			  count == 0 ? "key-not-found" : "key-ambiguous",
			  "key=\"%s\" token=\"%s\"", key->label,
			  key->token->label);
	return count == 0 ? SG_NOT_FOUND : SG_CONFIG;
}

static enum sg_err bad(const struct key *key, const char *why)
{
	if (!key->quiet)
		log_event(LOG_ERROR, "key-refused",
			  "key=\"%s\" alg=%s reason=\"%s\"", key->label,
			  cose_alg_name(key->alg), why);
	return SG_BAD_KEY;
}

static bool curve_is(struct span params, enum cose_alg alg)
{
	if (alg == COSE_ES256)
		return span_eq(params, span_of(P256, sizeof(P256)));
	return span_eq(params, span_of(ED25519, sizeof(ED25519))) ||
	       span_eq(params, span_of(EDWARDS25519, sizeof(EDWARDS25519) - 1));
}

static enum sg_err check_curve(struct key *key, CK_SESSION_HANDLE session)
{
	uint8_t params[64];
	size_t n = sizeof(params);

	if (object_read(calls(key), session, key->handle, CKA_EC_PARAMS, params,
			&n) != CKR_OK)
		return bad(key, "its curve cannot be read");
	if (!curve_is(span_of(params, n), key->alg))
		return bad(key, "is on another curve");
	key->sig_bytes = CURVE_SIG_BYTES;
	return SG_OK;
}

static enum sg_err check_modulus(struct key *key, CK_SESSION_HANDLE session)
{
	uint8_t modulus[RSA_BYTES_MAX + 1]; /* a module may add a zero byte */
	size_t n = sizeof(modulus);
	size_t lead = 0;

	if (object_read(calls(key), session, key->handle, CKA_MODULUS, modulus,
			&n) != CKR_OK)
		return bad(key, "its modulus cannot be read, or is too long");
	while (lead < n && modulus[lead] == 0)
		lead++;
	if (n - lead < RSA_BITS_MIN / 8 || n - lead > RSA_BYTES_MAX)
		return bad(key, "its modulus is too short or too long");
	key->sig_bytes = n - lead;
	return SG_OK;
}

static enum sg_err check_type(struct key *key, CK_SESSION_HANDLE session)
{
	CK_KEY_TYPE type = 0;
	size_t n = sizeof(type);
	CK_RV rv = object_read(calls(key), session, key->handle, CKA_KEY_TYPE,
			       &type, &n);

	if (rv != CKR_OK || n != sizeof(type))
		return bad(key, "its type cannot be read");
	if (type != mechanism_key_type(key->alg))
		return bad(key, "is of another type");
	if (key->alg == COSE_PS256)
		return check_modulus(key, session);
	return check_curve(key, session);
}

static enum sg_err check_use(const struct key *key, CK_SESSION_HANDLE session)
{
	const CK_FUNCTION_LIST *f = calls(key);
	CK_MECHANISM_INFO info;
	CK_RV rv = f->C_GetMechanismInfo(key->token->slot,
					 mechanism_type(key->alg), &info);

	if (rv != CKR_OK || (info.flags & CKF_SIGN) == 0)
		return bad(key, "the token has no such mechanism");
	if (!object_bool(f, session, key->handle, CKA_SIGN, true))
		return bad(key, "it is not for signing");
	if (object_bool(f, session, key->handle, CKA_ALWAYS_AUTHENTICATE,
			false))
		return bad(key, "it wants the PIN for every signature");
	if (!object_bool(f, session, key->handle, CKA_SENSITIVE, true) ||
	    object_bool(f, session, key->handle, CKA_EXTRACTABLE, false))
		log_event(LOG_WARNING, "key-exportable",
			  "key=\"%s\" token=\"%s\"", key->label,
			  key->token->label);
	return SG_OK;
}

/* Find and check; sets handle and size. */
static enum sg_err locate(struct key *key, CK_SESSION_HANDLE session)
{
	enum sg_err e = find(key, session, &key->handle);

	if (e == SG_OK)
		e = check_type(key, session);
	if (e == SG_OK)
		e = check_use(key, session);
	if (e != SG_OK)
		key->handle = CK_INVALID_HANDLE;
	return e;
}

static size_t read_id(const struct key *key, CK_SESSION_HANDLE session,
		      uint8_t id[TOKEN_ID_MAX])
{
	size_t n = TOKEN_ID_MAX;

	if (object_read(calls(key), session, key->handle, CKA_ID, id, &n) !=
	    CKR_OK)
		return 0;
	return n;
}

enum sg_err key_find(struct key *key, CK_SESSION_HANDLE session,
		     struct watch *w)
{
	enum sg_err e;

	watch_enter(w, "finding a key", clock_mono_us());
	e = locate(key, session);
	if (e == SG_OK) {
		key->nid = read_id(key, session, key->id);
		key_public_find(key, session);
	}
	watch_leave(w);
	return e;
}

enum sg_err key_refresh(struct key *key, CK_SESSION_HANDLE session)
{
	uint8_t id[TOKEN_ID_MAX];
	size_t n;
	enum sg_err e = locate(key, session);

	if (e != SG_OK)
		return e;
	n = read_id(key, session, id);
	if (!span_eq(span_of(id, n), span_of(key->id, key->nid))) {
		key->handle = CK_INVALID_HANDLE;
		return bad(key, "another key has taken its place");
	}
	return SG_OK;
}

void key_drop(struct key *key)
{
	uri_free(key->uri);
	key->uri = NULL;
	OPENSSL_free(unconst(key->certificate.p));
	OPENSSL_free(unconst(key->spki.p));
	key->certificate = key->spki = span_of(NULL, 0);
}
