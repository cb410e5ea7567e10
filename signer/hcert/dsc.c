/* SPDX-License-Identifier: Apache-2.0 */
#include "dsc.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <time.h>

enum { SHA256_BYTES = 32, OID_TEXT_SIZE = 80 };

struct usage {
	const char *oid;
	enum dcc_kind kind;
};

/* Certificate governance s. 4.1.3, and the arc that many states use for it. */
static const struct usage USAGES[] = {
	{"1.3.6.1.4.1.1847.2021.1.1", DCC_TEST},
	{"1.3.6.1.4.1.1847.2021.1.2", DCC_VACCINATION},
	{"1.3.6.1.4.1.1847.2021.1.3", DCC_RECOVERY},
	{"1.3.6.1.4.1.0.1847.2021.1.1", DCC_TEST},
	{"1.3.6.1.4.1.0.1847.2021.1.2", DCC_VACCINATION},
	{"1.3.6.1.4.1.0.1847.2021.1.3", DCC_RECOVERY},
};
enum { USAGE_COUNT = sizeof(USAGES) / sizeof(USAGES[0]) };

char dcc_kind_letter(enum dcc_kind kind)
{
	switch (kind) {
	case DCC_VACCINATION: return 'v';
	case DCC_TEST: return 't';
	case DCC_RECOVERY: return 'r';
	case DCC_KINDS:
	default: return '?';
	}
}

const char *dcc_kind_oid(enum dcc_kind kind)
{
	/* That arc stands first. */
	for (size_t i = 0; i < USAGE_COUNT; i++)
		if (USAGES[i].kind == kind)
			return USAGES[i].oid;
	return NULL;
}

static unsigned kinds_of_usage(const ASN1_OBJECT *oid)
{
	char text[OID_TEXT_SIZE];
	const int n = OBJ_obj2txt(text, sizeof(text), oid, 1);

	if (n <= 0 || n >= (int)sizeof(text))
		return 0;
	for (size_t i = 0; i < USAGE_COUNT; i++)
		if (span_is(span_str(text), USAGES[i].oid))
			return DCC_KIND_BIT(USAGES[i].kind);
	return 0;
}

static enum sg_err read_kinds(const X509 *cert, unsigned *kinds)
{
	int critical;
	EXTENDED_KEY_USAGE *usages =
		X509_get_ext_d2i(cert, NID_ext_key_usage, &critical, NULL);

	*kinds = 0;
	/* -1: there is none.  Else there is one that does not parse, or two. */
	if (usages == NULL && critical != -1)
		return SG_MALFORMED;
	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
		*kinds |= kinds_of_usage(sk_ASN1_OBJECT_value(usages, i));
	if (*kinds == 0)
		*kinds = DCC_ALL_KINDS;
	sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
	return SG_OK;
}

static enum sg_err read_key_usage(const X509 *cert, bool *digital_signature)
{
	const int bit = 0; /* RFC 5280 s. 4.2.1.3 */
	int critical;
	ASN1_BIT_STRING *bits =
		X509_get_ext_d2i(cert, NID_key_usage, &critical, NULL);

	if (bits == NULL && critical != -1)
		return SG_MALFORMED;
	*digital_signature =
		bits == NULL || ASN1_BIT_STRING_get_bit(bits, bit) == 1;
	ASN1_BIT_STRING_free(bits);
	return SG_OK;
}

static enum sg_err read_time(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm = {0};

	/* OpenSSL reads NULL as the present time. */
	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return SG_MALFORMED;
	*out = timegm(&tm);
	return SG_OK;
}

static enum sg_err read_alg(struct span der, enum cose_alg *alg)
{
	struct cose_key *key;
	const enum sg_err e = cose_key_from_certificate(der, &key);

	*alg = COSE_NONE;
	if (e == SG_BAD_KEY)
		return SG_OK;
	if (e != SG_OK)
		return e;
	*alg = cose_key_alg(key);
	cose_key_free(key);
	return SG_OK;
}

static enum sg_err read_kid(struct span der, uint8_t kid[COSE_KID_BYTES])
{
	uint8_t hash[SHA256_BYTES];

	if (EVP_Digest(der.p, der.n, hash, NULL, EVP_sha256(), NULL) != 1)
		return SG_NO_MEMORY;
	memcpy(kid, hash, COSE_KID_BYTES);
	return SG_OK;
}

static enum sg_err read_certificate(const X509 *cert, struct dsc *dsc)
{
	enum sg_err e = read_time(X509_get0_notBefore(cert), &dsc->not_before);

	if (e == SG_OK)
		e = read_time(X509_get0_notAfter(cert), &dsc->not_after);
	if (e == SG_OK)
		e = read_kinds(cert, &dsc->kinds);
	if (e == SG_OK)
		e = read_key_usage(cert, &dsc->digital_signature);
	return e;
}

enum sg_err dsc_read(struct span der, struct dsc *out)
{
	const unsigned char *p = der.p;
	struct dsc dsc = {0};
	enum sg_err e = SG_MALFORMED;
	X509 *cert;

	if (der.n > LONG_MAX)
		return SG_MALFORMED;
	cert = d2i_X509(NULL, &p, (long)der.n);
	if (cert != NULL && p == der.p + der.n)
		e = read_certificate(cert, &dsc);
	if (e == SG_OK)
		e = read_alg(der, &dsc.alg);
	if (e == SG_OK)
		e = read_kid(der, dsc.kid);
	if (e == SG_OK)
		*out = dsc;
	X509_free(cert);
	ERR_clear_error();
	return e;
}
