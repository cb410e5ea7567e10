/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "attested.h"
#include "base/hex.h"
#include "hcert/cbor.h"
#include "policy_file.h"
#include "rule.h"
#include "schema.h"
#include "validity.h"

enum { HASH_BYTES = 32 }; /* SHA-256 */

struct policy {
	size_t references;
	uint8_t hash[HASH_BYTES];
	struct policy_file file;
};

/* --- the policy ---------------------------------------------------------- */

enum sg_err policy_load(struct span text, const char *name, struct policy **out,
			struct faults *faults)
{
	struct policy *p = calloc(1, sizeof(*p));
	enum sg_err err;

	*out = NULL;
	if (p == NULL)
		return SG_NO_MEMORY;
	p->references = 1;
	err = policy_file_read(text, name, &p->file, faults);
	if (err != SG_OK)
		goto fail_file;
	if (EVP_Digest(text.p, text.n, p->hash, NULL, EVP_sha256(), NULL) !=
	    1) {
		err = SG_NO_MEMORY;
		goto fail_hash;
	}
	*out = p;
	return SG_OK;
fail_hash:
	policy_file_clear(&p->file);
fail_file:
	free(p);
	return err;
}

struct policy *policy_ref(struct policy *p)
{
	assert(p->references > 0 && p->references < SIZE_MAX);
	p->references++;
	return p;
}

void policy_unref(struct policy *p)
{
	if (p == NULL)
		return;
	assert(p->references > 0);
	if (--p->references > 0)
		return;
	policy_file_clear(&p->file);
	free(p);
}

const uint8_t *policy_hash(const struct policy *p)
{
	return p->hash;
}

/* The client that one of IDENTITY's names of TYPE belongs to. */
static uint32_t find_name(const struct policy *p,
			  const struct identity *identity,
			  enum identity_name_type type)
{
	const enum lookup_space space =
		type == IDENTITY_URI ? LOOKUP_URI : LOOKUP_DNS;
	uint32_t found = LOOKUP_NONE;

	for (size_t i = 0; i < identity->n && found == LOOKUP_NONE; i++)
		if (identity->name[i].type == type)
			found = lookup_find(p->file.lookup, space,
					    identity->name[i].text);
	return found;
}

const struct client *policy_client(const struct policy *p,
				   const struct identity *identity)
{
	uint32_t found =
		lookup_find(p->file.lookup, LOOKUP_SPKI,
			    span_of(identity->spki, sizeof(identity->spki)));

	if (found == LOOKUP_NONE)
		found = find_name(p, identity, IDENTITY_URI);
	if (found == LOOKUP_NONE)
		found = find_name(p, identity, IDENTITY_DNS);
	return found != LOOKUP_NONE ? &p->file.client[found] : NULL;
}

const struct client *policy_client_named(const struct policy *p,
					 struct span name)
{
	const uint32_t found = lookup_find(p->file.lookup, LOOKUP_CLIENT, name);

	return found != LOOKUP_NONE ? &p->file.client[found] : NULL;
}

size_t policy_clients(const struct policy *p)
{
	return p->file.nclients;
}

const struct client *policy_client_at(const struct policy *p, size_t i)
{
	assert(i < p->file.nclients);
	return &p->file.client[i];
}

int64_t policy_longest_validity(const struct policy *p)
{
	int64_t longest = 0;

	for (size_t i = 0; i < p->file.nclients; i++) {
		for (size_t k = 0; k < DCC_KINDS; k++) {
			const int64_t s = p->file.client[i].validity_s[k];

			longest = s > longest ? s : longest;
		}
	}
	return longest;
}

int32_t policy_zone_s(const struct policy *p)
{
	return p->file.zone_s;
}

/* --- a decision ---------------------------------------------------------- */

