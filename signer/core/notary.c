/* SPDX-License-Identifier: Apache-2.0 */
#include "notary.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "ledger/tiles.h"
#include "recovery.h"

enum { SIGN_WITHIN_US = 10 * 1000 * 1000, US_PER_MS = 1000, MS_PER_S = 1000 };

struct notary {
	struct notary_parts part;
	struct note_key key;
	enum notary_state state;
	char reason[NOTARY_REASON_MAX];
	bool proved;	 /* the log has been held against the anchor */
	bool recovered;	 /* officers have let it go on, */
	bool told;	 /* and their statement is to be recorded */
	bool consulted;	 /* the witnesses have been asked, */
	bool consulting; /* or are being asked */
	/* Why the last checkpoint could not be made; NULL: it was. */
	const char *failed;
	enum sg_err failed_err;
	/* The offer in hand. */
	bool busy, signing;
	uint64_t size;
	struct merkle_hash root;
	struct op op;
	uint8_t text[CHECKPOINT_TEXT_MAX];
	size_t text_n;
	uint8_t note[WIRE_ANCHOR_MAX];
	size_t note_n;
	/* What is signed for, and since when something waits to be. */
	uint64_t covered;
	uint64_t offered_us, waits_since_us; /* 0: nothing waits */
};

/* --- ends ------------------------------------------------------------- */

/* The checkpoint could not be made for now.  Logged once, not at each try. */
static void give_up(struct notary *n, const char *step, enum sg_err err)
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
	n->part.publish(n->part.ctx, span_of(NULL, 0));
}

static void sign(struct notary *n);

/* STATEMENT is to be recorded: once, whoever has found it. */
static void tell(struct notary *n, struct span statement)
{
	if (!n->told)
		n->part.recovered(n->part.ctx, statement);
	n->told = true;
}

/* The log is not what somebody knows it to be; KNOWN is that state, or NULL.
 * It is refused for the reason FMT, unless officers have said otherwise. */
__attribute__((format(printf, 3, 4))) static void contest(
	struct notary *n, const struct checkpoint *known, const char *fmt, ...)
{
	struct recovery_facts facts = {.origin = n->part.settings->origin,
				       .disk_size = n->size,
				       .disk_root = n->root,
				       .known = known != NULL};
	uint8_t statement[RECOVERY_NOTE_MAX];
	size_t len = 0;
	enum sg_err err;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(n->reason, sizeof(n->reason), fmt, args);
	va_end(args);
	if (known != NULL) {
		facts.known_size = known->size;
		facts.known_root = known->root;
	}
	err = recovery_find(n->part.state_dir, &facts, n->part.settings,
			    statement, sizeof(statement), &len);
	if (err == SG_OK) {
		log_event(LOG_WARNING, "ledger-recovered",
			  "reason=\"%s\" text=\"officers have signed that it "
			  "goes on\"",
			  n->reason);
		n->proved = n->recovered = true;
		tell(n, span_of(statement, len));
		sign(n);
		return;
	}
	if (err != SG_NOT_FOUND)
		log_event(LOG_ERROR, "recovery-refused", "reason=\"%s\"",
			  err == SG_MALFORMED
				  ? "it is no signed statement, or about "
				    "another state"
			  : err == SG_BAD_SIGNATURE
				  ? "too few officers have signed it"
				  : err_text(err));
	if (recovery_ask(n->part.state_dir, &facts) != SG_OK)
		log_event(LOG_WARNING, "recovery-request-unwritten",
			  "reason=\"the state directory cannot be written\"");
	n->state = NOTARY_REFUSED;
	n->busy = false;
}

/* --- anchor and publish ----------------------------------------------- */

static void on_anchored(void *ctx, enum sg_err err, struct span value)
{
	struct notary *n = ctx;

	if (n->state == NOTARY_REFUSED)
		return; /* a witness was quicker */
	if (err == SG_OK && !span_eq(value, span_of(n->note, n->note_n)))
		err = SG_INTERNAL;
	if (err != SG_OK) {
		give_up(n, "anchor", err);
		return;
	}
	n->busy = false;
	n->covered = n->size;
	/* What came after the offer has waited since then, at the most. */
	n->waits_since_us = n->offered_us;
	n->state = NOTARY_OPEN;
	n->reason[0] = '\0';
	if (n->failed != NULL)
		log_event(LOG_INFO, "checkpoint-made", "size=%llu",
			  (unsigned long long)n->size);
	n->failed = NULL;
	n->part.publish(n->part.ctx, span_of(n->note, n->note_n));
}

static void anchor(struct notary *n)
{
	const enum sg_err err =
		hsm_pool_anchor(n->part.pool, n->part.key,
				span_of(n->note, n->note_n), on_anchored, n);

	if (err != SG_OK)
		give_up(n, "anchor", err);
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
		contest(n, NULL, "%s", reason);
	} else {
		(void)snprintf(n->reason, sizeof(n->reason), "%s", reason);
		n->state = NOTARY_REFUSED;
	}
}

/* --- signature -------------------------------------------------------- */

static enum sg_err make_note(struct notary *n, struct span signature)
{
	uint8_t line[NOTE_LINE_MAX];
	size_t line_n = 0;
	struct note parsed;
	enum sg_err err;

