/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_key.h"

#include <openssl/async.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <string.h>

/* The provider lives in a library context of its own: there is nothing else in
 * it, and nobody who asks OpenSSL for an "EC" key elsewhere gets ours. */
static const char NAME[] = "signerd-hsm";
static OSSL_LIB_CTX *library;

static struct tls_key_job *current;

void tls_key_enter(struct tls_key_job *job)
{
	current = job;
}

/* --- keys ----------------------------------------------------------------- */

struct hsm_key {
	const char *type; /* OpenSSL's name of it */
	EVP_PKEY *public; /* of the default provider */
	struct cose_key *verifier;
};

static void *key_new(const char *type)
{
	struct hsm_key *key = OPENSSL_zalloc(sizeof(*key));

	if (key != NULL)
		key->type = type;
	return key;
}

static void *new_ec(void *provider)
{
	(void)provider;
	return key_new("EC");
}

static void *new_rsa(void *provider)
{
	(void)provider;
	return key_new("RSA");
}

static void *new_ed25519(void *provider)
{
	(void)provider;
	return key_new("ED25519");
}

static void key_free(void *of)
{
	struct hsm_key *key = of;

	if (key == NULL) /* OpenSSL frees also what it did not get */
		return;
	EVP_PKEY_free(key->public);
	cose_key_free(key->verifier);
	OPENSSL_free(key);
}

/* It has both halves, as far as OpenSSL needs to know. */
static int key_has(const void *of, int selection)
{
	(void)selection;
	return ((const struct hsm_key *)of)->public != NULL;
}

static int key_match(const void *of, const void *other, int selection)
{
	const struct hsm_key *a = of;
	const struct hsm_key *b = other;

	(void)selection;
	return EVP_PKEY_eq(a->public, b->public) == 1;
}

static bool make_verifier(struct hsm_key *key)
{
	unsigned char *spki = NULL;
	const int n = i2d_PUBKEY(key->public, &spki);
	const bool ok = n > 0 && cose_key_from_spki(span_of(spki, (size_t)n),
						    &key->verifier) == SG_OK;

	OPENSSL_free(spki);
	return ok;
}

static int key_import(void *of, int selection, const OSSL_PARAM params[])
{
	struct hsm_key *key = of;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, key->type, NULL);
	OSSL_PARAM *copy = OSSL_PARAM_dup(params);
	const bool ok = c != NULL && copy != NULL && key->public == NULL &&
			EVP_PKEY_fromdata_init(c) == 1 &&
			EVP_PKEY_fromdata(c, &key->public, EVP_PKEY_PUBLIC_KEY,
					  copy) == 1 &&
			make_verifier(key);

	(void)selection;
	OSSL_PARAM_free(copy);
	EVP_PKEY_CTX_free(c);
	return ok;
}

static const OSSL_PARAM *key_import_types(int selection)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0), OSSL_PARAM_END};

	(void)selection;
	return types;
}

static int key_get_params(void *of, OSSL_PARAM params[])
{
	return EVP_PKEY_get_params(((struct hsm_key *)of)->public, params);
}

static const OSSL_PARAM *key_gettable(void *provider)
{
	static const OSSL_PARAM names[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_END};

	(void)provider;
	return names;
}

/* What signs with an "EC" key is called otherwise. */
static const char *ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

/* --- signatures ----------------------------------------------------------- */

static void *sign_new(void *provider, const char *properties)
{
	(void)provider;
	(void)properties;
	return OPENSSL_zalloc(sizeof(struct hsm_key *));
}

static void sign_free(void *of)
{
	OPENSSL_free(of);
}

/* The HSM hashes by SHA-256, or, for Ed25519, not at all: with any other digest
 * OpenSSL looks for the next algorithm that the client offers. */
static int sign_init(void *of, const char *digest, void *key,
		     const OSSL_PARAM params[])
{
	struct hsm_key **with = of;

	(void)params;
	*with = key;
	if (strcmp((*with)->type, "ED25519") == 0)
		return digest == NULL || digest[0] == '\0';
	return digest != NULL && (OPENSSL_strcasecmp(digest, "SHA256") == 0 ||
				  OPENSSL_strcasecmp(digest, "SHA2-256") == 0);
}

