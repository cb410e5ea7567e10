/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_PKI_H
#define SG_TEST_PKI_H

/* Keys, certificates and signatures for tests, made afresh by OpenSSL. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/span.h"

/* Not assert(), which a release build leaves out with what it calls. */
static inline void pki_must(bool ok)
{
	if (!ok)
		abort();
}

enum { PKI_DER_MAX = 2048 };

struct pki_der {
	size_t n;
	uint8_t p[PKI_DER_MAX];
};

static inline struct span pki_span(const struct pki_der *d)
{
	return span_of(d->p, d->n);
}

static inline struct pki_der pki_spki(EVP_PKEY *key)
{
	struct pki_der d = {0};
	unsigned char *p = d.p;

	pki_must(i2d_PUBKEY(key, NULL) <= PKI_DER_MAX);
	d.n = (size_t)i2d_PUBKEY(key, &p);
	return d;
}

struct pki_extension {
	int nid;
	const char *value; /* as in an OpenSSL configuration */
};

static inline void pki_extend(X509 *cert,
			      const struct pki_extension *extensions,
			      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(
			NULL, NULL, extensions[i].nid, extensions[i].value);

		pki_must(e != NULL && X509_add_ext(cert, e, -1) == 1);
		X509_EXTENSION_free(e);
	}
}

/* A certificate of KEY by itself from NOT_BEFORE to NOT_AFTER (UTCTime or
 * GeneralizedTime text) with up to COUNT EXTENSIONS. */
static inline X509 *pki_x509(EVP_PKEY *key, const char *not_before,
			     const char *not_after,
			     const struct pki_extension *extensions,
			     size_t count)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_NAME_new();
	const EVP_MD *md = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();

	pki_must(cert != NULL && name != NULL);
	pki_must(X509_set_version(cert, X509_VERSION_3) == 1);
	pki_must(ASN1_INTEGER_set(X509_get_serialNumber(cert), 7) == 1);
	pki_must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					    (const unsigned char *)"test", -1,
					    -1, 0) == 1);
	pki_must(X509_set_subject_name(cert, name) == 1);
	pki_must(X509_set_issuer_name(cert, name) == 1);
	pki_must(ASN1_TIME_set_string(X509_getm_notBefore(cert), not_before) ==
		 1);
	pki_must(ASN1_TIME_set_string(X509_getm_notAfter(cert), not_after) ==
		 1);
	pki_must(X509_set_pubkey(cert, key) == 1);
	pki_extend(cert, extensions, count);
	pki_must(X509_sign(cert, key, md) > 0);
	X509_NAME_free(name);
	return cert;
}

static inline struct pki_der pki_certificate(
	EVP_PKEY *key, const char *not_before, const char *not_after,
	const struct pki_extension *extensions, size_t count)
{
	X509 *cert = pki_x509(key, not_before, not_after, extensions, count);
	struct pki_der d = {0};
	unsigned char *p = d.p;

	pki_must(i2d_X509(cert, NULL) <= PKI_DER_MAX);
	d.n = (size_t)i2d_X509(cert, &p);
	X509_free(cert);
	return d;
}

/* Sign TBS as OpenSSL does: DER for ECDSA; RSA with PADDING and SALT. */
static inline size_t pki_sign(EVP_PKEY *key, struct span tbs, int padding,
			      int salt, uint8_t out[PKI_DER_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	size_t n = PKI_DER_MAX;

	pki_must(EVP_DigestSignInit(
			 ctx, &pctx,
			 EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256(),
			 NULL, key) == 1);
	if (EVP_PKEY_is_a(key, "RSA")) {
		pki_must(EVP_PKEY_CTX_set_rsa_padding(pctx, padding) == 1);
		pki_must(padding != RSA_PKCS1_PSS_PADDING ||
			 EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt) == 1);
	}
	pki_must(EVP_DigestSign(ctx, out, &n, tbs.p, tbs.n) == 1);
	EVP_MD_CTX_free(ctx);
	return n;
}

/* An ECDSA signature in DER as r||s. */
static inline void pki_raw_ecdsa(const uint8_t *der, size_t n, uint8_t rs[64])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);

	pki_must(sig != NULL);
	pki_must(BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, 32) == 32);
	pki_must(BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + 32, 32) == 32);
	ECDSA_SIG_free(sig);
}

#endif /* SG_TEST_PKI_H */
