/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a document signer certificate fits the key that it was made for. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/fileio.h"
#include "ceremony_state.h"

enum { CSCA_FILE_MAX = 1 << 20 };

static bool same_key(X509 *cert, const struct life *l)
{
	const uint8_t *p = l->spki;
	EVP_PKEY *ours = d2i_PUBKEY(NULL, &p, (long)l->spki_n);
	const bool same =
		ours != NULL && EVP_PKEY_eq(ours, X509_get0_pubkey(cert)) == 1;

	EVP_PKEY_free(ours);
	ERR_clear_error();
	return same;
}

/* Is CERT signed by one of those in FILE, in PEM, that is valid at NOW? */
static bool is_issued(X509 *cert, struct span file, int64_t now)
{
	BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	time_t at = (time_t)now;
	bool ok = false;
	X509 *csca;

	while (bio != NULL && !ok &&
	       (csca = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		EVP_PKEY *key = X509_get0_pubkey(csca);

		ok = key != NULL && X509_check_ca(csca) != 0 &&
		     X509_check_issued(csca, cert) == X509_V_OK &&
		     X509_verify(cert, key) == 1 &&
		     X509_cmp_time(X509_get0_notBefore(csca), &at) < 0 &&
		     X509_cmp_time(X509_get0_notAfter(csca), &at) > 0;
		X509_free(csca);
	}
	BIO_free(bio);
	ERR_clear_error();
	return ok;
}

static bool check_issuer(const struct ceremony *c, X509 *cert, int64_t now,
			 struct ceremony_refusal *r)
{
	uint8_t *file = NULL;
	size_t n = 0;
	bool ok;

	if (c->csca[0] == '\0')
		return true;
	if (fileio_read(c->csca, CSCA_FILE_MAX, &file, &n) != SG_OK)
		return ceremony_refuse(r, SG_IO,
				       "the file of the CSCA cannot be read");
	ok = is_issued(cert, span_of(file, n), now);
	free(file);
	return ok || ceremony_refuse(r, SG_FORBIDDEN,
				     "the certificate was not issued by the "
				     "CSCA, or that is not valid now");
}

static bool check_validity(const struct ceremony *c, const struct dsc *dsc,
			   const struct life *l, int64_t now,
			   struct ceremony_refusal *r)
{
	const int64_t needed = now + l->period_s + c->longest_s;

	if (dsc->not_after >= needed)
		return true;
	if (l->period_s == 0)
		return ceremony_refuse(
			r, SG_FORBIDDEN,
			"the certificate ends too early: in %lld days; the "
			"policy has certificates that are valid for up to %lld",
			(long long)((dsc->not_after - now) / 86400),
			(long long)(c->longest_s / 86400));
	return ceremony_refuse(
		r, SG_FORBIDDEN,
		"the certificate ends too early: in %lld days; the key signs "
		"for up to %lld days, certificates that are valid for up to "
		"%lld",
		(long long)((dsc->not_after - now) / 86400),
		(long long)(l->period_s / 86400),
		(long long)(c->longest_s / 86400));
}

static bool check_dsc(const struct ceremony *c, const struct dsc *dsc,
		      const struct life *l, struct ceremony_refusal *r)
{
	size_t k;

	if (dsc->alg != l->alg)
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "the certificate is for another "
				       "algorithm");
	if (!dsc->digital_signature)
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "the certificate's key usage has no "
				       "digitalSignature");
	if ((l->kinds & ~dsc->kinds) != 0)
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "the certificate's extended key usage "
				       "does not allow all kinds of the key");
	if (keyring_find_kid(c->part.keys, dsc->kid, &k) &&
	    strcmp(c->part.keys->key[k].label, l->label) != 0)
		return ceremony_refuse(r, SG_CONFLICT,
				       "another key has a certificate with "
				       "that kid");
	return true;
}

bool ceremony_check_import(const struct ceremony *c,
			   const struct ceremony_job *j, const struct life *l,
			   int64_t now, struct ceremony_refusal *r)
{
	const struct span der = j->op.certificate;
	const uint8_t *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	struct dsc dsc;
	bool ok;

	if (cert == NULL || p != der.p + der.n ||
	    dsc_read(der, &dsc) != SG_OK) {
		ERR_clear_error();
		X509_free(cert);
		return ceremony_refuse(r, SG_MALFORMED,
				       "the certificate cannot be read");
	}
	ok = same_key(cert, l) ||
	     ceremony_refuse(r, SG_FORBIDDEN,
			     "the certificate is for another key");
	ok = ok && check_dsc(c, &dsc, l, r) &&
	     check_validity(c, &dsc, l, now, r) &&
	     check_issuer(c, cert, now, r);
	X509_free(cert);
	return ok;
}
