/* SPDX-License-Identifier: Apache-2.0 */
#include "attested.h"

#include "gateway.h"

static void report(const struct rule_context *x, struct verdict *v,
		   enum violation_code code)
{
	const struct pointer at = {.key = SPAN_LIT("attestation")};

	rule_report(x->profile, v, code, &at);
}

/* The key of C's gateways that has KID, and *WHOSE it is. */
static const struct verifier *find_key(const struct client *c, struct span kid,
				       const struct gateway **whose)
{
	for (size_t i = 0; i < c->ngateways; i++) {
		const struct verifier *key =
			verifiers_find(&c->gateway[i]->keys, kid);

		if (key != NULL) {
			*whose = c->gateway[i];
			return key;
		}
	}
	return NULL;
}

/* Note in V that ERR kept a judgement from being found, if it is that. */
static bool has_failed(struct verdict *v, enum sg_err err)
{
	if (err != SG_NO_MEMORY && err != SG_INTERNAL)
		return false;
	v->failed = err;
	return true;
}

/* The claims of the request's attestation, if a gateway of the client has
 * signed them.  Errors: SG_NO_MEMORY, SG_INTERNAL: nobody knows; others. */
static enum sg_err read_claims(const struct rule_context *x,
			       struct attestation_claims *claims,
			       const struct gateway **whose)
{
	struct attestation a;
	const struct verifier *key;
	enum sg_err err;

	err = attestation_decode(x->document->attestation, &a);
	if (err != SG_OK)
		return err;
	key = find_key(x->client, a.kid, whose);
	if (key == NULL)
		return SG_NOT_FOUND;
	err = gateway_verify(key, &a);
	return err == SG_OK ? attestation_claims_decode(a.claims, claims) : err;
}

/* Is TIME more than AGE before NOW, or more than the skew after it?  The
 * difference of any two times fits an unsigned integer. */
static bool is_stale(int64_t time, int64_t now, int64_t age)
{
	if (time > now)
		return (uint64_t)time - (uint64_t)now > GATEWAY_SKEW_S;
	return (uint64_t)now - (uint64_t)time > (uint64_t)age;
}

/* Is it for the person in D?  Where D says no date of birth it has been
 * refused for that, and is nobody's certificate yet.  *ERR: could that be found
 * out? */
static bool is_for(const struct document *d, struct digest *digest,
		   const struct attestation_claims *claims, enum sg_err *err)
{
	struct attestation_person person = {.has_fnt = d->present[DOC_FNT],
					    .has_gnt = d->present[DOC_GNT]};
	uint8_t hash[ATTESTATION_PERSON_BYTES];

	*err = SG_OK;
	if (!d->present[DOC_DOB])
		return true;
	if (person.has_fnt)
		person.fnt = d->text[DOC_FNT];
	if (person.has_gnt)
		person.gnt = d->text[DOC_GNT];
	person.dob = d->text[DOC_DOB];
	*err = attestation_person_hash(digest, claims->nonce, &person, hash);
	return *err == SG_OK &&
	       span_eq(claims->person, span_of(hash, sizeof(hash)));
}

static bool is_for_uvci(const struct document *d, struct span uvci)
{
	return !d->has_kind || !d->present[DOC_CI] ||
	       span_eq(d->text[DOC_CI], uvci);
}

void attested_judge(const struct rule_context *x, struct verdict *v)
{
	const struct document *d = x->document;
	struct attestation_claims claims;
	const struct gateway *whose;
	enum sg_err err;
	bool is;

	if (x->client->ngateways == 0)
		return;
	if (d->attestation.n == 0 && !d->wrong_attestation) {
		if (x->client->must_attest && !x->renewal)
			report(x, v, VIOLATION_ATTESTATION_MISSING);
		return;
	}
	err = read_claims(x, &claims, &whose);
	if (has_failed(v, err))
		return;
	if (err != SG_OK) {
		report(x, v, VIOLATION_ATTESTATION_INVALID);
		return;
	}
	is = is_for(d, whose->digest, &claims, &err);
	if (has_failed(v, err))
		return;
	if (is_stale(claims.time, x->now, whose->max_age_s))
		report(x, v, VIOLATION_ATTESTATION_STALE);
	if (!claims.verdict || !is)
		report(x, v, VIOLATION_ATTESTATION_MISMATCH);
	if (!is_for_uvci(d, claims.uvci))
		report(x, v, VIOLATION_ATTESTATION_REPLAYED);
}

struct span attested_evidence(const struct rule_context *x)
{
	return x->client->ngateways > 0 ? x->document->attestation
					: span_of(NULL, 0);
}
