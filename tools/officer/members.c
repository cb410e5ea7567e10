/* SPDX-License-Identifier: Apache-2.0 */
#include "members.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "hcert/dsc.h"
#include "members_roll.h"
#include "pkcs11/unconst.h"
#include "policy/literal.h"
#include "signer.h"
#include "subject.h"
#include "tools/common/input.h"
#include "tools/common/times.h"

enum { RSA_BITS = 3072 };

/* What a member is read from and into. */
struct reading {
	const struct args *args;
	const struct in_force *now; /* NULL: not known */
	struct operation *o;
	struct members *m;
	char *why;
	size_t cap;
};

static bool wrong(const struct reading *r, const char *what)
{
	(void)snprintf(r->why, r->cap, "%s", what);
	return false;
}

/* --- of generate ---------------------------------------------------------- */

static bool read_label(const struct reading *r, const char *text)
{
	r->o->key = span_str(text);
	return roll_is_name(r->o->key) ||
	       wrong(r, "--key: letters, digits, and . _ - up to 63");
}

static bool read_hsm(const struct reading *r, const char *text)
{
	r->o->hsm = span_str(text);
	return roll_is_name(r->o->hsm) ||
	       wrong(r, "--hsm: letters, digits, and . _ - up to 63");
}

static bool read_alg(const struct reading *r, const char *text)
{
	r->o->alg = cose_alg_of(span_str(text));
	if (r->o->alg == COSE_PS256)
		r->o->bits = RSA_BITS;
	return r->o->alg != COSE_NONE ||
	       wrong(r, "--alg: ES256, PS256 or EdDSA");
}

static bool read_bits(const struct reading *r, const char *text)
{
	uint64_t bits;

	if (r->o->alg != COSE_PS256)
		return wrong(r, "--bits goes with --alg PS256");
	if (!args_number(text, 0, UINT32_MAX, &bits) ||
	    !operation_rsa_bits(bits))
		return wrong(r, "--bits: 2048, 3072 or 4096");
	r->o->bits = (uint32_t)bits;
	return true;
}

static bool read_kinds(const struct reading *r, const char *text)
{
	if (strcmp(text, "none") == 0)
		return true;
	for (; *text != '\0'; text++) {
		unsigned kind = 0;

		while (kind < DCC_KINDS &&
		       *text != dcc_kind_letter((enum dcc_kind)kind))
			kind++;
		if (kind < DCC_KINDS)
			r->o->kinds |= DCC_KIND_BIT(kind);
		else if (*text != ',')
			return wrong(
				r,
				"--kinds: of v, t and r, as \"vtr\"; or none");
	}
	return r->o->kinds != 0 || wrong(r, "--kinds: of v, t and r");
}

static bool read_country(const struct reading *r, const char *text)
{
	r->o->country = span_str(text);
	return r->o->country.n == 2 || wrong(r, "--country: two capitals");
}

static bool read_signatures(const struct reading *r, const char *text)
{
	return args_number(text, 1, INT64_MAX, &r->o->signatures) ||
	       wrong(r, "--signatures: a number from 1 on");
}

static bool read_period(const struct reading *r, const char *text)
{
	r->o->period_s = literal_duration_s(text);
	return r->o->period_s > 0 ||
	       wrong(r, "--period: a whole number and one of s, m, h, d, such "
			"as 180d");
}

/* --- of the others -------------------------------------------------------- */

static bool read_subject(const struct reading *r, const char *text)
{
	if (subject_parse(text, &r->m->subject, r->why, r->cap) != SG_OK)
		return false;
	r->o->subject = r->m->subject;
	return true;
}

/* The certificate in IN, PEM or DER, in DER. */
static bool certificate_of(struct span in, struct span *out)
{
	BIO *bio = BIO_new_mem_buf(in.p, (int)in.n);
	X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	const unsigned char *p = in.p;
	unsigned char *der = NULL;
	int n;

	if (x == NULL)
		x = d2i_X509(NULL, &p, (long)in.n);
	n = x != NULL ? i2d_X509(x, &der) : 0;
	X509_free(x);
	BIO_free(bio);
	ERR_clear_error();
	*out = span_of(der, n > 0 ? (size_t)n : 0);
	return n > 0;
}