enum sg_err policy_decide(const struct policy *p,
			  const struct policy_question *q, struct decision *out)
{
	const struct cbor_limits limits = {.depth = SCHEMA_DEPTH_MAX,
					   .items = SCHEMA_ITEMS_MAX};
	struct rule_context context = {.client = q->client,
				       .profile = q->client->profile,
				       .document = &out->document,
				       .bounds = q->bounds,
				       .renewal = q->operation == CLIENT_RENEW,
				       .valuesets = &p->file.valuesets,
				       .certlogic = &p->file.certlogic,
				       .now = q->now,
				       .zone_s = p->file.zone_s};
	enum sg_err err;

	err = cbor_check(q->request, limits);
	if (err != SG_OK)
		return err;
	verdict_init(&out->verdict);
	err = schema_read(q->request, context.profile, &out->document,
			  &out->verdict);
	if (err != SG_OK)
		return err;
	context.exp = validity_exp(q->client, &out->document, q->now);
	rule_judge(&context, &out->verdict);
	if (out->verdict.failed != SG_OK)
		return out->verdict.failed;
	out->iat = q->now;
	out->exp = context.exp;
	out->attestation = attested_evidence(&context);
	return SG_OK;
}

/* --- what applies to a client -------------------------------------------- */

static void put_word(struct cbor_writer *w, const char *text)
{
	cbor_put_text(w, span_str(text));
}

static void put_hash(struct cbor_writer *w, const uint8_t hash[HASH_BYTES])
{
	char hex[HEX_TEXT(HASH_BYTES)];

	cbor_put_text(w, span_str(hex_encode(hash, HASH_BYTES, hex)));
}

static unsigned count_bits(unsigned bits)
{
	return (unsigned)__builtin_popcount(bits);
}

static void put_kinds(struct cbor_writer *w, const struct client *c)
{
	cbor_put_array(w, count_bits(c->kinds));
	for (unsigned k = 0; k < DCC_KINDS; k++) {
		const char letter = dcc_kind_letter((enum dcc_kind)k);

		if (client_may_kind(c, (enum dcc_kind)k))
			cbor_put_text(w, span_of(&letter, 1));
	}
}

static void put_operations(struct cbor_writer *w, const struct client *c)
{
	cbor_put_array(w, count_bits(c->operations));
	for (unsigned op = 0; op < CLIENT_OPERATION_COUNT; op++)
		if (client_may(c, (enum client_operation)op))
			put_word(w, client_operation_name(
					    (enum client_operation)op));
}

static void put_texts(struct cbor_writer *w, bool any, const struct text_set *s)
{
	if (any) {
		cbor_put_array(w, 1);
		put_word(w, "*");
		return;
	}
	cbor_put_array(w, s->n);
	for (size_t i = 0; i < s->n; i++)
		cbor_put_text(w, s->text[i]);
}

