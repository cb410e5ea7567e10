/* SPDX-License-Identifier: Apache-2.0 */
#include "issue_state.h"

/* Who is on record under the UVCI, and what is in flight for it? */
static enum sg_err find_both(struct issuer *s, struct known *out, bool *found,
			     uint64_t *offset)
{
	const struct document *d = &s->decision.document;
	const struct span none = {0};
	enum claim_state state = CLAIM_FREE;
	void *holder = NULL;

	if (digest_sum(s->digest, d->text[DOC_CI], none, out->uci) != SG_OK)
		return SG_NO_MEMORY;
	if (s->part.claims == NULL)
		return SG_OK; /* without a ledger nothing is on record */
	if (claims_find(s->part.claims, out->uci, &state, &holder, offset) !=
	    SG_OK) /* the index has logged why */
		return SG_LEDGER_DOWN;
	*found = state == CLAIM_ON_RECORD;
	if (state != CLAIM_IN_FLIGHT)
		return SG_OK;
	out->ahead = holder;
	return claims_find_record(s->part.claims, out->uci, found, offset) ==
			       SG_OK
		       ? SG_OK
		       : SG_LEDGER_DOWN;
}

/* That who the certificate is for was attested when it was issued holds for its
 * renewals, too. */
static void keep_attestation(const struct issuer *s, struct known *out)
{
	const uint8_t *hash = replay_attestation(s->replay);

	out->attested = hash != NULL;
	if (out->attested)
		memcpy(out->attestation, hash, sizeof(out->attestation));
}

/*
 * Is PRESENTED the signature of a revoked certificate?  What is on record now
 * may be one that renewed it, and is no business of who has a forgery in hand.
 * Of which algorithm it is nobody knows for sure: both ways to name it count.
 */
static enum sg_err is_withdrawn(const struct issuer *s, struct span presented,
				bool *withdrawn)
{
	static const enum cose_alg way[] = {COSE_ES256, COSE_EDDSA};
	uint8_t hash[ENTRY_REVOCATION_BYTES];

	*withdrawn = false;
	if (presented.n == 0 || revoked_count(s->part.revoked) == 0)
		return SG_OK;
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		const enum sg_err err =
			entry_revocation(way[i], presented, hash);

		if (err != SG_OK && err != SG_MALFORMED)
			return err;
		*withdrawn |=
			err == SG_OK && revoked_has(s->part.revoked, hash);
	}
	return SG_OK;
}

/* As long as nothing is signed the index may lack what it will have: nobody is
 * told that something cannot be renewed, whatever the reason. */
static enum sg_err unrenewable(const struct issuer *s)
{
	return release_open(s->part.release) ? SG_OK : SG_LEDGER_DOWN;
}

#define NOT_RENEWABLE(en, vi)                                                  \
	{                                                                      \
		.code = SPAN_LIT("not-renewable"),                             \
		.detail = {SPAN_LIT(en), SPAN_LIT(vi)},                        \
	}

const struct violation_text *renewal_cause(enum known_word word)
{
	static const struct violation_text unrecorded = NOT_RENEWABLE(
		"there is no certificate of this client on record that has "
		"this UVCI",
		"không có trong sổ chứng nhận nào của đơn vị này mang UVCI "
		"này");
	static const struct violation_text changed = NOT_RENEWABLE(
		"this client's certificate on record under this UVCI says "
		"something else",
		"chứng nhận của đơn vị này mang UVCI này trong sổ có nội dung "
		"khác");
	static const struct violation_text early = NOT_RENEWABLE(
		"it is not due for renewal yet", "chưa đến hạn gia hạn");
	static const struct violation_text had = NOT_RENEWABLE(
		"what was signed has had its renewal: another one is to be "
		"asked for anew",
		"yêu cầu đã ký này đã được gia hạn: hãy ký yêu cầu mới");

	switch (word) {
	case KNOWN_CHANGED: return &changed;
	case KNOWN_EARLY: return &early;
	case KNOWN_HAD: return &had;
	default: return &unrecorded;
	}
}

/* What the record says of a renewal that there is none of. */
static enum known_word why_not(enum replay_word word)
{
	switch (word) {
	case REPLAY_CHANGED: return KNOWN_CHANGED;
	case REPLAY_EARLY: return KNOWN_EARLY;
	case REPLAY_HAD: return KNOWN_HAD;
	default: return KNOWN_UNRECORDED;
	}
}

/*
 * The record comes first, whatever is in flight: what is on none, or is
 * another client's, cannot be renewed, and both are told alike, so that nobody
 * learns who else has a UVCI; what is the client's own it may know.  What is
 * due, and in flight, is in flight for the same request: nothing else is signed
 * beside a record.
 */
enum sg_err known_find_renewal(struct issuer *s, const struct renewal_ask *ask,
			       struct known *out)
{
	const struct document *d = &s->decision.document;
	struct replay_request q = {
		.client = span_str(client_name(ask->client)),
		.now = ask->now,
		.renew = true,
		.window_s = client_renewal_window_s(ask->client),
		.signed_at = ask->signed_at,
	};
	enum replay_word word;
	bool found = false;
	bool withdrawn;
	enum sg_err err;

	out->word = KNOWN_NEW;
	out->ahead = NULL;
	out->attested = false;
	if (!d->has_kind || !d->present[DOC_CI])
		return SG_OK; /* refused, and there is nothing to look for */
	out->word = KNOWN_UNRECORDED;
	err = find_both(s, out, &found, &q.offset);
	if (err == SG_OK && !found)
		return unrenewable(s);
	if (err != SG_OK)
		return err;
	if (digest_sum(s->digest, d->dcc, span_of(NULL, 0), out->payload) !=
	    SG_OK)
		return SG_NO_MEMORY;
	err = known_hold_against(s, &q, out, &word);
	if (err == SG_OK)
		err = is_withdrawn(s, ask->presented, &withdrawn);
	if (err != SG_OK)
		return err;
	keep_attestation(s, out);
	if (withdrawn && word != REPLAY_CONFLICT && word != REPLAY_CHANGED)
		word = REPLAY_REVOKED;
	switch (word) {
	case REPLAY_DUE:
		out->word = out->ahead == NULL ? KNOWN_NEW : KNOWN_TWIN;
		return SG_OK;
	case REPLAY_REVOKED: out->word = KNOWN_REVOKED; return SG_OK;
	case REPLAY_SAME: out->word = KNOWN_SAME; return SG_OK;
	default: out->word = why_not(word); return unrenewable(s);
	}
}

bool renewal_unattested(const struct issuer *s, const struct client *client,
			const struct known *known)
{
	const bool due = known->word == KNOWN_NEW || known->word == KNOWN_TWIN;

	return due && client_must_attest(client) && !known->attested &&
	       s->decision.attestation.n == 0;
}

enum sg_err renewal_attestation(struct issue *i, bool renewal,
				const struct known *known)
{
	const struct span sent = i->issuer->decision.attestation;

	i->attested = sent.n > 0 || (renewal && known->attested);
	if (sent.n > 0)
		return digest_sum(i->issuer->digest, sent, span_of(NULL, 0),
				  i->attestation);
	if (i->attested)
		memcpy(i->attestation, known->attestation,
		       sizeof(i->attestation));
	return SG_OK;
}
