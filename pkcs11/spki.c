/* SPDX-License-Identifier: Apache-2.0 */
#include "spki.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

enum {
	DER_OCTET_STRING = 0x04, /* X.690 s. 8.7; both lengths are short form */
	SEC1_UNCOMPRESSED = 0x04, /* SEC 1 s. 2.3.3 */
	P256_POINT_BYTES = 1 + 2 * 32,
	ED25519_BYTES = 32
};

/* WANT bytes, bare or in a DER OCTET STRING. */
static struct span unwrap(struct span in, size_t want)
{
	if (in.n == want + 2 && in.p[0] == DER_OCTET_STRING && in.p[1] == want)
		return span_of(in.p + 2, want);
	return in.n == want ? in : span_of(NULL, 0);
}

/* Takes over PKEY, which may be NULL. */
static enum sg_err encode(EVP_PKEY *pkey, struct span *out)
{
	unsigned char *der = NULL;
	int n = 0;

	if (pkey != NULL)
		n = i2d_PUBKEY(pkey, &der);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	if (n <= 0)
		return SG_BAD_KEY;
	*out = span_of(der, (size_t)n);
	return SG_OK;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

enum sg_err spki_p256(struct span point, struct span *out)
{
	const struct span sec1 = unwrap(point, P256_POINT_BYTES);
	OSSL_PARAM_BLD *build;
	EVP_PKEY *pkey = NULL;

	if (sec1.n == 0 || sec1.p[0] != SEC1_UNCOMPRESSED)
		return SG_BAD_KEY;
	build = OSSL_PARAM_BLD_new();
	if (build == NULL)
		return SG_NO_MEMORY;
	if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
					    "P-256", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
					     sec1.p, sec1.n) == 1)
		pkey = from_params("EC", build);
	OSSL_PARAM_BLD_free(build);
	return encode(pkey, out);
}

enum sg_err spki_ed25519(struct span point, struct span *out)
{
	const struct span raw = unwrap(point, ED25519_BYTES);

	if (raw.n == 0)
		return SG_BAD_KEY;
	return encode(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.p,
						  raw.n),
		      out);
}

enum sg_err spki_rsa(struct span modulus, struct span exponent,
		     struct span *out)
{
	OSSL_PARAM_BLD *build;
	EVP_PKEY *pkey = NULL;
	BIGNUM *n;
	BIGNUM *e;

	if (modulus.n == 0 || modulus.n > 1024 || exponent.n == 0 ||
	    exponent.n > 8)
		return SG_BAD_KEY;
	build = OSSL_PARAM_BLD_new();
	n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
	e = BN_bin2bn(exponent.p, (int)exponent.n, NULL);
	if (build != NULL && n != NULL && e != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		pkey = from_params("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return encode(pkey, out);
}