static void put_countries(struct cbor_writer *w, const struct client *c)
{
	unsigned n = 0;

	if (c->any_country) {
		put_texts(w, true, NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(c->country); i++)
		n += count_bits(c->country[i]);
	cbor_put_array(w, n);
	for (int i = 0; i < CLIENT_COUNTRIES; i++) {
		const char code[2] = {(char)('A' + i / CLIENT_LETTERS),
				      (char)('A' + i % CLIENT_LETTERS)};

		if (client_may_country(c, span_of(code, 2)))
			cbor_put_text(w, span_of(code, 2));
	}
}

static bool rule_before(enum rule a, enum rule b)
{
	return cbor_text_before(span_str(rule_name(a)), span_str(rule_name(b)));
}

/* The levels of the CertLogic rules from *NEXT on, whose codes come before
 * BEFORE (NULL: all of them). */
static void put_certlogic(struct cbor_writer *w, const struct rule_profile *p,
			  const struct certlogic_set *s, size_t *next,
			  const char *before)
{
	for (; *next < s->n; (*next)++) {
		const uint32_t i = s->order[*next];
		const struct span code = s->rule[i].violation.code;

		if (before != NULL && !cbor_text_before(code, span_str(before)))
			return;
		cbor_put_text(w, code);
		put_word(w, rule_level_name((enum rule_level)(
				    p->certlogic != NULL ? p->certlogic[i]
							 : RULE_ERROR)));
	}
}

static void put_profile(struct cbor_writer *w, const struct rule_profile *p,
			const struct certlogic_set *s)
{
	enum rule order[RULE_COUNT];
	size_t next = 0;

	for (unsigned i = 0; i < RULE_COUNT; i++) {
		unsigned at = i;

		for (; at > 0 && rule_before((enum rule)i, order[at - 1]); at--)
			order[at] = order[at - 1];
		order[at] = (enum rule)i;
	}
	cbor_put_map(w, RULE_COUNT + s->n);
	for (unsigned i = 0; i < RULE_COUNT; i++) {
		put_certlogic(w, p, s, &next, rule_name(order[i]));
		put_word(w, rule_name(order[i]));
		put_word(w, rule_level_name(rule_profile_level(p, order[i])));
	}
	put_certlogic(w, p, s, &next, NULL);
}

static void put_validity(struct cbor_writer *w, const struct client *c)
{
	static const enum dcc_kind order[DCC_KINDS] = {DCC_RECOVERY, DCC_TEST,
						       DCC_VACCINATION};

	cbor_put_map(w, count_bits(c->kinds));
	for (size_t i = 0; i < DCC_KINDS; i++) {
		const char letter = dcc_kind_letter(order[i]);

		if (!client_may_kind(c, order[i]))
			continue;
		cbor_put_text(w, span_of(&letter, 1));
		cbor_put_int(w, c->validity_s[order[i]]);
	}
}

static void put_gateways(struct cbor_writer *w, const struct client *c)
{
	cbor_put_array(w, c->ngateways);
	for (size_t i = 0; i < c->ngateways; i++)
		put_word(w, c->gateway[i]->name);
}

/* What the client's requests are signed with, by the ids that stand in them. */
static void put_request_keys(struct cbor_writer *w, const struct client *c)
{
	char hex[HEX_TEXT(VERIFIER_KID_BYTES)];

	if (c->keys.n > 0) {
		put_word(w, "request_age");
		cbor_put_int(w, c->signature_age_s);
	}
	put_word(w, "request_keys");
	cbor_put_array(w, c->keys.n);
	for (size_t i = 0; i < c->keys.n; i++)
		put_word(w, hex_encode(c->keys.key[i].kid, VERIFIER_KID_BYTES,
				       hex));
}

static void put_rate(struct cbor_writer *w, const struct client_limits *l)
{
	if (l->per_second == 0)
		return;
	put_word(w, "rate");
	cbor_put_map(w, 2);
	put_word(w, "burst");
	cbor_put_int(w, l->burst);
	put_word(w, "per_second");
	cbor_put_int(w, l->per_second);
}

static void put_quota(struct cbor_writer *w, const struct client_limits *l,
		      const struct policy_usage *usage)
{
	if (l->per_day == 0)
		return;
	put_word(w, "quota");
	cbor_put_map(w, usage != NULL ? 3 : 1);
	if (usage != NULL) {
		put_word(w, "ends");
		cbor_put_int(w, usage->ends);
		put_word(w, "left");
		cbor_put_int(w, (int64_t)usage->left);
	}
	put_word(w, "per_day");
	cbor_put_int(w, (int64_t)l->per_day);
}

enum sg_err policy_describe(const struct policy *p, const struct client *c,
			    const struct policy_usage *usage, uint8_t *out,
			    size_t cap, size_t *len)
{
	const struct client_limits *l = &c->limits;
	struct cbor_writer w = cbor_write(out, cap);

	/* In the order of the encoded keys. */
	cbor_put_map(&w, 13U + (l->per_second > 0 ? 1U : 0U) +
				 (l->per_day > 0 ? 1U : 0U) +
				 (c->keys.n > 0 ? 1U : 0U));
	put_word(&w, "hash");
	put_hash(&w, p->hash);
	put_rate(&w, l);
	put_word(&w, "kinds");
	put_kinds(&w, c);
	put_quota(&w, l, usage);
	put_word(&w, "client");
	put_word(&w, c->name);
	put_word(&w, "issuers");
	put_texts(&w, c->any_issuer, &c->issuers);
	put_word(&w, "profile");
	put_profile(&w, c->profile, &p->file.certlogic);
	put_word(&w, "require");
	cbor_put_array(&w,
		       (c->must_attest ? 1U : 0U) + (c->must_sign ? 1U : 0U));
	if (c->must_attest)
		put_word(&w, "attestation");
	if (c->must_sign)
		put_word(&w, "signature");
	put_word(&w, "gateways");
	put_gateways(&w, c);
	put_word(&w, "validity");
	put_validity(&w, c);
	put_word(&w, "countries");
	put_countries(&w, c);
	put_word(&w, "operations");
	put_operations(&w, c);
	put_request_keys(&w, c);
	put_word(&w, "uvci_prefixes");
	put_texts(&w, c->any_uvci, &c->prefixes);
	put_word(&w, "renewal_window");
	cbor_put_int(&w, c->renewal_window_s);
	return cbor_done(&w, len);
}