static bool read_certificate(const struct reading *r, const char *path)
{
	uint8_t *file;
	size_t n;
	bool good;

	if (input_bytes(path, &file, &n, r->why, r->cap) != SG_OK)
		return false;
	good = certificate_of(span_of(file, n), &r->m->certificate);
	free(file);
	r->o->certificate = r->m->certificate;
	return good || wrong(r, "--certificate: no certificate, neither PEM "
				"nor DER");
}

/* Set the public key to SPKI, if it can be one of the ledger. */
static bool take_spki(struct operation *o, struct members *m, struct span spki)
{
	if (spki.n != sizeof(m->spki))
		return false;
	memcpy(m->spki, spki.p, sizeof(m->spki));
	o->spki = span_of(m->spki, sizeof(m->spki));
	return true;
}

bool members_take_public(const json_t *document, struct operation *o,
			 struct members *m)
{
	char label[ROLL_NAME_MAX];
	struct span spki;
	bool good;

	(void)snprintf(label, sizeof(label), "%.*s", (int)o->key.n,
		       (const char *)o->key.p);
	if (!document_bytes(document_key(document, label), "spki", &spki))
		return false;
	good = take_spki(o, m, spki);
	free(unconst(spki.p));
	return good;
}

/* The key in the file IN, PEM or DER. */
static EVP_PKEY *public_of(struct span in)
{
	BIO *bio = BIO_new_mem_buf(in.p, (int)in.n);
	EVP_PKEY *key =
		bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	if (key == NULL && bio != NULL && BIO_reset(bio) >= 0)
		key = d2i_PUBKEY_bio(bio, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static bool read_public(const struct reading *r, const char *path)
{
	struct span spki = {0};
	EVP_PKEY *key;
	uint8_t *file;
	size_t n;
	bool good;

	if (input_bytes(path, &file, &n, r->why, r->cap) != SG_OK)
		return false;
	key = public_of(span_of(file, n));
	free(file);
	good = key != NULL && signer_spki(key, &spki) &&
	       take_spki(r->o, r->m, spki);
	OPENSSL_free(unconst(spki.p));
	EVP_PKEY_free(key);
	return good || wrong(r, "--public: no Ed25519 public key, neither PEM "
				"nor DER");
}

static bool read_activate(const struct reading *r, const char *text)
{
	return times_parse(span_str(text), &r->o->activate) ||
	       wrong(r, "--at: a time, as 2026-01-31T09:00:00Z");
}

static bool read_retire(const struct reading *r, const char *text)
{
	return times_parse(span_str(text), &r->o->retire) ||
	       wrong(r, "--at: a time, as 2026-01-31T09:00:00Z");
}

static bool read_override(const struct reading *r, const char *text)
{
	(void)text;
	r->o->override = true;
	return true;
}

static bool read_last(const struct reading *r, const char *text)
{
	(void)text;
	r->o->last = true;
	return true;
}

static bool read_policy(const struct reading *r, const char *path)
{
	uint8_t *file;
	size_t n;
	bool good;

	if (input_bytes(path, &file, &n, r->why, r->cap) != SG_OK)
		return false;
	good = EVP_Digest(file, n, r->m->policy, NULL, EVP_sha256(), NULL) == 1;
	free(file);
	r->o->policy = r->m->policy;
	return good || wrong(r, "--policy: it cannot be hashed");
}

static bool read_roll(const struct reading *r, const char *text)
{
	(void)text;
	return members_roll(r->args, r->o->kind, r->now, &r->o->roll, r->why,
			    r->cap) == SG_OK;
}

/* --- all ------------------------------------------------------------------ */

/* What is read for which kinds, in this order; NEEDED: said, or DEFAULT. */
static const struct member_option {
	int option;
	unsigned of; /* OP_... */
	bool needed;
	const char *otherwise; /* NULL: nothing is set */
	bool (*read)(const struct reading *r, const char *text);
} TABLE[] = {
	{OPT_LABEL, OP_KEY, true, NULL, read_label},
	{OPT_HSM, OP_HSM, true, NULL, read_hsm},
	{OPT_ALG, OP_ALG, true, "ES256", read_alg},
	{OPT_BITS, OP_ALG, false, NULL, read_bits},
	{OPT_KINDS, OP_KINDS, true, "vtr", read_kinds},
	{OPT_COUNTRY, OP_COUNTRY, false, NULL, read_country},
	{OPT_SIGNATURES, OP_LIMITS, false, NULL, read_signatures},
	{OPT_PERIOD, OP_LIMITS, false, NULL, read_period},
	{OPT_SUBJECT, OP_SUBJECT, true, NULL, read_subject},
	{OPT_CERTIFICATE, OP_CERTIFICATE, true, NULL, read_certificate},
	{OPT_PUBLIC, OP_SPKI, false, NULL, read_public},
	{OPT_AT, OP_ACTIVATE, false, NULL, read_activate},
	{OPT_AT, OP_RETIRE, false, NULL, read_retire},
	{OPT_LAST, OP_RETIRE, false, NULL, read_last},
	{OPT_OVERRIDE, OP_ACTIVATE, false, NULL, read_override},
	{OPT_POLICY, OP_POLICY, true, NULL, read_policy},
	/* With all of the terms, whether they are said or not. */
	{OPT_OFFICER, OP_ROLL, true, "", read_roll},
	{OPT_THRESHOLD, OP_ROLL, false, NULL, NULL},
	{OPT_LEAD, OP_ROLL, false, NULL, NULL},
	{OPT_STALE, OP_ROLL, false, NULL, NULL},
	{OPT_PROPOSER_MAY_APPROVE, OP_ROLL, false, NULL, NULL},
	{OPT_PROPOSER_MAY_NOT, OP_ROLL, false, NULL, NULL},
	{OPT_POLICY_APPROVAL, OP_ROLL, false, NULL, NULL},
	{OPT_NO_POLICY_APPROVAL, OP_ROLL, false, NULL, NULL},
};
enum { TABLE_COUNT = sizeof(TABLE) / sizeof(TABLE[0]) };

static const char *name_of(int option)
{
	static const struct arg_option names[OPT_MEMBERS] = {MEMBER_OPTIONS};

	return names[option].name;
}

/* Is OPTION one of an operation with MEMBERS? */
static bool belongs(int option, unsigned members)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (TABLE[i].option == option && (TABLE[i].of & members) != 0)
			return true;
	return false;
}

static bool read_one(const struct reading *r, const struct member_option *t)
{
	const char *text = r->args->value[t->option];

	if (text == NULL && t->needed)
		text = t->otherwise;
	if (text == NULL && t->needed) {
		(void)snprintf(r->why, r->cap, "%s takes --%s",
			       operation_kind_name(r->o->kind),
			       name_of(t->option));
		return false;
	}
	return text == NULL || t->read == NULL || t->read(r, text);
}

enum sg_err members_read(const struct args *args, const struct in_force *now,
			 struct operation *o, struct members *out, char *why,
			 size_t cap)
{
	const unsigned members = operation_members(o->kind);
	const struct reading r = {args, now, o, out, why, cap};

	*out = (struct members){.subject = {0}};
	for (int option = OPT_LABEL; option < OPT_MEMBERS; option++) {
		if (args->value[option] == NULL || belongs(option, members))
			continue;
		(void)snprintf(why, cap, "--%s says nothing to %s",
			       name_of(option), operation_kind_name(o->kind));
		return SG_CONFIG;
	}
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if ((TABLE[i].of & members) != 0 && !read_one(&r, &TABLE[i]))
			return SG_CONFIG;
	return SG_OK;
}

void members_free(struct members *m)
{
	OPENSSL_free(unconst(m->subject.p));
	OPENSSL_free(unconst(m->certificate.p));
}
