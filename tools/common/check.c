/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "hcert/deflate.h"
#include "hcert/hc1.h"
#include "payload.h"
#include "times.h"

/* Sig_structure: "Signature1", two headers and the heads around them. */
enum { TBS_MAX = HC1_COSE_MAX + 64 };

struct checker {
	struct deflate *deflate;
	uint8_t cose[HC1_COSE_MAX];
	uint8_t tbs[TBS_MAX];
};

static const char *const STEP_NAMES[] = {
#define X(id, name, about) [CHECK_##id] = (name),
	CHECK_MAP(X)
#undef X
};

const char *check_step_name(enum check_step step)
{
	return step < CHECK_STEPS ? STEP_NAMES[step] : "none";
}

enum sg_err checker_create(struct checker **out)
{
	struct checker *c = calloc(1, sizeof(*c));
	enum sg_err err;

	if (c == NULL)
		return SG_NO_MEMORY;
	err = deflate_create(&c->deflate);
	if (err != SG_OK) {
		free(c);
		return err;
	}
	*out = c;
	return SG_OK;
}

void checker_free(struct checker *c)
{
	if (c == NULL)
		return;
	deflate_free(c->deflate);
	free(c);
}

__attribute__((format(printf, 3, 4))) static bool fail(struct check *out,
						       enum check_step step,
						       const char *fmt, ...)
{
	va_list ap;

	out->failures |= CHECK_BIT(step);
	if (out->failed == CHECK_STEPS)
		out->failed = step;
	va_start(ap, fmt);
	(void)vsnprintf(out->detail[step], sizeof(out->detail[step]), fmt, ap);
	va_end(ap);
	return false;
}

/* HC1 to COSE bytes: three steps that hc1_decode() takes in one. */
static bool check_wrapping(struct checker *c, struct span text,
			   struct check *out)
{
	size_t n;
	const enum sg_err err =
		hc1_decode(c->deflate, text, c->cose, sizeof(c->cose), &n);

	switch (err) {
	case SG_OK: out->cose = span_of(c->cose, n); return true;
	case SG_BAD_PREFIX: return fail(out, CHECK_PREFIX, "%s", err_text(err));
	case SG_BAD_BASE45: return fail(out, CHECK_BASE45, "%s", err_text(err));
	case SG_TOO_BIG:
		return fail(out, CHECK_COMPRESSION,
			    "more than %d bytes when decompressed",
			    HC1_COSE_MAX);
	default: return fail(out, CHECK_COMPRESSION, "%s", err_text(err));
	}
}

/* The COSE_Sign1 alone. */
static bool check_sign1(struct check *out)
{
	const enum sg_err err = cose_sign1_decode(out->cose, &out->sign1);

	if (err == SG_DUPLICATE_KEY)
		return fail(out, CHECK_DECODE, "a header stands there twice");
	if (err != SG_OK)
		return fail(out, CHECK_DECODE, "not a well-formed COSE_Sign1");
	if (out->sign1.detached)
		return fail(out, CHECK_DECODE, "the payload is not inside");
	return true;
}

/* Does K answer to the key id?  Without one, every key is worth a try. */
static bool key_fits(const struct keyset_key *k, const struct cose_sign1 *s)
{
	return !s->has_kid ||
	       span_eq(s->kid, span_of(k->dsc.kid, sizeof(k->dsc.kid)));
}

static bool check_known(const struct keyset *set, struct check *out)
{
	enum { KID_SHOWN = 32 };
	char kid[HEX_TEXT(KID_SHOWN)];
	struct span shown = out->sign1.kid;

	for (size_t i = 0; i < set->n; i++)
		if (key_fits(&set->key[i], &out->sign1))
			return true;
	if (!out->sign1.has_kid)
		return fail(out, CHECK_SIGNATURE,
			    "no signer's certificate is given");
	if (shown.n > KID_SHOWN)
		shown.n = KID_SHOWN;
	(void)hex_encode(shown.p, shown.n, kid);
	return fail(out, CHECK_SIGNATURE,
		    "no signer's certificate with the key id %s is given", kid);
}

/* Eight bytes of key id may name two certificates: one must have signed. */
static bool check_signature(struct checker *c, const struct keyset *set,
			    struct check *out)
{
	const struct cose_sign1 *s = &out->sign1;
	enum sg_err why = SG_BAD_KEY;
	size_t n;

