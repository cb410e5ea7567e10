/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "notary_state.h"

enum { SIGN_WITHIN_US = 10 * 1000 * 1000, US_PER_MS = 1000, MS_PER_S = 1000 };

/* --- ends ------------------------------------------------------------- */

/* Logged once, not at each try. */
void notary_give_up(struct notary *n, const char *step, enum sg_err err)
{
	if (n->failed != step || n->failed_err != err)
		log_event(LOG_WARNING, "checkpoint-failed",
			  "size=%llu step=\"%s\" reason=\"%s\" text=\"tried "
			  "again\"",
			  (unsigned long long)n->size, step, err_text(err));
	n->failed = step;
	n->failed_err = err;
	if (n->state == NOTARY_WAITING)
		(void)snprintf(n->reason, sizeof(n->reason),
			       "no checkpoint of the ledger could be made yet "
			       "(%s: %s)",
			       step, err_text(err));
	n->busy = false;
	n->part.publish(n->part.ctx, span_of(NULL, 0), NULL);
}

/* --- anchor and publish ----------------------------------------------- */

static void anchor_next(struct notary *n);

/* The note is on record beside all keys. */
static void finish(struct notary *n)
{
	n->busy = false;
	n->covered = n->size;
	n->handed_over = n->nkeys > 1 ? n->size : 0;
	/* What came after the offer has waited since then, at the most. */
	n->waits_since_us = n->offered_us;
	n->state = NOTARY_OPEN;
	n->reason[0] = '\0';
	if (n->failed != NULL)
		log_event(LOG_INFO, "checkpoint-made", "size=%llu",
			  (unsigned long long)n->size);
	n->failed = NULL;
	n->part.publish(n->part.ctx, span_of(n->note, n->note_n),
			&n->key[n->nkeys - 1].note);
}

static void on_anchored(void *ctx, enum sg_err err, struct span value)
{
	struct notary *n = ctx;

	if (n->state == NOTARY_REFUSED)
		return; /* a witness was quicker */
	if (err == SG_OK && !span_eq(value, span_of(n->note, n->note_n)))
		err = SG_INTERNAL;
	if (err != SG_OK)
		notary_give_up(n, "anchor", err);
	else if (++n->at < n->nkeys)
		anchor_next(n);
	else
		finish(n);
}

static void anchor_next(struct notary *n)
{
	const enum sg_err err =
		hsm_pool_anchor(n->part.pool, n->key[n->at].key,
				span_of(n->note, n->note_n), on_anchored, n);

	if (err != SG_OK)
		notary_give_up(n, "anchor", err);
}

/* Beside the old key first: a new one's record, where there is one, is never
 * newer than the old one's. */
static void anchor(struct notary *n)
{
	n->at = 0;
	anchor_next(n);
}

/* --- the witnesses ---------------------------------------------------- */

void notary_consulted(struct notary *n)
{
	if (!n->consulting)
		return; /* one of them has had it refused */
	n->consulting = false;
	anchor(n);
}

/* Has NOTE to wait for the witnesses?  Once, and not where officers have
 * decided: then nothing they say could change that. */
static bool consult(struct notary *n)
{
	if (n->consulted || n->recovered || n->part.consult == NULL)
		return false;
	n->consulted = n->consulting = true;
	n->part.consult(n->part.ctx, span_of(n->note, n->note_n));
	return true;
}

void notary_contradicted(struct notary *n, const char *name, uint64_t size,
			 bool fork)
{
	char reason[NOTARY_REASON_MAX];

	(void)snprintf(reason, sizeof(reason),
		       fork ? "the ledger here is not the one that the witness "
			      "%s knows of with %llu entries: it is a fork"
			    : "the witness %s knows of %llu entries, which is "
			      "more than the ledger here has: it was rolled "
			      "back, or somebody else writes under its key",
		       name, (unsigned long long)size);
	if (n->recovered) {
		log_event(LOG_WARNING, "witness-overruled",
			  "reason=\"%s\" text=\"officers have signed that it "
			  "goes on; this witness is not asked any more\"",
			  reason);
	} else if (n->consulting) {
		n->consulting = false;
		notary_contest(n, NULL, "%s", reason);
	} else {
		(void)snprintf(n->reason, sizeof(n->reason), "%s", reason);
		n->state = NOTARY_REFUSED;
	}
}

/* --- signature -------------------------------------------------------- */

/* LINES: a signature line of each key. */
static enum sg_err make_lines(const struct notary *n, uint8_t *lines,
			      size_t cap, size_t *len)
{
	enum sg_err err = SG_OK;

	*len = 0;
	for (size_t i = 0; err == SG_OK && i < n->nkeys; i++) {
		size_t line = 0;

		err = note_signature_line(&n->key[i].note, 0, n->signature[i],
					  lines + *len, cap - *len, &line);
		*len += line;
	}
	return err;
}

static enum sg_err make_note(struct notary *n)
{
	uint8_t lines[KEYRING_LEDGER_MAX * NOTE_LINE_MAX];
	size_t lines_n;
	struct note parsed;
	enum sg_err err = make_lines(n, lines, sizeof(lines), &lines_n);

	if (err == SG_OK)
		err = note_join(span_of(n->text, n->text_n),
				span_of(lines, lines_n), n->note,
				sizeof(n->note), &n->note_n);
	if (err == SG_OK)
		err = note_parse(span_of(n->note, n->note_n), &parsed);
	/* A wrong one would make the log look forged to everybody. */
	for (size_t i = 0; err == SG_OK && i < n->nkeys; i++)
		err = note_verify(&parsed, &n->key[i].note, NULL);
	return err;
}

static void sign_next(struct notary *n);

