/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_PKI_H
#define TEST_PKI_H

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/span.h"
#include "hcert/cose.h"

/* pki: document signers in software, for tests of the core. */
struct signer {
	EVP_PKEY *key;
	enum cose_alg alg;
	uint8_t *der; /* certificate */
	int der_n;
	uint8_t *spki;
	int spki_n;
};

struct signer_shape {
	enum cose_alg alg;
	const char *key_usage; /* NULL: absent */
	const char *extended;  /* NULL: absent */
	long from_s, to_s;     /* validity, from now */
};

static inline void signer_extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext;

	if (value == NULL)
		return;
	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	if (ext == NULL)
		abort();
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

/* A certificate for the key of S. */
static inline void signer_certify(struct signer *s,
				  const struct signer_shape *shape)
{
	X509 *cert = X509_new();
	X509_NAME *name;

	if (cert == NULL)
		abort();
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), shape->from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert), shape->to_s);
	X509_set_pubkey(cert, s->key);
	name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)"test DSC", -1, -1,
				   0);
	X509_set_issuer_name(cert, name);
	signer_extend(cert, NID_key_usage, shape->key_usage);
	signer_extend(cert, NID_ext_key_usage, shape->extended);
	if (X509_sign(cert, s->key,
		      shape->alg == COSE_EDDSA ? NULL : EVP_sha256()) == 0)
		abort();
	s->der = NULL;
	s->der_n = i2d_X509(cert, &s->der);
	s->spki = NULL;
	s->spki_n = i2d_PUBKEY(s->key, &s->spki);
	X509_free(cert);
}

static inline struct signer signer_make(const struct signer_shape *shape)
{
	struct signer s = {.alg = shape->alg};

	if (shape->alg == COSE_ES256)
		s.key = EVP_EC_gen("P-256");
	else if (shape->alg == COSE_PS256)
		s.key = EVP_RSA_gen(2048);
	else
		s.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (s.key == NULL)
		abort();
	signer_certify(&s, shape);
	return s;
}

static inline struct signer signer_usual(enum cose_alg alg)
{
	const struct signer_shape shape = {.alg = alg,
					   .key_usage =
						   "critical,digitalSignature",
					   .from_s = -3600,
					   .to_s = 2L * 365 * 86400};

	return signer_make(&shape);
}

static inline void signer_free(struct signer *s)
{
	EVP_PKEY_free(s->key);
	OPENSSL_free(s->der);
	OPENSSL_free(s->spki);
	*s = (struct signer){0};
}

/* r || s of the DER signature in IN. */
static inline size_t signer_raw(const uint8_t *in, size_t n, uint8_t *out)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &in, (long)n);

	if (sig == NULL)
		abort();
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32);
	ECDSA_SIG_free(sig);
	return 64;
}

/* Sign TBS as an hsm does: a digest for ES256 and PS256, a message else.
 * Returns the length of the COSE signature in OUT. */
static inline size_t signer_sign(const struct signer *s, struct span tbs,
				 uint8_t out[COSE_SIG_MAX])
{
	uint8_t der[COSE_SIG_MAX];
	size_t n = sizeof(der);
	EVP_PKEY_CTX *ctx;

	if (s->alg == COSE_EDDSA) {
		EVP_MD_CTX *md = EVP_MD_CTX_new();

		n = COSE_SIG_MAX;
		if (EVP_DigestSignInit(md, NULL, NULL, NULL, s->key) != 1 ||
		    EVP_DigestSign(md, out, &n, tbs.p, tbs.n) != 1)
			abort();
		EVP_MD_CTX_free(md);
		return n;
	}
	ctx = EVP_PKEY_CTX_new(s->key, NULL);
	if (EVP_PKEY_sign_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1)
		abort();
	if (s->alg == COSE_PS256 &&
	    (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, COSE_PS256_SALT) != 1))
		abort();
	if (EVP_PKEY_sign(ctx, der, &n, tbs.p, tbs.n) != 1)
		abort();
	EVP_PKEY_CTX_free(ctx);
	if (s->alg == COSE_ES256)
		return signer_raw(der, n, out);
	memcpy(out, der, n);
	return n;
}

#endif /* TEST_PKI_H */
