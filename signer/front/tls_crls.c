/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_crls.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

/* False: it has none, or none that is allowed. */
static bool number_of(const X509_CRL *crl, uint8_t out[TLS_CRL_NUMBER_MAX])
{
	ASN1_INTEGER *n = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	BIGNUM *b = n != NULL ? ASN1_INTEGER_to_BN(n, NULL) : NULL;
	const bool is = b != NULL && !BN_is_negative(b) &&
			BN_bn2binpad(b, out, TLS_CRL_NUMBER_MAX) >= 0;

	BN_free(b);
	ASN1_INTEGER_free(n);
	ERR_clear_error();
	return is;
}

static bool is_older(const struct tls_crl *a, const struct tls_crl *b)
{
	if (a->numbered && b->numbered)
		return memcmp(a->number, b->number, TLS_CRL_NUMBER_MAX) < 0;
	return a->from < b->from;
}

static const struct tls_crl *find(const struct tls_crls *c,
				  const uint8_t issuer[DIGEST_BYTES])
{
	for (size_t i = 0; i < c->n; i++)
		if (memcmp(c->of[i].issuer, issuer, DIGEST_BYTES) == 0)
			return &c->of[i];
	return NULL;
}

void tls_crls_add(struct tls_crls *c, const X509_CRL *crl, int64_t from)
{
	struct tls_crl one = {.from = from};
	const struct tls_crl *known;

	if (X509_NAME_digest(X509_CRL_get_issuer(crl), EVP_sha256(), one.issuer,
			     NULL) != 1)
		return;
	one.numbered = number_of(crl, one.number);
	known = find(c, one.issuer);
	if (known == NULL && c->n < TLS_CRLS)
		c->of[c->n++] = one;
	else if (known != NULL && is_older(known, &one))
		c->of[known - c->of] = one;
}

bool tls_crls_older(const struct tls_crls *c, const struct tls_crls *than)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct tls_crl *other = find(than, c->of[i].issuer);

		if (other != NULL && is_older(&c->of[i], other))
			return true;
	}
	return false;
}
