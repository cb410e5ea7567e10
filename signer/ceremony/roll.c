/* SPDX-License-Identifier: Apache-2.0 */
#include "roll.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum { SHA256_BYTES = 32 };

bool roll_is_name(struct span name)
{
	if (name.n == 0 || name.n >= ROLL_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		const uint8_t c = name.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

/* --- an officer ----------------------------------------------------------- */

/*
 * How a SubjectPublicKeyInfo begins (RFC 5480 s. 2, RFC 8410 s. 4).  A key must
 * have one spelling, or it had two kids, and its owner two voices; OpenSSL
 * takes points that are compressed or hybrid, and curves that are spelt out.
 */
struct spelling {
	enum cose_alg alg;
	size_t n; /* of the whole */
	struct span begin;
};

static const struct spelling SPELLINGS[] = {
	{COSE_ES256, 91,
	 SPAN_LIT("\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08"
		  "\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04")},
	{COSE_ES384, 120,
	 SPAN_LIT("\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05"
		  "\x2b\x81\x04\x00\x22\x03\x62\x00\x04")},
	{COSE_EDDSA, 44,
	 SPAN_LIT("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00")},
};
enum { SPELLING_COUNT = sizeof(SPELLINGS) / sizeof(SPELLINGS[0]) };

/* RSA: rsaEncryption alone (a key for PSS has an OID of its own, and so would
 * be another), in the DER that OpenSSL writes. */
static enum sg_err check_rsa(struct span spki)
{
	const unsigned char *p = spki.p;
	unsigned char *again = NULL;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)spki.n);
	enum sg_err err = SG_MALFORMED;
	int n;

	if (pkey == NULL)
		goto done;
	err = SG_BAD_KEY;
	if (!EVP_PKEY_is_a(pkey, "RSA"))
		goto done;
	n = i2d_PUBKEY(pkey, &again);
	err = n > 0 && span_eq(spki, span_of(again, (size_t)n)) ? SG_OK
								: SG_MALFORMED;
done:
	OPENSSL_free(again);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return err;
}

static enum sg_err check_spelling(enum cose_alg alg, struct span spki)
{
	for (size_t i = 0; i < SPELLING_COUNT; i++) {
		const struct spelling *s = &SPELLINGS[i];

		if (s->alg == alg)
			return spki.n == s->n && memcmp(spki.p, s->begin.p,
							s->begin.n) == 0
				       ? SG_OK
				       : SG_MALFORMED;
	}
	return check_rsa(spki);
}

static enum sg_err read_alg(struct span spki, enum cose_alg *alg)
{
	struct cose_key *key;
	enum sg_err err = cose_key_of_officer(spki, &key);

	if (err != SG_OK)
		return err;
	*alg = cose_key_alg(key);
	cose_key_free(key);
	err = check_spelling(*alg, spki);
	return err == SG_OK ? cose_key_check(spki) : err;
}

enum sg_err officer_make(struct span name, struct span spki,
			 struct officer *out)
{
	uint8_t hash[SHA256_BYTES];
	enum cose_alg alg;
	enum sg_err err;

	if (!roll_is_name(name) || spki.n == 0)
		return SG_MALFORMED;
	if (spki.n > sizeof(out->spki))
		return SG_TOO_BIG;
	err = read_alg(spki, &alg);
	if (err == SG_NO_MEMORY)
		err = SG_INTERNAL;
	if (err != SG_OK)
		return err;
	if (EVP_Digest(spki.p, spki.n, hash, NULL, EVP_sha256(), NULL) != 1)
		return SG_INTERNAL;
	memset(out, 0, sizeof(*out));
	memcpy(out->name, name.p, name.n);
	out->alg = alg;
	memcpy(out->kid, hash, sizeof(out->kid));
	memcpy(out->spki, spki.p, spki.n);
	out->spki_n = spki.n;
	return SG_OK;
}

/* --- the roll ------------------------------------------------------------- */

/* Has one of the first N the name or the kid of O? */
static const char *twin_fault(const struct roll *r, size_t n,
			      const struct officer *o)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(r->officer[i].name, o->name) == 0)
			return "two officers have the same name";
		if (memcmp(r->officer[i].kid, o->kid, sizeof(o->kid)) == 0)
			return "two officers have the same key";
	}
	return NULL;
}

const char *roll_fault(const struct roll *r)
{
	const char *fault = NULL;

	if (r->n == 0)
		return "there is no officer";
	if (r->n > ROLL_OFFICERS_MAX)
		return "there are too many officers";
	for (size_t i = 0; i < r->n && fault == NULL; i++)
		fault = twin_fault(r, i, &r->officer[i]);
	if (fault != NULL)
		return fault;
	if (r->threshold == 0)
		return "the threshold is 0: an operation needs an approval";
	if (r->threshold > r->n)
		return "the threshold is above the number of officers";
	/* Nobody could ever approve anything again, nor mend that. */
	if (!r->proposer_may_approve && r->threshold == r->n)
		return "the threshold cannot be reached: the proposer's own "
		       "approval does not count";
	if (r->stale_s == 0)
		return "every checkpoint would be stale: stale is 0";
	return NULL;
}

const struct officer *roll_find(const struct roll *r,
				const uint8_t kid[ROLL_KID_BYTES])
{
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->officer[i].kid, kid, ROLL_KID_BYTES) == 0)
			return &r->officer[i];
	return NULL;
}

const struct officer *roll_named(const struct roll *r, struct span name)
{
	for (size_t i = 0; i < r->n; i++)
		if (span_is(name, r->officer[i].name))
			return &r->officer[i];
	return NULL;
}
