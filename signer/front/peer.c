/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

/* Room for lower-cased DNS names of one certificate. */
enum { DNS_TEXT_MAX = IDENTITY_BYTES_MAX };

struct names {
	struct identity id;
	size_t used;
	char dns[DNS_TEXT_MAX];
};

static enum sg_err spki_digest(X509 *cert, uint8_t out[32])
{
	uint8_t *der = NULL;
	const int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	int ok;

	if (n <= 0)
		return SG_MALFORMED;
	ok = EVP_Digest(der, (size_t)n, out, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return ok == 1 ? SG_OK : SG_NO_MEMORY;
}

/* Text that a policy could name: ASCII without blanks and controls. */
static bool is_plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	}
	return s.n > 0;
}

static struct span lower_case(struct names *n, struct span s)
{
	char *text = n->dns + n->used;

	for (size_t i = 0; i < s.n; i++) {
		const uint8_t c = s.p[i];

		text[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	n->used += s.n;
	return span_of(text, s.n);
}

static void add_name(struct names *n, const GENERAL_NAME *g)
{
	struct identity_name *name = &n->id.name[n->id.n];
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(g, &type);
	struct span text;

	if (type != GEN_URI && type != GEN_DNS)
		return;
	text = span_of(ASN1_STRING_get0_data(value),
		       (size_t)ASN1_STRING_length(value));
	if (!is_plain(text) || text.n > DNS_TEXT_MAX - n->used)
		return;
	name->type = type == GEN_URI ? IDENTITY_URI : IDENTITY_DNS;
	name->text = type == GEN_URI ? text : lower_case(n, text);
	n->id.n++;
}

static void add_names(struct names *n, const GENERAL_NAMES *list)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		if (n->id.n == IDENTITY_NAMES_MAX)
			return;
		add_name(n, sk_GENERAL_NAME_value(list, i));
	}
}

static enum sg_err encode(struct names *n, struct peer *out)
{
	uint8_t buf[IDENTITY_BYTES_MAX];
	size_t len;
	enum sg_err err;

	/* Names at the end that do not fit are not identities. */
	while ((err = identity_encode(&n->id, buf, sizeof(buf), &len)) ==
		       SG_TOO_BIG &&
	       n->id.n > 0)
		n->id.n--;
	if (err != SG_OK)
		return SG_MALFORMED;
	out->identity = malloc(len);
	if (out->identity == NULL)
		return SG_NO_MEMORY;
	memcpy(out->identity, buf, len);
	out->identity_n = len;
	return SG_OK;
}

static enum sg_err earliest(X509 *cert, int64_t *not_after)
{
	struct tm tm;
	int64_t t;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return SG_MALFORMED;
	t = timegm(&tm);
	if (t < *not_after)
		*not_after = t;
	return SG_OK;
}

enum sg_err peer_read(X509 *cert, STACK_OF(X509) * chain, struct peer *out)
{
	struct peer p = {.not_after = INT64_MAX};
	struct names n = {0};
	GENERAL_NAMES *list;
	int critical;
	enum sg_err err = earliest(cert, &p.not_after);

	for (int i = 0; err == SG_OK && i < sk_X509_num(chain); i++)
		err = earliest(sk_X509_value(chain, i), &p.not_after);
	if (err == SG_OK)
		err = spki_digest(cert, n.id.spki);
	if (err != SG_OK)
		return err;
	list = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
	/* -1: there is none; else it does not parse, or comes twice. */
	if (list == NULL && critical != -1)
		return SG_MALFORMED;
	add_names(&n, list);
	err = encode(&n, &p);
	GENERAL_NAMES_free(list);
	if (err == SG_OK)
		*out = p;
	return err;
}

void peer_clear(struct peer *p)
{
	free(p->identity);
	*p = (struct peer){0};
}