	if (!check_known(set, out))
		return false;
	if (s->alg == COSE_NONE)
		return fail(out, CHECK_SIGNATURE,
			    "no algorithm, or one that is not allowed");
	if (cose_sig_structure(s->prot, span_of(NULL, 0), s->payload, c->tbs,
			       sizeof(c->tbs), &n) != SG_OK)
		return fail(out, CHECK_SIGNATURE, "too long to be verified");
	for (size_t i = 0; i < set->n; i++) {
		const struct keyset_key *k = &set->key[i];
		enum sg_err err;

		if (!key_fits(k, s) || k->key == NULL)
			continue;
		err = cose_key_verify(k->key, s->alg, span_of(c->tbs, n),
				      s->signature);
		if (err == SG_OK) {
			out->key = k;
			return true;
		}
		if (err != SG_BAD_KEY)
			why = err;
	}
	if (why == SG_BAD_KEY)
		return fail(out, CHECK_SIGNATURE,
			    "the algorithm %s does not fit the signer's key",
			    cose_alg_name(s->alg));
	return fail(out, CHECK_SIGNATURE, "%s", err_text(why));
}

static bool check_claims(struct check *out)
{
	const enum sg_err err = cwt_decode(out->sign1.payload, &out->claims);

	if (err != SG_OK)
		return fail(out, CHECK_DECODE, "not a well-formed CWT");
	if (out->claims.dcc.n == 0)
		return fail(out, CHECK_DECODE, "no EU DCC payload inside");
	out->kinds = payload_kinds(out->claims.dcc);
	if (out->kinds == 0)
		return fail(out, CHECK_DECODE,
			    "neither a vaccination, a test nor a recovery");
	return true;
}

static bool check_claimed_times(int64_t at, struct check *out)
{
	const struct cwt_claims *c = &out->claims;
	char when[TIMES_TEXT];

	if (c->has_iat && at < c->iat) {
		times_format(c->iat, when);
		return fail(out, CHECK_EXPIRY, "not yet issued: issued at %s",
			    when);
	}
	if (c->has_nbf && at < c->nbf) {
		times_format(c->nbf, when);
		return fail(out, CHECK_EXPIRY, "not yet valid: not before %s",
			    when);
	}
	/* hcert-spec 1.0.8 s. 3.3.5: exp is required of an issuer. */
	if (!c->has_exp)
		return fail(out, CHECK_EXPIRY, "no expiry time");
	/* The same section: "after which" it is expired. */
	if (at > c->exp) {
		times_format(c->exp, when);
		return fail(out, CHECK_EXPIRY, "expired at %s", when);
	}
	return true;
}

/* The signer, or who it would be by the key id; NULL: nobody knows. */
static const struct keyset_key *signer(const struct keyset *set,
				       const struct check *out)
{
	if (out->key != NULL)
		return out->key;
	for (size_t i = 0; i < set->n; i++)
		if (key_fits(&set->key[i], &out->sign1))
			return &set->key[i];
	return NULL;
}

/* Its own times, and those of its signer's certificate: a signature says
 * nothing any more when that has run out (hcert-spec s. 3.3.5 has exp end
 * before it; where an issuer did otherwise, that is worth a note). */
static bool check_expiry(const struct keyset *set, int64_t at,
			 struct check *out)
{
	const struct keyset_key *k = signer(set, out);
	char when[TIMES_TEXT];

	if (!check_claimed_times(at, out) || k == NULL)
		return (out->failures & CHECK_BIT(CHECK_EXPIRY)) == 0;
	if (at < k->dsc.not_before) {
		times_format(k->dsc.not_before, when);
		return fail(out, CHECK_EXPIRY,
			    "the signer's certificate is not valid before %s",
			    when);
	}
	times_format(k->dsc.not_after, when);
	if (at > k->dsc.not_after)
		return fail(out, CHECK_EXPIRY,
			    "the signer's certificate expired at %s", when);
	if (out->claims.exp > k->dsc.not_after)
		(void)snprintf(out->warning, sizeof(out->warning),
			       "the signer's certificate expires before this "
			       "one, at %s",
			       when);
	return true;
}

/* Kinds that a signer with that key id may sign, if one is known. */
static bool check_key_usage(const struct keyset *set, struct check *out)
{
	const struct keyset_key *k = signer(set, out);

	if (k == NULL) {
		out->unknown |= CHECK_BIT(CHECK_KEY_USAGE);
		return false;
	}
	if (!k->dsc.digital_signature)
		return fail(out, CHECK_KEY_USAGE,
			    "the signer's key usage lacks digitalSignature");
	if ((out->kinds & ~k->dsc.kinds) != 0)
		return fail(out, CHECK_KEY_USAGE,
			    "the signer's certificate is not for this kind");
	return true;
}

bool checker_decode(struct checker *c, struct span text, struct check *out)
{
	*out = (struct check){.failed = CHECK_STEPS};
	return check_wrapping(c, text, out) && check_sign1(out);
}

bool checker_run(struct checker *c, struct span text, const struct keyset *set,
		 int64_t at, struct check *out)
{
	if (!checker_decode(c, text, out) || !check_claims(out)) {
		if (out->failed == CHECK_DECODE)
			out->failures |= CHECK_BIT(CHECK_SIGNATURE);
		return false;
	}
	(void)check_signature(c, set, out);
	(void)check_expiry(set, at, out);
	(void)check_key_usage(set, out);
	return out->failures == 0;
}
