/* SPDX-License-Identifier: Apache-2.0 */
#include "issue_state.h"

bool known_is_twin(const struct issue *i, const struct client *client,
		   const uint8_t payload[DIGEST_BYTES])
{
	return strcmp(client_name(i->client), client_name(client)) == 0 &&
	       memcmp(i->payload, payload, DIGEST_BYTES) == 0;
}

enum sg_err known_hold_against(struct issuer *s, struct replay_request *q,
			       struct known *out, enum replay_word *word)
{
	const struct document *d = &s->decision.document;

	q->uvci = d->text[DOC_CI];
	q->uci = out->uci;
	q->payload = out->payload;
	q->dcc = d->dcc;
	*word = REPLAY_CONFLICT;
	return replay_find(s->replay, q, s->scratch, word, &out->issued);
}

/* The record at OFFSET: what does it say of the request? */
static enum sg_err find_record(struct issuer *s, const struct client *client,
			       int64_t now, uint64_t offset, struct known *out)
{
	static const enum known_word word_of[] = {
		[REPLAY_SAME] = KNOWN_SAME,
		[REPLAY_EXPIRED] = KNOWN_EXPIRED,
		[REPLAY_ANEW] = KNOWN_NEW,
		[REPLAY_CONFLICT] = KNOWN_CONFLICT,
		[REPLAY_REVOKED] = KNOWN_REVOKED,
	};
	struct replay_request q = {.offset = offset,
				   .client = span_str(client_name(client)),
				   .now = now};
	enum replay_word word;
	const enum sg_err err = known_hold_against(s, &q, out, &word);

	if (err != SG_OK)
		return err;
	out->word = word_of[word];
	/* Another one may be on record after it that the index has not read
	 * yet.  What is still valid is given out all the same: whoever asks
	 * again later gets the newer one. */
	if (out->word == KNOWN_EXPIRED && !claims_is_whole(s->part.claims))
		return SG_LEDGER_DOWN;
	return SG_OK;
}

/* The UVCI is on no record here; it may be revoked all the same. */
static enum sg_err look_revoked(struct issuer *s, struct known *out)
{
	const struct document *d = &s->decision.document;
	uint8_t hash[DIGEST_BYTES];

	if (revoked_count(s->part.revoked) == 0)
		return SG_OK;
	if (digest_sum(s->digest, d->text[DOC_CO], d->text[DOC_CI], hash) !=
	    SG_OK)
		return SG_NO_MEMORY;
	if (revoked_has(s->part.revoked, out->uci) ||
	    revoked_has(s->part.revoked, hash))
		out->word = KNOWN_REVOKED;
	return SG_OK;
}

/* It is in flight.  What is on record beside it counts first: the one in
 * flight renews that, or signs it anew. */
static enum sg_err find_flight(struct issuer *s, const struct client *client,
			       int64_t now, struct known *out)
{
	uint64_t offset = 0;
	bool found = false;
	enum sg_err err;

	if (claims_find_record(s->part.claims, out->uci, &found, &offset) !=
	    SG_OK)
		return SG_LEDGER_DOWN;
	err = found ? find_record(s, client, now, offset, out)
		    : look_revoked(s, out);
	if (err != SG_OK || out->word != KNOWN_NEW)
		return err;
	out->word = known_is_twin(out->ahead, client, out->payload)
			    ? KNOWN_TWIN
			    : KNOWN_RIVAL;
	return SG_OK;
}

/* Who has the UVCI? */
static enum sg_err find_claim(struct issuer *s, struct known *out,
			      enum claim_state *state, uint64_t *offset)
{
	const struct document *d = &s->decision.document;
	const struct span none = {0};
	void *holder = NULL;

	if (digest_sum(s->digest, d->text[DOC_CI], none, out->uci) != SG_OK)
		return SG_NO_MEMORY;
	if (s->part.claims != NULL &&
	    claims_find(s->part.claims, out->uci, state, &holder, offset) !=
		    SG_OK) /* the index has logged why */
		return SG_LEDGER_DOWN;
	if (*state == CLAIM_IN_FLIGHT)
		out->ahead = holder;
	/* What is refused, and new, needs no hash of all of it. */
	if (*state == CLAIM_FREE && s->decision.verdict.errors > 0)
		return SG_OK;
	return digest_sum(s->digest, d->dcc, none, out->payload);
}

enum sg_err known_find(struct issuer *s, const struct client *client,
		       int64_t now, struct known *out)
{
	const struct document *d = &s->decision.document;
	enum claim_state state = CLAIM_FREE;
	uint64_t offset = 0;
	enum sg_err err;

	out->word = KNOWN_NEW;
	out->ahead = NULL;
	if (!d->has_kind || !d->present[DOC_CI])
		return SG_OK; /* refused, and there is nothing to look for */
	err = find_claim(s, out, &state, &offset);
	if (err != SG_OK)
		return err;
	if (state == CLAIM_ON_RECORD)
		return find_record(s, client, now, offset, out);
	if (state == CLAIM_IN_FLIGHT)
		return find_flight(s, client, now, out);
	return look_revoked(s, out);
}

bool known_is_foreign(const struct verdict *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->violation[i].code == VIOLATION_UVCI_NOT_ALLOWED &&
		    !v->violation[i].warning)
			return true;
	return false;
}

void known_report(struct verdict *v, enum violation_code code,
		  const struct violation_text *cause, enum dcc_kind kind)
{
	const char letter = dcc_kind_letter(kind);
	const struct pointer dcc = {.key = SPAN_LIT("dcc")};
	const struct pointer list = {.up = &dcc, .key = span_of(&letter, 1)};
	const struct pointer entry = {.up = &list, .indexed = true};
	const struct pointer ci = {.up = &entry, .key = SPAN_LIT("ci")};

	verdict_add_cause(v, code, cause, &ci);
}