static size_t signature_max(const struct hsm_key *key)
{
	return (size_t)EVP_PKEY_get_size(key->public);
}

/* TLS wants what RFC 3279 section 2.2.3 says; COSE has the two numbers bare. */
static bool put_ecdsa(struct span raw, unsigned char *out, size_t *n)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	const int half = (int)(raw.n / 2);
	BIGNUM *r = BN_bin2bn(raw.p, half, NULL);
	BIGNUM *s = BN_bin2bn(raw.p + half, half, NULL);
	int len;

	if (sig == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		ECDSA_SIG_free(sig);
		return false;
	}
	len = i2d_ECDSA_SIG(sig, &out);
	*n = len > 0 ? (size_t)len : 0;
	ECDSA_SIG_free(sig);
	return len > 0;
}

static bool put(const struct hsm_key *key, struct tls_key_job *job,
		unsigned char *out, size_t *n)
{
	const struct span raw = job->signature;

	if (raw.n == 0)
		return false; /* whoever has none says why */
	/* It would be the clients' to notice. */
	if (cose_key_verify(key->verifier, cose_key_alg(key->verifier),
			    span_of(job->message, job->message_n),
			    raw) != SG_OK) {
		job->fault = "what the HSM has signed is not of the "
			     "certificate's key";
		return false;
	}
	if (strcmp(key->type, "EC") == 0) {
		if (!put_ecdsa(raw, out, n))
			job->fault = err_text(SG_NO_MEMORY);
		return job->fault == NULL;
	}
	memcpy(out, raw.p, raw.n);
	*n = raw.n;
	return true;
}

static int sign_message(void *of, unsigned char *sig, size_t *n, size_t cap,
			const unsigned char *message, size_t message_n)
{
	const struct hsm_key *key = *(struct hsm_key **)of;
	struct tls_key_job *job = current;
	bool ok;

	if (sig == NULL) {
		*n = signature_max(key);
		return 1;
	}
	if (job == NULL || ASYNC_get_current_job() == NULL ||
	    cap < signature_max(key) || message_n > sizeof(job->message))
		return 0;
	memcpy(job->message, message, message_n);
	job->message_n = message_n;
	job->state = TLS_KEY_ASKS;
	/* Who resumes the handshake without an answer has to wait on. */
	while (job->state == TLS_KEY_ASKS)
		if (ASYNC_pause_job() != 1) {
			job->state = TLS_KEY_IDLE;
			return 0;
		}
	ok = put(key, job, sig, n);
	job->state = TLS_KEY_IDLE;
	return ok;
}

/* RFC 8446 section 4.2.3: PSS with a salt as long as the digest, which is what
 * the HSM does.  The rest is OpenSSL's bookkeeping. */
static int sign_set_params(void *of, const OSSL_PARAM params[])
{
	const OSSL_PARAM *p =
		OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	int mode = 0;

	(void)of;
	if (p == NULL)
		return 1;
	if (p->data_type == OSSL_PARAM_UTF8_STRING)
		return strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
	return OSSL_PARAM_get_int(p, &mode) == 1 &&
	       mode == RSA_PKCS1_PSS_PADDING;
}

static const OSSL_PARAM *sign_settable(void *of, void *provider)
{
	static const OSSL_PARAM names[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL,
				       0),
		OSSL_PARAM_END};

	(void)of;
	(void)provider;
	return names;
}

/* --- the provider --------------------------------------------------------- */

#define F(id, function)                                                        \
	{                                                                      \
		(id), (void (*)(void))(function)                               \
	}
#define KEY_FUNCTIONS(make)                                                    \
	F(OSSL_FUNC_KEYMGMT_NEW, make), F(OSSL_FUNC_KEYMGMT_FREE, key_free),   \
		F(OSSL_FUNC_KEYMGMT_HAS, key_has),                             \
		F(OSSL_FUNC_KEYMGMT_MATCH, key_match),                         \
		F(OSSL_FUNC_KEYMGMT_IMPORT, key_import),                       \
		F(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types),           \
		F(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),               \
		F(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable)
#define END                                                                    \
	{                                                                      \
		0, NULL                                                        \
	}

static const OSSL_DISPATCH EC_KEYS[] = {
	KEY_FUNCTIONS(new_ec),
	F(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation), END};