	if (signature.n != NOTE_SIGNATURE_BYTES)
		return SG_BAD_SIGNATURE;
	err = note_signature_line(&n->key, 0, signature.p, line, sizeof(line),
				  &line_n);
	if (err == SG_OK)
		err = note_join(span_of(n->text, n->text_n),
				span_of(line, line_n), n->note, sizeof(n->note),
				&n->note_n);
	if (err == SG_OK)
		err = note_parse(span_of(n->note, n->note_n), &parsed);
	/* A wrong one would make the log look forged to everybody. */
	if (err == SG_OK)
		err = note_verify(&parsed, &n->key, NULL);
	return err;
}

static void on_signed(struct op *op, enum sg_err err, struct span signature)
{
	struct notary *n =
		(struct notary *)((char *)op - offsetof(struct notary, op));

	n->signing = false;
	if (n->state == NOTARY_REFUSED)
		return;
	if (err == SG_OK)
		err = make_note(n, signature);
	if (err != SG_OK) {
		give_up(n, "signature", err);
		return;
	}
	if (!consult(n))
		anchor(n);
}

static void sign(struct notary *n)
{
	const struct checkpoint c = {.origin =
					     span_str(n->part.settings->origin),
				     .size = n->size,
				     .root = n->root};
	enum sg_err err =
		checkpoint_text(&c, n->text, sizeof(n->text), &n->text_n);

	n->op = (struct op){.key = n->part.key,
			    .message = span_of(n->text, n->text_n),
			    .deadline_us = clock_mono_us() + SIGN_WITHIN_US,
			    .done = on_signed};
	if (err == SG_OK)
		err = hsm_pool_submit(n->part.pool, &n->op);
	if (err != SG_OK) {
		give_up(n, "signature", err);
		return;
	}
	n->signing = true;
	hsm_pool_dispatch(n->part.pool);
}

/* --- the anchor against the disk -------------------------------------- */

/* The root of the first SIZE leaves on the disk, as the tree in hand has them:
 * the files alone prove nothing. */
static enum sg_err root_at(const struct notary *n, struct merkle *m,
			   const struct merkle_source *source, uint64_t size,
			   struct merkle_hash *root)
{
	struct merkle_proof proof;
	enum sg_err err = merkle_root_of(m, source, size, root);

	if (err == SG_OK)
		err = merkle_prove_consistency(m, source, size, n->size,
					       &proof);
	if (err == SG_OK)
		err = merkle_check_consistency(m, &proof, size, root, n->size,
					       &n->root);
	return err == SG_BAD_SIGNATURE ? SG_MALFORMED : err;
}

static enum sg_err read_root(const struct notary *n, uint64_t size,
			     struct merkle_hash *root)
{
	struct merkle *m = NULL;
	struct tiles *tiles = NULL;
	struct merkle_source source;
	enum sg_err err = merkle_create(&m);

	if (err == SG_OK)
		err = tiles_open(n->part.ledger_dir, false, &tiles);
	if (err == SG_OK) {
		source = tiles_source(tiles, m, n->size);
		err = root_at(n, m, &source, size, root);
	}
	tiles_close(tiles);
	merkle_free(m);
	return err;
}

/* Is the log what the checkpoint KNOWN, by WHO, says that it was?  False: it is
 * refused, or that cannot be said now. */
static bool hold_against(struct notary *n, const struct checkpoint *known,
			 const char *who)
{
	struct merkle_hash root;
	enum sg_err err;

	if (known->size > n->size) {
		contest(n, known,
			"the ledger on disk has %llu entries and %s knows of "
			"%llu: it was rolled back, or its end is gone",
			(unsigned long long)n->size, who,
			(unsigned long long)known->size);
		return false;
	}
	err = read_root(n, known->size, &root);
	if (err != SG_OK) {
		give_up(n,
			"comparison with the HSM's record, by the files in "
			"ledger/tile",
			err);
		return false;
	}
	if (memcmp(&root, &known->root, sizeof(root)) == 0)
		return true;
	contest(n, known,
		"the first %llu entries of the ledger on disk are not those "
		"that %s knows of: it is a fork",
		(unsigned long long)known->size, who);
	return false;
}

static void on_anchor_read(void *ctx, enum sg_err err, struct span value)
{
	struct notary *n = ctx;
	struct checkpoint known;
	uint8_t statement[RECOVERY_NOTE_MAX];
	size_t len = 0;

	if (err != SG_OK) {
		give_up(n, "reading the anchor", err);
		return;
	}
	if (value.n == 0 && n->size > 0) {
		contest(n, NULL,
			"the ledger on disk has %llu entries and the HSM knows "
			"of no such ledger: another token, or its data object "
			"was removed",
			(unsigned long long)n->size);
		return;
	}
	if (value.n > 0) {
		if (checkpoint_open(value, &n->key, &known, NULL) != SG_OK) {
			contest(n, NULL,
				"what the HSM has on record is no checkpoint "
				"of this ledger");
			return;
		}
		if (!hold_against(n, &known, "the HSM"))
			return;
		if (recovery_find_used(n->part.state_dir, &known,
				       n->part.settings, statement,
				       sizeof(statement), &len) == SG_OK)
			tell(n, span_of(statement, len));
	}
	n->proved = true;
	sign(n);
}

/* --- use -------------------------------------------------------------- */

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
	if (n->proved) {
		sign(n);
		return;
	}
	err = hsm_pool_anchor(n->part.pool, n->part.key, span_of(NULL, 0),
			      on_anchor_read, n);
	if (err != SG_OK)
		give_up(n, "reading the anchor", err);
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

const struct note_key *notary_key(const struct notary *n)
{
	return &n->key;
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
	err = note_key_make(span_str(parts->settings->origin), NOTE_ED25519,
			    parts->keys->key[parts->key].ed25519, &n->key);
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
