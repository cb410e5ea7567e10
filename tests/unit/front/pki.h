/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_PKI_H
#define SG_TEST_PKI_H

/*
 * A small PKI in memory, and as PEM files in a directory of its own.
 */
#undef NDEBUG /* its checks are part of the tests */
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PKI_PATH = 128 };
#define PKI_DAY 86400L /* seconds */

struct pki_cert {
	X509 *x;
	EVP_PKEY *key;
};

struct pki_wish {
	const char *cn;
	const char *san;   /* "URI:...,DNS:..." or NULL */
	const char *usage; /* extendedKeyUsage, or NULL */
	int from, to;	   /* days from now; both 0: -1 to 30 */
	int seconds;	   /* not 0: ends so many from now instead */
	int ca;
	EVP_PKEY *key; /* NULL: a fresh P-256 key */
	int sha1;      /* as the hash of its signature */
};

static char pki_dir[] = "/tmp/signerd-pki-XXXXXX";

static inline void pki_setup(void)
{
	(void)snprintf(pki_dir, sizeof(pki_dir), "/tmp/signerd-pki-XXXXXX");
	assert(mkdtemp(pki_dir) != NULL);
}

static inline const char *pki_path(char out[PKI_PATH], const char *name)
{
	(void)snprintf(out, PKI_PATH, "%s/%s", pki_dir, name);
	return out;
}

static inline void pki_extension(X509 *x, X509 *issuer, int nid,
				 const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(e != NULL && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static inline void pki_times(X509 *x, const struct pki_wish *w)
{
	const int span = w->from == 0 && w->to == 0;

	assert(X509_gmtime_adj(X509_getm_notBefore(x),
			       PKI_DAY * (span ? -1 : w->from)) != NULL);
	if (w->seconds != 0) {
		assert(X509_gmtime_adj(X509_getm_notAfter(x), w->seconds) !=
		       NULL);
		return;
	}
	assert(X509_gmtime_adj(X509_getm_notAfter(x),
			       PKI_DAY * (span ? 30 : w->to)) != NULL);
}

/* A certificate by ISSUER; NULL: by itself. */
static inline struct pki_cert pki_issue(const struct pki_cert *issuer,
					struct pki_wish w)
{
	static long serial = 1000;
	struct pki_cert c = {X509_new(),
			     w.key != NULL ? w.key : EVP_EC_gen("P-256")};
	const struct pki_cert *by = issuer != NULL ? issuer : &c;
	X509_NAME *name = X509_get_subject_name(c.x);

	assert(c.key != NULL && X509_set_version(c.x, 2) == 1);
	assert(ASN1_INTEGER_set(X509_get_serialNumber(c.x), serial++) == 1);
	assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const unsigned char *)w.cn, -1, -1,
					  0) == 1);
	assert(X509_set_issuer_name(c.x, X509_get_subject_name(by->x)) == 1);
	assert(X509_set_pubkey(c.x, c.key) == 1);
	pki_times(c.x, &w);
	pki_extension(c.x, by->x, NID_basic_constraints,
		      w.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (w.ca)
		pki_extension(c.x, by->x, NID_key_usage,
			      "critical,keyCertSign,cRLSign");
	if (w.san != NULL)
		pki_extension(c.x, by->x, NID_subject_alt_name, w.san);
	if (w.usage != NULL)
		pki_extension(c.x, by->x, NID_ext_key_usage, w.usage);
	assert(X509_sign(c.x, by->key, w.sha1 ? EVP_sha1() : EVP_sha256()) > 0);
	return c;
}

static inline void pki_free(struct pki_cert *c)
{
	X509_free(c->x);
	EVP_PKEY_free(c->key);
	*c = (struct pki_cert){0};
}

/* A CRL of CA over REVOKED (NULL: nobody), valid from FROM to TO days. */
static inline X509_CRL *pki_crl(const struct pki_cert *ca, X509 *revoked,
				int from, int to)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();

	assert(crl != NULL && t != NULL && X509_CRL_set_version(crl, 1) == 1);
	assert(X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->x)) ==
	       1);
	assert(X509_gmtime_adj(t, PKI_DAY * from) != NULL);
	assert(X509_CRL_set1_lastUpdate(crl, t) == 1);
	if (revoked != NULL) {
		X509_REVOKED *r = X509_REVOKED_new();

		assert(r != NULL);
		assert(X509_REVOKED_set_serialNumber(
			       r, X509_get_serialNumber(revoked)) == 1);
		assert(X509_REVOKED_set_revocationDate(r, t) == 1);
		assert(X509_CRL_add0_revoked(crl, r) == 1);
	}
	assert(X509_gmtime_adj(t, PKI_DAY * to) != NULL);
	assert(X509_CRL_set1_nextUpdate(crl, t) == 1);
	assert(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0);
	ASN1_TIME_free(t);
	return crl;
}

static inline FILE *pki_open(const char *name, const char *mode)
{
	char path[PKI_PATH];
	FILE *f = fopen(pki_path(path, name), mode);

	assert(f != NULL);
	return f;
}

static inline void pki_write_cert(const char *name, X509 *x)
{
	FILE *f = pki_open(name, "w");

	assert(PEM_write_X509(f, x) == 1);
	(void)fclose(f);
}

/* PASSWORD: encrypted; NULL: not. */
static inline void pki_write_locked(const char *name, EVP_PKEY *key,
				    const char *password)
{
	FILE *f = pki_open(name, "w");
	const EVP_CIPHER *cipher = password != NULL ? EVP_aes_128_cbc() : NULL;

	assert(PEM_write_PrivateKey(
		       f, key, cipher, (const unsigned char *)password,
		       password != NULL ? (int)strlen(password) : 0, NULL,
		       NULL) == 1);
	(void)fclose(f);
}

static inline void pki_write_key(const char *name, EVP_PKEY *key)
{
	pki_write_locked(name, key, NULL);
}

/* Appends; the CRL is freed. */
static inline void pki_write_crl(const char *name, X509_CRL *crl,
				 const char *mode)
{
	FILE *f = pki_open(name, mode);

	assert(PEM_write_X509_CRL(f, crl) == 1);
	(void)fclose(f);
	X509_CRL_free(crl);
}

static inline void pki_write_text(const char *name, const char *text)
{
	FILE *f = pki_open(name, "w");

	assert(fputs(text, f) >= 0);
	(void)fclose(f);
}

static inline void pki_remove(const char *const *names, size_t n)
{
	char path[PKI_PATH];

	for (size_t i = 0; i < n; i++)
		(void)unlink(pki_path(path, names[i]));
	(void)rmdir(pki_dir);
}

#endif /* SG_TEST_PKI_H */
