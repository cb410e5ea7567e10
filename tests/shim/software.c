/* SPDX-License-Identifier: Apache-2.0 */
#include "software.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "pkcs11/mechanism.h"

struct software_key {
	EVP_PKEY *pkey;
	struct cose_key *public;
	enum cose_alg alg;
	size_t sig_bytes;
};

static struct software_key keys[SPEC_KEYS_MAX];
static size_t nkeys;
/* cose_key is not for two threads at a time. */
static pthread_mutex_t match_mutex = PTHREAD_MUTEX_INITIALIZER;

static const uint8_t PROBE[] = "shim: which key is this?";

/* --- keys -------------------------------------------------------------- */

/* A key that wants a passphrase would ask the terminal for it. */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf, (void)size, (void)writing, (void)ctx;
	return -1;
}

static const char *load_key(const char *path, struct software_key *key)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *der = NULL;
	int n;

	if (file == NULL)
		return "cannot be opened";
	key->pkey = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	(void)fclose(file);
	if (key->pkey == NULL)
		return "holds no private key in PEM";
	n = i2d_PUBKEY(key->pkey, &der);
	if (n <= 0 || cose_key_from_spki(span_of(der, (size_t)n),
					 &key->public) != SG_OK) {
		OPENSSL_free(der);
		return "holds no P-256, RSA or Ed25519 key";
	}
	OPENSSL_free(der);
	key->alg = cose_key_alg(key->public);
	key->sig_bytes = cose_key_sig_bytes(key->public);
	return NULL;
}

enum sg_err software_load(const struct spec *spec, char why[SPEC_WHY_MAX])
{
	for (size_t i = 0; i < spec->nkeys; i++) {
		const char *wrong = load_key(spec->key[i], &keys[i]);

		nkeys = i + 1;
		if (wrong == NULL)
			continue;
		(void)snprintf(why, SPEC_WHY_MAX, "key %.80s %s", spec->key[i],
			       wrong);
		software_unload();
		return SG_CONFIG;
	}
	return SG_OK;
}

void software_unload(void)
{
	for (size_t i = 0; i < nkeys; i++) {
		cose_key_free(keys[i].public);
		EVP_PKEY_free(keys[i].pkey);
		keys[i] = (struct software_key){.pkey = NULL};
	}
	nkeys = 0;
}

/* --- which key --------------------------------------------------------- */

static enum cose_alg alg_of(const CK_MECHANISM *m)
{
	static const enum cose_alg algs[] = {COSE_ES256, COSE_PS256,
					     COSE_EDDSA};

	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (m->mechanism == mechanism_type(algs[i]))
			return algs[i];
	return COSE_NONE;
}

/* Only the parameters that our own mechanism has. */
static bool parameters_fit(const CK_MECHANISM *m, enum cose_alg alg)
{
	const CK_MECHANISM *ours = mechanism_of(alg);

	return m->ulParameterLen == ours->ulParameterLen &&
	       (m->ulParameterLen == 0 ||
		(m->pParameter != NULL &&
		 memcmp(m->pParameter, ours->pParameter, m->ulParameterLen) ==
			 0));
}

/* The real module's signature over the probe. */
static CK_RV probe(const CK_FUNCTION_LIST *real, CK_SESSION_HANDLE session,
		   CK_MECHANISM *m, CK_OBJECT_HANDLE handle,
		   uint8_t sig[COSE_SIG_MAX], CK_ULONG *n)
{
	const enum cose_alg alg = alg_of(m);
	uint8_t message[sizeof(PROBE)];
	uint8_t digest[SHA256_DIGEST_LENGTH];
	CK_RV rv = real->C_SignInit(session, m, handle);

	if (rv != CKR_OK)
		return rv;
	memcpy(message, PROBE, sizeof(PROBE));
	SHA256(message, sizeof(message), digest);
	*n = COSE_SIG_MAX;
	if (alg == COSE_EDDSA)
		return real->C_Sign(session, message, sizeof(message), sig, n);
	return real->C_Sign(session, digest, sizeof(digest), sig, n);
}

static CK_RV match(enum cose_alg alg, struct span sig, size_t *key)
{
	CK_RV rv = CKR_KEY_FUNCTION_NOT_PERMITTED;

	pthread_mutex_lock(&match_mutex);
	for (size_t i = 0; i < nkeys && rv != CKR_OK; i++) {
		if (keys[i].alg != alg ||
		    cose_key_verify(keys[i].public, alg,
				    span_of(PROBE, sizeof(PROBE)),
				    sig) != SG_OK)
			continue;
		*key = i;
		rv = CKR_OK;
	}
	pthread_mutex_unlock(&match_mutex);
	if (rv != CKR_OK)
		(void)fputs("pkcs11-shim: sign=software: none of key=FILE is "
			    "the key that the token was asked for\n",
			    stderr);
	return rv;
}

