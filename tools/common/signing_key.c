/* SPDX-License-Identifier: Apache-2.0 */
#include "signing_key.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

struct signing_key {
	EVP_PKEY *pkey;
	enum cose_alg alg;
	uint8_t kid[VERIFIER_KID_BYTES];
};

enum { ECDSA_DER_MAX = 72, SCALAR_BYTES = 32 };

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)ctx;
	return -1;
}

/* What the policy's reader finds out about the public half. */
static enum sg_err describe(struct signing_key *key)
{
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(key->pkey, &der);
	struct cose_key *public_key;
	enum sg_err err;

	if (n <= 0)
		return SG_BAD_KEY;
	err = cose_key_from_spki(span_of(der, (size_t)n), &public_key);
	if (err == SG_OK) {
		key->alg = cose_key_alg(public_key);
		cose_key_free(public_key);
		err = verifier_kid(span_of(der, (size_t)n), key->kid);
	}
	OPENSSL_free(der);
	return err;
}

enum sg_err signing_key_read(struct span pem, struct signing_key **out)
{
	struct signing_key *key = calloc(1, sizeof(*key));
	BIO *bio = NULL;
	enum sg_err err = SG_NO_MEMORY;

	*out = NULL;
	if (key == NULL)
		return SG_NO_MEMORY;
	if (pem.n <= INT_MAX)
		bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		goto fail;
	key->pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	err = key->pkey != NULL ? describe(key) : SG_MALFORMED;
	if (err != SG_OK)
		goto fail;
	*out = key;
	return SG_OK;
fail:
	ERR_clear_error();
	signing_key_free(key);
	return err;
}

void signing_key_free(struct signing_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

enum cose_alg signing_key_alg(const struct signing_key *key)
{
	return key->alg;
}

const uint8_t *signing_key_kid(const struct signing_key *key)
{
	return key->kid;
}

/* OpenSSL's DER as r||s (RFC 9053 s. 2.1). */
static bool flatten(const uint8_t *der, size_t n, uint8_t *out)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	const bool good =
		sig != NULL &&
		BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, SCALAR_BYTES) ==
			SCALAR_BYTES &&
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + SCALAR_BYTES,
			     SCALAR_BYTES) == SCALAR_BYTES;

	ECDSA_SIG_free(sig);
	return good;
}

enum sg_err signing_key_sign(const struct signing_key *key, struct span tbs,
			     uint8_t out[COSE_SIG_MAX], size_t *n)
{
	const EVP_MD *md = key->alg == COSE_EDDSA ? NULL : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	uint8_t der[ECDSA_DER_MAX];
	size_t der_n = sizeof(der);
	bool good = ctx != NULL &&
		    EVP_DigestSignInit(ctx, &pctx, md, NULL, key->pkey) == 1;

	if (good && key->alg == COSE_PS256) /* RFC 8230 s. 2 */
		good = EVP_PKEY_CTX_set_rsa_padding(
			       pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
							COSE_PS256_SALT) == 1;
	*n = COSE_SIG_MAX;
	if (key->alg == COSE_ES256) {
		good = good &&
		       EVP_DigestSign(ctx, der, &der_n, tbs.p, tbs.n) == 1 &&
		       flatten(der, der_n, out);
		*n = COSE_ES256_BYTES;
	} else {
		good = good && EVP_DigestSign(ctx, out, n, tbs.p, tbs.n) == 1;
	}
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good ? SG_OK : SG_INTERNAL;
}
