/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "ledger/entry.h"
#include "ledger/journal_read.h"
#include "policy/signed_request.h"

struct replay {
	char *dir;
	const struct keyring *keys;
	const struct revoked *revoked; /* or NULL */
	struct journal_reader *reader; /* NULL: not open, or given up */
	/* Of the request at hand: too large for the stack. */
	struct entry entry;
	struct assembly text;
};

enum sg_err replay_create(const char *journal_dir, const struct keyring *keys,
			  struct replay **out)
{
	struct replay *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (r == NULL)
		return SG_NO_MEMORY;
	r->dir = strdup(journal_dir);
	if (r->dir == NULL) {
		free(r);
		return SG_NO_MEMORY;
	}
	r->keys = keys;
	*out = r;
	return SG_OK;
}

void replay_set_revoked(struct replay *r, const struct revoked *revoked)
{
	r->revoked = revoked;
}

/* --- reading ------------------------------------------------------------ */

/* Read the record at OFFSET; it lives until the next call. */
static enum sg_err read_record(struct replay *r, uint64_t offset,
			       struct record *out)
{
	enum sg_err err = SG_OK;

	if (r->reader == NULL)
		err = journal_reader_open(r->dir, &r->reader);
	if (err == SG_OK)
		err = journal_reader_seek(r->reader, offset);
	if (err == SG_OK)
		err = journal_reader_next(r->reader, UINT64_MAX, out, NULL);
	if (err == SG_OK || err == SG_NO_MEMORY)
		return err;
	log_event(LOG_ERROR, "replay-unreadable", "offset=%llu reason=" LOG_Q,
		  (unsigned long long)offset, err_text(err));
	/* The next one begins with what is on the disk then. */
	journal_reader_close(r->reader);
	r->reader = NULL;
	return err == SG_IO ? SG_LEDGER_DOWN : SG_INTERNAL;
}

static enum sg_err mismatch(const struct replay_request *q, const char *what)
{
	log_event(LOG_ERROR, "replay-mismatch", "offset=%llu reason=\"%s\"",
		  (unsigned long long)q->offset, what);
	return SG_INTERNAL;
}

/* Is RECORD, with r->entry, a certificate of Q's UVCI? */
static enum sg_err check_record(struct replay *r,
				const struct replay_request *q,
				const struct record *record)
{
	if (entry_decode(record->entry, &r->entry) != SG_OK ||
	    (r->entry.type != ENTRY_ISSUED && r->entry.type != ENTRY_RENEWED) ||
	    record->uci == NULL || record->payload == NULL)
		return mismatch(q, "the record is no certificate's");
	if (memcmp(record->uci, q->uci, RECORD_HASH_BYTES) != 0)
		return mismatch(q, "the record has another UVCI");
	return SG_OK;
}

/* The key with KID; NULL: the keyring has none. */
static const struct key *key_of(const struct keyring *keys,
				const uint8_t kid[COSE_KID_BYTES])
{
	size_t i;

	return keyring_find_kid(keys, kid, &i) ? &keys->key[i] : NULL;
}

/* May a compromised key have signed what has KID?  Where no key has it, or one
 * that officers do not know, be it the compromised one under another label, one
 * whose certificate was renewed, in signerd.yaml before the start or too often,
 * may, and so may one that is gone. */
static bool is_compromised(const struct keyring *keys,
			   const uint8_t kid[COSE_KID_BYTES])
{
	size_t known;

	if (keyring_find_kid(keys, kid, &known) && !keys->key[known].unapproved)
		return keys->key[known].state == KEY_COMPROMISED;
	if (keys->misses_compromised)
		return true;
	for (size_t i = 0; i < keys->n; i++) {
		const struct key *k = &keys->key[i];

		if (k->state == KEY_COMPROMISED &&
		    (!k->made || k->nformer == KEY_FORMER_MAX))
			return true;
	}
	return false;
}

/*
 * May the certificate on record be renewed now?  Where it is a renewal itself
 * its window is half of its time at most: else renewals that live shorter than
 * the window would always be due, and who asks twice would get two of them.
 */
static bool is_due(const struct entry *e, const struct replay_request *q)
{
	int64_t window = q->window_s;
	int64_t life;

	if (e->exp <= q->now)
		return true; /* from here on it is not before 1970 */
	life = e->exp - (e->iat > 0 ? e->iat : 0);
	if (e->type == ENTRY_RENEWED && life / 2 < window)
		window = life / 2;
	return e->exp - q->now <= window;
}

/*
 * Did the client sign the wish Q before it had the renewal E, which may be what
 * it wished for then?  Such a wish makes no further one, however often a front
 * sends it again.  The client's clock may be ahead of ours.
 */
static bool is_fulfilled(const struct entry *e, const struct replay_request *q)
{
	return e->type == ENTRY_RENEWED && q->signed_at != INT64_MAX &&
	       q->signed_at - SIGNED_REQUEST_SKEW_S <= e->iat;
}

static enum replay_word judge_renewal(const struct replay *r,
				      const struct replay_request *q)
{
	const struct entry *e = &r->entry;
	const bool fulfilled = is_fulfilled(e, q);

	if ((is_compromised(r->keys, e->kid) || is_due(e, q)) && !fulfilled)
		return REPLAY_DUE;
	if (e->type != ENTRY_RENEWED || e->exp <= q->now ||
	    is_compromised(r->keys, e->kid))
		return fulfilled ? REPLAY_HAD : REPLAY_EARLY;
	return REPLAY_SAME;
}

