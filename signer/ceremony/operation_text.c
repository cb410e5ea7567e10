/* SPDX-License-Identifier: Apache-2.0 */
/* What an officer reads before he signs: all that is in an operation, a line
 * each, and nothing that could pass for another line or hide in one. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/civil.h"
#include "base/hex.h"
#include "hcert/dsc.h"
#include "hcert/utf8.h"
#include "ledger/note.h"
#include "operation_members.h"

/* Of a value in a line: so many are as many columns at most. */
enum { BREAK_BYTES = 44, SPELT_BYTES = 10 };
enum { SHA256_BYTES = 32, DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

static const char *const MEANINGS[OPERATION_KINDS] = {
	[OPERATION_GENESIS] = "the first officers; all of them must sign",
	[OPERATION_OFFICERS] = "officers and terms in place of those in force",
	[OPERATION_POLICY] = "this policy may be in force from now on",
	[OPERATION_GENERATE] = "make a key in an HSM",
	[OPERATION_REQUEST] = "make a certificate request for a key",
	[OPERATION_IMPORT] = "take a key's certificate (DSC)",
	[OPERATION_PUBLISH] = "tell verifiers of a key",
	[OPERATION_ACTIVATE] = "sign with a key, in place of its HSM's old one",
	[OPERATION_RETIRE] = "sign no more with a key; it still verifies",
	[OPERATION_DESTROY] = "delete a key from its HSM, for ever",
	[OPERATION_STOP] = "stop signing with a key, at once",
	[OPERATION_START] = "let a key that was stopped go on",
	[OPERATION_COMPROMISE] = "declare a key compromised, for ever",
	[OPERATION_LOG_KEY] = "sign the ledger with a key, in place of the old",
};

struct text {
	char *p;
	size_t cap;
	size_t n; /* without the NUL */
	bool over;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t,
						      const char *format, ...)
{
	va_list args;
	int n;

	if (t->over)
		return;
	va_start(args, format);
	n = vsnprintf(t->p + t->n, t->cap - t->n, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->cap - t->n)
		t->over = true;
	else
		t->n += (size_t)n;
}

/* S as it is, but what is not to be seen spelt out, and broken before a
 * terminal breaks it: what went on in its first column could pass for another
 * line. */
static void put_safe(struct text *t, struct span s)
{
	size_t n = 0;

	while (s.n > 0) {
		const struct span before = s;
		const uint32_t c = utf8_next(&s);

		if (n >= BREAK_BYTES) {
			put(t, "\n        ");
			n = 0;
		}
		if (c == UTF8_BROKEN || utf8_is_hidden(c)) {
			put(t, "{U+%04X}", (unsigned)c);
			n += SPELT_BYTES;
		} else {
			put(t, "%.*s", (int)(before.n - s.n),
			    (const char *)before.p);
			n += before.n - s.n;
		}
	}
}

static void put_line(struct text *t, const char *name, struct span value)
{
	put(t, "%s: ", name);
	put_safe(t, value);
	put(t, "\n");
}

static void put_hash(struct text *t, const char *name, const uint8_t *hash)
{
	char hex[HEX_TEXT(SHA256_BYTES)];

	put(t, "%s: %s\n", name, hex_encode(hash, SHA256_BYTES, hex));
}

static void put_sha256(struct text *t, const char *name, struct span s)
{
	uint8_t hash[SHA256_BYTES];

	if (EVP_Digest(s.p, s.n, hash, NULL, EVP_sha256(), NULL) == 1)
		put_hash(t, name, hash);
	else
		t->over = true; /* better no text than one that lacks a line */
}

static void put_time(struct text *t, const char *name, int64_t time)
{
	const int64_t days = civil_floor(time, DAY_S);
	const struct civil c = civil_of(days);
	const int s = (int)(time - days * DAY_S);

	put(t, "%s: %04d-%02d-%02d %02d:%02d:%02d UTC\n", name, (int)c.year,
	    c.month, c.day, s / HOUR_S, s / MINUTE_S % 60, s % MINUTE_S);
}

static void put_duration(struct text *t, const char *name, int64_t s)
{
	put(t, "%s: %lld s (%lld days, %lld hours, %lld minutes)\n", name,
	    (long long)s, (long long)(s / DAY_S),
	    (long long)(s % DAY_S / HOUR_S),
	    (long long)(s % HOUR_S / MINUTE_S));
}

static void put_kinds(struct text *t, const char *name, unsigned kinds)
{
	static const char *const names[DCC_KINDS] = {
		[DCC_VACCINATION] = "vaccination",
		[DCC_TEST] = "test",
		[DCC_RECOVERY] = "recovery"};
	const char *comma = "";

	put(t, "%s: ", name);
	for (unsigned k = 0; k < DCC_KINDS; k++)
		if ((kinds & DCC_KIND_BIT(k)) != 0) {
			put(t, "%s%s", comma, names[k]);
			comma = ", ";
		}
	put(t, "\n");
}

/* --- names and certificates ----------------------------------------------- */

static void put_x509_name(struct text *t, const char *name,
			  const X509_NAME *value)
{
	/* As RFC 2253 has it, in UTF-8; what hides in it put_safe() shows. */
	const unsigned long how =
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;

	if (bio == NULL || X509_NAME_print_ex(bio, value, 0, how) < 0) {
		put(t, "%s: cannot be shown\n", name);
	} else {
		n = BIO_get_mem_data(bio, &p);
		put_line(t, name, span_of(p, n > 0 ? (size_t)n : 0));
	}
	BIO_free(bio);
	ERR_clear_error();
}

static void put_subject(struct text *t, struct span der)
{
	const unsigned char *p = der.p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.n);