static const OSSL_DISPATCH RSA_KEYS[] = {KEY_FUNCTIONS(new_rsa), END};
static const OSSL_DISPATCH ED25519_KEYS[] = {KEY_FUNCTIONS(new_ed25519), END};
static const OSSL_DISPATCH SIGNS[] = {
	F(OSSL_FUNC_SIGNATURE_NEWCTX, sign_new),
	F(OSSL_FUNC_SIGNATURE_FREECTX, sign_free),
	F(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, sign_init),
	F(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_message),
	F(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, sign_set_params),
	F(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, sign_settable),
	END};

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_store)
{
	static const char properties[] = "provider=signerd-hsm";
	static const OSSL_ALGORITHM keys[] = {
		{"EC:id-ecPublicKey", properties, EC_KEYS, NULL},
		{"RSA:rsaEncryption", properties, RSA_KEYS, NULL},
		{"ED25519", properties, ED25519_KEYS, NULL},
		{NULL, NULL, NULL, NULL}};
	static const OSSL_ALGORITHM signatures[] = {
		{"ECDSA", properties, SIGNS, NULL},
		{"RSA", properties, SIGNS, NULL},
		{"ED25519", properties, SIGNS, NULL},
		{NULL, NULL, NULL, NULL}};

	(void)provider;
	*no_store = 0;
	if (operation == OSSL_OP_KEYMGMT)
		return keys;
	return operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static int begin(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
		 const OSSL_DISPATCH **out, void **provider)
{
	static const OSSL_DISPATCH functions[] = {
		F(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), END};
	static char nothing; /* OpenSSL wants it not to be NULL */

	(void)core;
	(void)in;
	*out = functions;
	*provider = &nothing;
	return 1;
}

/* Once; it stays for the life of the process. */
static bool load(void)
{
	OSSL_LIB_CTX *made;

	if (library != NULL)
		return true;
	made = OSSL_LIB_CTX_new();
	if (made == NULL)
		return false;
	if (OSSL_PROVIDER_add_builtin(made, NAME, begin) != 1 ||
	    OSSL_PROVIDER_load(made, NAME) == NULL) {
		OSSL_LIB_CTX_free(made);
		return false;
	}
	library = made;
	return true;
}

/* --- a key ---------------------------------------------------------------- */

static const char *type_of(enum cose_alg alg)
{
	switch (alg) {
	case COSE_ES256: return "EC";
	case COSE_PS256: return "RSA";
	case COSE_EDDSA: return "ED25519";
	case COSE_ES384:
	case COSE_NONE:
	default: return "";
	}
}

/* Is the public key PKEY one that signs by ALG? */
static bool fits(EVP_PKEY *pkey, enum cose_alg alg)
{
	struct cose_key *key = NULL;
	unsigned char *spki = NULL;
	const int n = i2d_PUBKEY(pkey, &spki);
	const bool ok =
		/* COSE takes a key that does nothing but PSS, and TLS has
		 * another place for it. */
		n > 0 && EVP_PKEY_is_a(pkey, type_of(alg)) &&
		cose_key_from_spki(span_of(spki, (size_t)n), &key) == SG_OK &&
		cose_key_alg(key) == alg;

	cose_key_free(key);
	OPENSSL_free(spki);
	return ok;
}

static EVP_PKEY *make(const EVP_PKEY *of, const char *type)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(library, type, NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (c != NULL &&
	    EVP_PKEY_todata(of, EVP_PKEY_PUBLIC_KEY, &params) == 1 &&
	    EVP_PKEY_fromdata_init(c) == 1)
		(void)EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_KEYPAIR, params);
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(c);
	return pkey;
}

enum sg_err tls_key_create(X509 *certificate, enum cose_alg alg, EVP_PKEY **out)
{
	EVP_PKEY *of = X509_get0_pubkey(certificate);

	*out = NULL;
	if (of == NULL || !fits(of, alg)) {
		ERR_clear_error();
		return SG_BAD_KEY;
	}
	if (load())
		*out = make(of, type_of(alg));
	if (*out == NULL)
		ERR_clear_error();
	return *out != NULL ? SG_OK : SG_NO_MEMORY;
}