static void on_signed(struct op *op, enum sg_err err, struct span signature)
{
	struct notary *n =
		(struct notary *)((char *)op - offsetof(struct notary, op));

	n->signing = false;
	if (n->state == NOTARY_REFUSED)
		return;
	if (err == SG_OK && signature.n != NOTE_SIGNATURE_BYTES)
		err = SG_BAD_SIGNATURE;
	if (err == SG_OK) {
		memcpy(n->signature[n->at++], signature.p,
		       NOTE_SIGNATURE_BYTES);
		if (n->at < n->nkeys) {
			sign_next(n);
			return;
		}
		err = make_note(n);
	}
	if (err != SG_OK)
		notary_give_up(n, "signature", err);
	else if (!consult(n))
		anchor(n);
}

static void sign_next(struct notary *n)
{
	enum sg_err err;

	n->op = (struct op){.key = n->key[n->at].key,
			    .message = span_of(n->text, n->text_n),
			    .deadline_us = clock_mono_us() + SIGN_WITHIN_US,
			    .done = on_signed};
	err = hsm_pool_submit(n->part.pool, &n->op);
	if (err != SG_OK) {
		notary_give_up(n, "signature", err);
		return;
	}
	n->signing = true;
	hsm_pool_dispatch(n->part.pool);
}

void notary_sign(struct notary *n)
{
	const struct checkpoint c = {.origin =
					     span_str(n->part.settings->origin),
				     .size = n->size,
				     .root = n->root};
	const enum sg_err err =
		checkpoint_text(&c, n->text, sizeof(n->text), &n->text_n);

	n->at = 0;
	if (err != SG_OK)
		notary_give_up(n, "signature", err);
	else
		sign_next(n);
}

/* --- use -------------------------------------------------------------- */

/* The keys that sign now.  Errors: SG_TOKEN_DOWN (one is not known yet),
 * SG_MALFORMED (an origin that cannot be), SG_NO_MEMORY. */
static enum sg_err find_keys(struct notary *n)
{
	const struct keyring *k = n->part.keys;
	size_t index[KEYRING_LEDGER_MAX];
	enum sg_err err;

	n->nkeys = keyring_ledger_keys(k, index);
	err = n->nkeys > 0 ? SG_OK : SG_TOKEN_DOWN;
	for (size_t i = 0; err == SG_OK && i < n->nkeys; i++) {
		n->key[i].key = index[i];
		err = k->key[index[i]].verifier == NULL
			      ? SG_TOKEN_DOWN
			      : note_key_make(
					span_str(n->part.settings->origin),
					NOTE_ED25519, k->key[index[i]].ed25519,
					&n->key[i].note);
	}
	return err;
}

void notary_offer(struct notary *n, uint64_t size,
		  const struct merkle_hash *root)
{
	enum sg_err err;

	assert(!n->busy);
	if (n->state == NOTARY_REFUSED)
		return;
	n->busy = true;
	n->size = size;
	n->root = *root;
	n->offered_us = clock_mono_us();
	n->at = 0;
	err = find_keys(n);
	if (err != SG_OK)
		notary_give_up(n, "finding the ledger's key", err);
	else if (n->proved)
		notary_sign(n);
	else
		notary_prove(n);
}

void notary_tick(struct notary *n, uint64_t committed, uint64_t now_us)
{
	if (committed == n->covered || n->state == NOTARY_WAITING)
		n->waits_since_us = 0;
	else if (n->waits_since_us == 0)
		n->waits_since_us = now_us;
	if (n->state == NOTARY_OPEN && n->waits_since_us != 0 &&
	    now_us - n->waits_since_us >
		    (uint64_t)n->part.settings->stale_ms * US_PER_MS) {
		n->state = NOTARY_STALE;
		(void)snprintf(n->reason, sizeof(n->reason),
			       "entries of the ledger wait for a signed "
			       "checkpoint for more than %u s%s%s%s%s%s",
			       n->part.settings->stale_ms / MS_PER_S,
			       n->failed != NULL ? " (" : "",
			       n->failed != NULL ? n->failed : "",
			       n->failed != NULL ? ": " : "",
			       n->failed != NULL ? err_text(n->failed_err) : "",
			       n->failed != NULL ? ")" : "");
		log_event(LOG_ERROR, "ledger-stale", "reason=\"%s\"",
			  n->reason);
	}
}

enum notary_state notary_look(const struct notary *n, const char **reason)
{
	if (reason != NULL)
		*reason = n->reason;
	return n->state;
}

uint64_t notary_covered(const struct notary *n)
{
	return n->covered;
}

uint64_t notary_handed_over(const struct notary *n)
{
	return n->handed_over;
}

size_t notary_keys(const struct notary *n,
		   struct note_key out[KEYRING_LEDGER_MAX])
{
	for (size_t i = 0; i < n->nkeys; i++)
		out[i] = n->key[i].note;
	return n->nkeys;
}

/* --- life ------------------------------------------------------------- */

enum sg_err notary_create(const struct notary_parts *parts, struct notary **out)
{
	struct notary *n = calloc(1, sizeof(*n));
	enum sg_err err;

	*out = NULL;
	if (n == NULL)
		return SG_NO_MEMORY;
	n->part = *parts;
	(void)snprintf(n->reason, sizeof(n->reason),
		       "the ledger has not been held against the HSM's record "
		       "yet");
	err = find_keys(n);
	if (err != SG_OK) {
		free(n);
		return err;
	}
	*out = n;
	return SG_OK;
}

void notary_free(struct notary *n)
{
	if (n == NULL)
		return;
	if (n->signing)
		hsm_pool_cancel(n->part.pool, &n->op);
	hsm_pool_anchor_cancel(n->part.pool);
	free(n);
}