	if (name != NULL)
		put_x509_name(t, "subject", name);
	else
		put(t, "subject: cannot be shown\n");
	X509_NAME_free(name);
	ERR_clear_error();
}

static void put_dsc(struct text *t, const X509 *cert, const struct dsc *dsc)
{
	char kid[HEX_TEXT(COSE_KID_BYTES)];

	put_x509_name(t, "certificate's subject", X509_get_subject_name(cert));
	put_x509_name(t, "certificate's issuer", X509_get_issuer_name(cert));
	put_time(t, "certificate's notBefore", dsc->not_before);
	put_time(t, "certificate's notAfter", dsc->not_after);
	put(t, "certificate's algorithm: %s\n", cose_alg_name(dsc->alg));
	put_kinds(t, "certificate's kinds", dsc->kinds);
	put(t, "certificate's kid: %s\n",
	    hex_encode(dsc->kid, sizeof(dsc->kid), kid));
}

static void put_certificate(struct text *t, struct span der)
{
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	struct dsc dsc;

	if (cert != NULL && dsc_read(der, &dsc) == SG_OK)
		put_dsc(t, cert, &dsc);
	else
		put(t, "certificate: cannot be read\n");
	put_sha256(t, "certificate's SHA-256", der);
	X509_free(cert);
	ERR_clear_error();
}

/* The verifier key of the ledger, as all that check it have it. */
static void put_vkey(struct text *t, const struct operation *o)
{
	char vkey[NOTE_VKEY_MAX];
	struct note_key key;
	const enum sg_err err = note_key_make(o->origin, NOTE_ED25519,
					      operation_ed25519(o), &key);

	if (err == SG_OK) {
		note_key_text(&key, vkey);
		put_line(t, "verifier key", span_str(vkey));
	}
	if (err == SG_NO_MEMORY)
		t->over = true; /* as in put_sha256() */
	put_sha256(t, "SHA-256 of the key", o->spki);
}

/* --- by member ------------------------------------------------------------ */

static void put_officer(struct text *t, const struct officer *o)
{
	uint8_t hash[SHA256_BYTES];
	char hex[HEX_TEXT(SHA256_BYTES)];

	if (EVP_Digest(o->spki, o->spki_n, hash, NULL, EVP_sha256(), NULL) !=
	    1) {
		t->over = true;
		return;
	}
	put(t, "officer: %s, %s, SHA-256 of the key %s\n", o->name,
	    cose_alg_name(o->alg), hex_encode(hash, sizeof(hash), hex));
}