static const struct session_key *known(const struct session *s,
				       CK_OBJECT_HANDLE handle)
{
	for (unsigned i = 0; i < s->nknown && i < SESSION_KEYS; i++)
		if (s->known[i].handle == handle)
			return &s->known[i];
	return NULL;
}

static CK_RV find_key(const CK_FUNCTION_LIST *real, struct session *s,
		      CK_MECHANISM *m, CK_OBJECT_HANDLE handle, size_t *key)
{
	const struct session_key *k = known(s, handle);
	uint8_t sig[COSE_SIG_MAX];
	CK_ULONG n;
	CK_RV rv;

	if (k != NULL) {
		*key = k->key;
		return keys[*key].alg == alg_of(m) ? CKR_OK
						   : CKR_KEY_TYPE_INCONSISTENT;
	}
	rv = probe(real, s->handle, m, handle, sig, &n);
	if (rv == CKR_OK)
		rv = match(alg_of(m), span_of(sig, n), key);
	if (rv == CKR_OK)
		s->known[s->nknown++ % SESSION_KEYS] =
			(struct session_key){.handle = handle, .key = *key};
	return rv;
}

CK_RV software_sign_init(const CK_FUNCTION_LIST *real, struct session *s,
			 CK_MECHANISM *mechanism, CK_OBJECT_HANDLE handle,
			 uint64_t generation)
{
	size_t key = 0;
	CK_RV rv;

	if (mechanism == NULL)
		return CKR_ARGUMENTS_BAD;
	if (s->signing)
		return CKR_OPERATION_ACTIVE;
	if (alg_of(mechanism) == COSE_NONE)
		return CKR_MECHANISM_INVALID;
	if (!parameters_fit(mechanism, alg_of(mechanism)))
		return CKR_MECHANISM_PARAM_INVALID;
	if (s->generation != generation) {
		s->nknown = 0;
		s->generation = generation;
	}
	rv = find_key(real, s, mechanism, handle, &key);
	if (rv == CKR_OK) {
		s->key = key;
		s->signing = true;
	}
	return rv;
}

/* --- signing ----------------------------------------------------------- */

static EVP_PKEY_CTX *new_context(const struct software_key *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);

	if (ctx != NULL && EVP_PKEY_sign_init(ctx) > 0 &&
	    (key->alg != COSE_PS256 ||
	     (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	      EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
	      EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0 &&
	      EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, COSE_PS256_SALT) > 0)))
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

/* r||s as PKCS #11 has it, from the DER of OpenSSL. */
static bool raw_ecdsa(const uint8_t *der, size_t n, uint8_t *out)
{
	enum { HALF = COSE_ES256_BYTES / 2 };
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	const bool good =
		sig != NULL &&
		BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, HALF) == HALF &&
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + HALF, HALF) == HALF;

	ECDSA_SIG_free(sig);
	return good;
}

static bool sign_digest(struct session *s, struct span tbs, uint8_t *out)
{
	const struct software_key *key = &keys[s->key];
	EVP_PKEY_CTX **ctx = &s->ctx[s->key];
	uint8_t sig[COSE_SIG_MAX];
	size_t n = sizeof(sig);

	if (*ctx == NULL)
		*ctx = new_context(key);
	if (*ctx == NULL || EVP_PKEY_sign(*ctx, sig, &n, tbs.p, tbs.n) <= 0)
		return false;
	if (key->alg == COSE_ES256)
		return raw_ecdsa(sig, n, out);
	if (n != key->sig_bytes)
		return false;
	memcpy(out, sig, n);
	return true;
}

static bool sign_message(const struct software_key *key, struct span tbs,
			 uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = key->sig_bytes;
	const bool good =
		ctx != NULL &&
		EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) > 0 &&
		EVP_DigestSign(ctx, out, &n, tbs.p, tbs.n) > 0 &&
		n == key->sig_bytes;

	EVP_MD_CTX_free(ctx);
	return good;
}

CK_RV software_sign(struct session *s, struct span tbs, CK_BYTE *out,
		    CK_ULONG *n)
{
	const struct software_key *key = &keys[s->key];
	bool good;

	if (!s->signing)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (n == NULL) {
		s->signing = false;
		return CKR_ARGUMENTS_BAD;
	}
	if (out == NULL || *n < key->sig_bytes) {
		*n = key->sig_bytes;
		return out == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL;
	}
	s->signing = false;
	if (!mechanism_takes(key->alg, tbs))
		return CKR_DATA_LEN_RANGE;
	good = key->alg == COSE_EDDSA ? sign_message(key, tbs, out)
				      : sign_digest(s, tbs, out);
	if (!good)
		return CKR_GENERAL_ERROR;
	*n = key->sig_bytes;
	return CKR_OK;
}
