/* SPDX-License-Identifier: Apache-2.0 */
#include "books_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "fds.h"
#include "history.h"
#include "recovery.h"

void books_path(char out[BOOKS_PATH_MAX], const struct core_settings *settings,
		const char *name)
{
	(void)snprintf(out, BOOKS_PATH_MAX, "%s/%s", settings->state, name);
}

/* --- the index -------------------------------------------------------- */

/* Open the index; one that is damaged, or that knows more than the journal, is
 * thrown away: the scribe makes it again. */
static enum sg_err open_index(struct books *b)
{
	uint64_t leaf;
	uint64_t end;
	enum sg_err err = index_open(b->index_dir, &b->index);

	journal_end(release_journal(b->part.release), &leaf, &end);
	if (err == SG_OK && index_watermark(b->index) <= end)
		return SG_OK;
	log_event(LOG_WARNING, "index-discarded",
		  "reason=\"%s\" text=\"it is made again from the journal\"",
		  err != SG_OK ? "it cannot be opened"
			       : "it holds more than the journal");
	index_close(b->index);
	b->index = NULL;
	err = index_destroy(b->index_dir);
	return err == SG_OK ? index_open(b->index_dir, &b->index) : err;
}

/* --- events ----------------------------------------------------------- */

static void on_changed(void *ctx)
{
	struct books *b = ctx;

	b->part.changed(b->part.ctx);
}

static void on_offer(void *ctx, uint64_t size, const struct merkle_hash *root)
{
	struct books *b = ctx;

	notary_offer(b->notary, size, root);
	b->part.changed(b->part.ctx);
}

static void on_indexed(void *ctx, uint64_t watermark)
{
	struct books *b = ctx;

	claims_indexed(b->claims, watermark);
}

static void on_publish(void *ctx, struct span note,
		       const struct note_key *newest)
{
	struct books *b = ctx;

	scribe_publish(b->scribe, note, newest);
	if (b->witnesses != NULL && note.n > 0)
		witnesses_published(b->witnesses, note);
	b->part.changed(b->part.ctx);
}

static void on_recovered(void *ctx, struct span statement)
{
	struct books *b = ctx;

	b->part.recovered(b->part.ctx, statement);
}

/* --- the witnesses ---------------------------------------------------- */

static void on_consult(void *ctx, struct span note)
{
	struct books *b = ctx;

	witnesses_consult(b->witnesses, note);
}

static void on_consulted(void *ctx)
{
	struct books *b = ctx;

	if (b->notary != NULL)
		notary_consulted(b->notary);
}

static void on_contradicted(void *ctx, const char *name, uint64_t size,
			    bool fork)
{
	struct books *b = ctx;

	if (b->notary != NULL)
		notary_contradicted(b->notary, name, size, fork);
	b->part.changed(b->part.ctx);
}

static void on_cosigned(void *ctx, uint64_t size, struct span note)
{
	struct books *b = ctx;

	if (b->scribe != NULL)
		scribe_cosigned(b->scribe, size, note);
}

static void on_keep(void *ctx, struct span note)
{
	struct books *b = ctx;

	if (b->scribe != NULL)
		scribe_keep(b->scribe, note);
}

static void on_witness_bad(void *ctx)
{
	struct books *b = ctx;

	b->part.witness_bad(b->part.ctx);
}

static enum sg_err create_witnesses(struct books *b)
{
	static const struct witnesses_events events = {
		.consulted = on_consulted,
		.contradicted = on_contradicted,
		.cosigned = on_cosigned,
		.keep = on_keep,
		.bad = on_witness_bad};
	const struct witnesses_parts parts = {.loop = b->part.loop,
					      .settings = &b->ledger,
					      .ledger_dir = b->ledger_dir,
					      .events = &events,
					      .ctx = b};

	if (b->ledger.nwitnesses == 0)
		return SG_OK;
	return witnesses_create(&parts, &b->witnesses);
}

enum sg_err books_link_witness(struct books *b, int fd)
{
	if (b->witnesses != NULL)
		return witnesses_link(b->witnesses, fd);
	fds_close(&fd, 1);
	return SG_NOT_FOUND;
}

bool books_witnessed(struct books *b, const char **reason)
{
	const size_t n =
		b->witnesses == NULL
			? 0
			: witnesses_current(b->witnesses, clock_mono_us());
	const bool enough = n >= b->ledger.quorum;

	b->unwitnessed[0] = '\0';
	if (!enough)
		(void)snprintf(b->unwitnessed, sizeof(b->unwitnessed),
			       "%zu of %zu witnesses have cosigned lately, and "
			       "%u must have",
			       n, b->ledger.nwitnesses, b->ledger.quorum);
	*reason = b->unwitnessed;
	return enough;
}

/* --- the quotas ------------------------------------------------------- */

/* Count what is on record of the day, if nobody does. */
static void count_records(struct books *b)
{
	const struct recount_parts parts = {
		.loop = b->part.loop,
		.journal = release_journal(b->part.release),
		.journal_dir = b->journal_dir,
		.state = b->state_dir,
		.quota = b->quota,
		.done = on_changed,
		.ctx = b};

	if (quota_counted(b->quota) || b->recount != NULL)
		return;
	if (recount_start(&parts, clock_wall_s(), &b->recount) != SG_OK)
		log_event(LOG_ERROR, "quota-uncounted", "reason=\"no thread\"");
}

void books_reload(struct books *b, const struct policy *p)
{
	if (!quota_counted(b->quota)) { /* by another policy's days */
		recount_free(b->recount);
		b->recount = NULL;
	}
	quota_set_policy(b->quota, p, clock_wall_s());
	count_records(b);
	revocations_look(b->revocations);
}