static void put_roll(struct text *t, const struct roll *r)
{
	for (size_t i = 0; i < r->n; i++)
		put_officer(t, &r->officer[i]);
	put(t, "approvals needed: %u of %zu\n", r->threshold, r->n);
	put(t, "the proposer's own approval counts: %s\n",
	    r->proposer_may_approve ? "yes" : "no");
	put(t, "a policy needs approval: %s\n",
	    r->policy_approval ? "yes" : "no");
	put_duration(t, "from publication to use of a key, at least",
		     r->lead_s);
	put_duration(t, "an operation's checkpoint may be as old as",
		     r->stale_s);
}

static void put_key(struct text *t, const struct operation *o, unsigned has)
{
	if ((has & OP_KEY) != 0)
		put_line(t, "key", o->key);
	if ((has & OP_HSM) != 0)
		put_line(t, "HSM", o->hsm);
	if ((has & OP_ALG) != 0)
		put(t, "algorithm: %s\n", cose_alg_name(o->alg));
	if (o->bits > 0)
		put(t, "bits: %u\n", (unsigned)o->bits);
	if (o->kinds != 0)
		put_kinds(t, "kinds", o->kinds);
	else if ((has & OP_KINDS) != 0)
		put(t, "kinds: none: it is for the ledger's checkpoints\n");
	if (o->country.n > 0)
		put_line(t, "country", o->country);
	if (o->signatures > 0)
		put(t, "signatures, at most: %llu\n",
		    (unsigned long long)o->signatures);
	if (o->period_s > 0)
		put_duration(t, "signs from its first use for, at most",
			     o->period_s);
	if ((has & OP_SPKI) != 0)
		put_vkey(t, o);
	if ((has & OP_SUBJECT) != 0)
		put_subject(t, o->subject);
	if ((has & OP_CERTIFICATE) != 0)
		put_certificate(t, o->certificate);
}

static void put_rest(struct text *t, const struct operation *o, unsigned has)
{
	if (o->activate != 0)
		put_time(t, "at", o->activate);
	else if ((has & OP_ACTIVATE) != 0)
		put(t, "at: the moment it is applied\n");
	if (o->override)
		put(t, "OVERRIDE: although verifiers may not know it yet\n");
	if (o->retire != 0)
		put_time(t, "at", o->retire);
	else if ((has & OP_RETIRE) != 0)
		put(t, "at: the moment it is applied\n");
	if (o->last)
		put(t, "LAST: although nothing may sign its kinds from then "
		       "on\n");
	if ((has & OP_POLICY) != 0)
		put_hash(t, "policy's SHA-256", o->policy);
	if ((has & OP_ROLL) != 0)
		put_roll(t, &o->roll);
}

enum sg_err operation_text(const struct operation *o, char *out, size_t cap)
{
	struct text t = {.p = out, .cap = cap};
	const unsigned has = operation_members(o->kind);
	char nonce[HEX_TEXT(OPERATION_NONCE_BYTES)];

	if (cap == 0)
		return SG_TOO_BIG;
	out[0] = '\0';
	if (operation_fault(o) != NULL)
		return SG_MALFORMED;
	put(&t, "operation: %s: %s\n", operation_kind_name(o->kind),
	    MEANINGS[o->kind]);
	put_key(&t, o, has);
	put_rest(&t, o, has);
	put_line(&t, "reason", o->reason.n > 0 ? o->reason : SPAN_LIT("none"));
	put_line(&t, "proposed by", o->proposer);
	put_time(&t, "made", o->created);
	put_time(&t, "expires", o->expires);
	put_line(&t, "ledger", o->origin);
	put(&t, "ledger's size: %llu\n", (unsigned long long)o->size);
	put_hash(&t, "ledger's root", o->root.b);
	put(&t, "nonce: %s\n",
	    hex_encode(o->nonce, OPERATION_NONCE_BYTES, nonce));
	return t.over ? SG_TOO_BIG : SG_OK;
}