/* By its signature, or by its UVCI, and then with all that there ever was of
 * it. */
static bool is_revoked(const struct replay *r, const struct record *record)
{
	return revoked_count(r->revoked) > 0 &&
	       (revoked_has(r->revoked, r->entry.revocation) ||
		revoked_has(r->revoked, record->uci) ||
		revoked_has(r->revoked, record->country_uci));
}

static enum replay_word judge(const struct replay *r,
			      const struct replay_request *q,
			      const struct record *record)
{
	if (!span_eq(r->entry.client, q->client))
		return REPLAY_CONFLICT;
	if (memcmp(record->payload, q->payload, RECORD_HASH_BYTES) != 0)
		return q->renew ? REPLAY_CHANGED : REPLAY_CONFLICT;
	if (is_revoked(r, record))
		return REPLAY_REVOKED;
	if (q->renew)
		return judge_renewal(r, q);
	if (is_compromised(r->keys, r->entry.kid))
		return REPLAY_ANEW;
	return r->entry.exp <= q->now ? REPLAY_EXPIRED : REPLAY_SAME;
}

/* --- the certificate, once more ----------------------------------------- */

/* Make r->text from RECORD and Q's payload, as it was when it was signed. */
static enum sg_err assemble(struct replay *r, const struct replay_request *q,
			    const struct record *record, uint8_t *scratch)
{
	const struct entry *e = &r->entry;
	uint8_t prot[COSE_PROTECTED_MAX];
	struct assembly_parts parts = {.country = record->country,
				       .kid = e->kid,
				       .iat = e->iat,
				       .exp = e->exp,
				       .dcc = q->dcc,
				       .uvci = q->uvci};
	size_t n = 0;
	enum sg_err err =
		cose_protected(e->alg, e->kid, prot, sizeof(prot), &n);

	parts.prot = span_of(prot, n);
	if (err == SG_OK)
		err = assembly_make(&r->text, &parts, scratch);
	return err;
}

/* Not every signature is verified when it is made.  A wrong one must not be
 * what everybody gets who asks again; nor one of which nobody knows, for lack
 * of memory, what it is. */
static enum sg_err check_signature(const struct replay *r,
				   const struct replay_request *q,
				   const struct record *record, bool *wrong)
{
	const struct key *key = key_of(r->keys, r->entry.kid);
	enum sg_err err;

	*wrong = false;
	if (key == NULL || key->verifier == NULL)
		return SG_OK;
	err = cose_key_verify(key->verifier, r->entry.alg,
			      r->text.sig_structure, record->signature);
	if (err != SG_BAD_SIGNATURE && err != SG_BAD_KEY)
		return err;
	*wrong = true;
	metric_add(METRIC_VERIFY_FAILED, 1);
	log_event(LOG_ERROR, "replay-wrong-signature",
		  "offset=%llu key=\"%s\" text=\"signed anew\"",
		  (unsigned long long)q->offset, key->label);
	return SG_OK;
}

/* Write the certificate on record, which has been put together, to OUT, or find
 * that its signature is WRONG. */
static enum sg_err give(struct replay *r, const struct replay_request *q,
			const struct record *record, uint8_t *scratch,
			bool *wrong, struct wire_issued *out)
{
	const enum sg_err err = check_signature(r, q, record, wrong);

	if (err != SG_OK || *wrong)
		return err;
	return assembly_sign1(&r->text, record->signature, scratch, &out->cose);
}

/* *WORD becomes REPLAY_ANEW, or REPLAY_DUE, where the signature on record is a
 * wrong one. */
static enum sg_err rebuild(struct replay *r, const struct replay_request *q,
			   const struct record *record, uint8_t *scratch,
			   enum replay_word *word, struct wire_issued *out)
{
	const struct entry *e = &r->entry;
	enum sg_err err = assemble(r, q, record, scratch);
	bool wrong = false;

	if (err == SG_NO_MEMORY)
		return err;
	if (err != SG_OK)
		return mismatch(q, "it cannot be put together");
	*out = (struct wire_issued){.replayed = true,
				    .alg = e->alg,
				    .iat = e->iat,
				    .exp = e->exp,
				    .ledger_index = (int64_t)record->index,
				    .uvci = q->uvci};
	memcpy(out->kid, e->kid, sizeof(out->kid));
	err = entry_matches(e, record->signature, q->uvci,
			    r->text.sig_structure);
	if (err == SG_BAD_SIGNATURE)
		err = mismatch(q, "the ledger's entry has other hashes");
	else if (err == SG_OK)
		err = give(r, q, record, scratch, &wrong, out);
	if (wrong)
		*word = q->renew ? REPLAY_DUE : REPLAY_ANEW;
	assembly_clear(&r->text);
	return err;
}

enum sg_err replay_find(struct replay *r, const struct replay_request *q,
			uint8_t scratch[ASSEMBLY_SCRATCH],
			enum replay_word *word, struct wire_issued *out)
{
	struct record record;
	enum sg_err err = read_record(r, q->offset, &record);

	if (err == SG_OK)
		err = check_record(r, q, &record);
	if (err != SG_OK)
		return err;
	*word = judge(r, q, &record);
	return *word == REPLAY_SAME ? rebuild(r, q, &record, scratch, word, out)
				    : SG_OK;
}

const uint8_t *replay_attestation(const struct replay *r)
{
	return r->entry.attestation;
}

void replay_free(struct replay *r)
{
	if (r == NULL)
		return;
	journal_reader_close(r->reader);
	free(r->dir);
	free(r);
}