struct quota *books_quota(const struct books *b)
{
	return b->quota;
}

/* --- life ------------------------------------------------------------- */

/* The ledger's keys are known: begin. */
static enum sg_err begin(struct books *b)
{
	static const struct scribe_events events = {.changed = on_changed,
						    .offer = on_offer,
						    .indexed = on_indexed};
	const struct notary_parts notary = {
		.keys = b->part.keys,
		.pool = b->part.pool,
		.settings = &b->ledger,
		.state_dir = b->state_dir,
		.ledger_dir = b->ledger_dir,
		.publish = on_publish,
		.consult = b->witnesses != NULL ? on_consult : NULL,
		.recovered = on_recovered,
		.ctx = b};
	struct scribe_parts scribe = {.loop = b->part.loop,
				      .journal =
					      release_journal(b->part.release),
				      .journal_dir = b->journal_dir,
				      .ledger_dir = b->ledger_dir,
				      .index = b->index,
				      .checkpoint_ms = b->ledger.checkpoint_ms,
				      .events = &events,
				      .ctx = b};
	struct note_key keys[KEYRING_LEDGER_MAX];
	enum sg_err err = notary_create(&notary, &b->notary);

	if (err != SG_OK)
		return err;
	scribe.nkeys = notary_keys(b->notary, keys);
	scribe.key = keys;
	return scribe_create(&scribe, &b->scribe);
}

/* Does the keyring know all that sign the ledger? */
static bool has_keys(const struct books *b)
{
	size_t key[KEYRING_LEDGER_MAX];
	const size_t n = keyring_ledger_keys(b->part.keys, key);

	for (size_t i = 0; i < n; i++) {
		if (b->part.keys->key[key[i]].verifier == NULL)
			return false;
	}
	return n > 0;
}

uint64_t books_handed_over(const struct books *b)
{
	struct scribe_state s;
	uint64_t size;

	if (b->scribe == NULL || b->notary == NULL)
		return 0;
	scribe_look(b->scribe, &s);
	size = notary_handed_over(b->notary);
	return s.published >= size ? size : 0;
}

void books_tick(struct books *b)
{
	enum sg_err err;

	count_records(b);
	history_keep(b->state_dir, b->quota, clock_wall_s(), &b->kept_s);
	if (b->scribe == NULL && !b->failed && has_keys(b)) {
		err = begin(b);
		b->failed = err != SG_OK;
		if (b->failed)
			log_event(LOG_ERROR, "ledger-failed", "reason=\"%s\"",
				  err_text(err));
		b->part.changed(b->part.ctx);
	}
	revocations_tick(b->revocations);
	if (b->scribe == NULL)
		return;
	notary_tick(b->notary, books_committed_leaves(b), clock_mono_us());
	if (b->witnesses != NULL)
		witnesses_tick(b->witnesses, clock_mono_us());
}

void books_recorded(const struct books *b)
{
	recovery_used(b->state_dir);
}

void books_committed(struct books *b)
{
	if (b->scribe != NULL)
		scribe_wake(b->scribe);
}

struct proofs *books_proofs(const struct books *b)
{
	return b->proofs;
}

uint64_t books_leaves(void *books)
{
	return books_committed_leaves(books);
}

struct index *books_index(const struct books *b)
{
	return b->index;
}

const char *books_journal_dir(const struct books *b)
{
	return b->journal_dir;
}

struct claims *books_claims(const struct books *b)
{
	return b->claims;
}

const struct revoked *books_revoked(const struct books *b)
{
	return revocations_set(b->revocations);
}

static enum sg_err create_revocations(struct books *b)
{
	const struct revocations_parts parts = {.state_dir = b->state_dir,
						.settings = &b->ledger,
						.diary = b->part.diary};

	return revocations_create(&parts, &b->revocations);
}

enum sg_err books_create(const struct books_parts *parts, struct books **out)
{
	struct books *b = calloc(1, sizeof(*b));
	enum sg_err err;

	*out = NULL;
	if (b == NULL)
		return SG_NO_MEMORY;
	b->part = *parts;
	b->ledger = parts->settings->ledger;
	memcpy(b->state_dir, parts->settings->state, sizeof(b->state_dir));
	b->part.settings = NULL; /* not kept */
	b->part.policy = NULL;
	books_path(b->journal_dir, parts->settings, "journal");
	books_path(b->ledger_dir, parts->settings, "ledger");
	books_path(b->index_dir, parts->settings, "index");
	err = open_index(b);
	if (err == SG_OK)
		err = claims_create(b->index, &b->claims);
	if (err == SG_OK)
		err = create_witnesses(b);
	if (err == SG_OK)
		err = proofs_create(b->ledger_dir, &b->proofs);
	if (err == SG_OK)
		err = create_revocations(b);
	if (err == SG_OK)
		err = quota_create(parts->policy, &b->quota);
	if (err != SG_OK) {
		books_free(b);
		return err;
	}
	quota_set_counted(b->quota, false);
	count_records(b);
	*out = b;
	return SG_OK;
}

void books_stop(struct books *b)
{
	if (b == NULL)
		return;
	b->kept_s = 0;
	if (b->quota != NULL) /* else they were never complete */
		history_keep(b->state_dir, b->quota, clock_wall_s(),
			     &b->kept_s);
	scribe_free(b->scribe);
	notary_free(b->notary);
	b->scribe = NULL;
	b->notary = NULL;
}

void books_free(struct books *b)
{
	if (b == NULL)
		return;
	books_stop(b);
	recount_free(b->recount);
	quota_free(b->quota);
	witnesses_free(b->witnesses);
	revocations_free(b->revocations);
	proofs_free(b->proofs);
	claims_free(b->claims);
	index_close(b->index);
	free(b);
}
