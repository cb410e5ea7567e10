/* SPDX-License-Identifier: Apache-2.0 */
/* What was accepted, held against the ledger: files can be taken away, entries
 * cannot. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "ceremony_state.h"
#include "decisions.h"

enum { MS_PER_S = 1000 };

/* What is known of an operation in the store. */
struct stored {
	uint8_t hash[STORE_HASH_BYTES], done[STORE_HASH_BYTES];
};

/* The walk through the ledger. */
struct walk {
	unsigned last; /* operations in the store, */
	struct stored *stored;
	unsigned found; /* and of these in the ledger, in their order */
	size_t nevents;
	struct store_event *event; /* STORE_EVENTS_MAX */
};

static bool hash_of(struct span in, uint8_t out[STORE_HASH_BYTES])
{
	return EVP_Digest(in.p, in.n, out, NULL, EVP_sha256(), NULL) == 1;
}

/* --- operations ----------------------------------------------------------- */

static enum sg_err read_store(struct ceremony *c, struct walk *w)
{
	struct store_item item;
	enum sg_err err = SG_OK;

	w->last = ceremony_store_last(c->store);
	w->stored = calloc((size_t)w->last + 1, sizeof(*w->stored));
	w->event = calloc(STORE_EVENTS_MAX, sizeof(*w->event));
	if (w->stored == NULL || w->event == NULL)
		return SG_NO_MEMORY;
	for (unsigned i = 0; err == SG_OK && i < w->last; i++) {
		err = ceremony_store_read(c->store, i + 1, &item);
		if (err != SG_OK)
			break;
		if (!hash_of(item.approved, w->stored[i].hash))
			err = SG_INTERNAL;
		memcpy(w->stored[i].done, item.done, sizeof(item.done));
	}
	return err;
}

/* Entry E at LEAF has operation NUMBER, which is not there as it was. */
static enum sg_err missing(const struct entry *e, uint64_t leaf,
			   unsigned number)
{
	struct ceremony_refusal r;
	struct ceremony_job *j;
	const bool known =
		ceremony_job_make(e->operation, NULL, &j, &r) == SG_OK;
	const struct span key =
		known && j->op.key.n > 0 ? j->op.key : SPAN_LIT("");

	log_event(LOG_ERROR, "operation-missing",
		  "number=%u op=%s key=\"%.*s\" leaf=%llu text=\"the ledger "
		  "has it as accepted, and STATE/operations has not, or "
		  "another: nothing is signed; put back %08u.cose and "
		  "%08u.done, and what came after them, from a backup: the "
		  "ledger has their hashes, and no others will do\"",
		  number, known ? operation_kind_name(j->op.kind) : "unknown",
		  (int)key.n, (const char *)key.p, (unsigned long long)leaf,
		  number, number);
	if (known)
		free(j);
	return SG_MALFORMED;
}

/* E is the next one of the store, or one before that, for some are recorded
 * twice. */
static enum sg_err match(struct walk *w, const struct entry *e, uint64_t leaf)
{
	uint8_t hash[STORE_HASH_BYTES];
	unsigned i = w->found;

	if (!hash_of(e->operation, hash))
		return SG_INTERNAL;
	if (i == w->last || memcmp(hash, w->stored[i].hash, sizeof(hash)) != 0)
		for (i = 0; i < w->found; i++)
			if (memcmp(hash, w->stored[i].hash, sizeof(hash)) == 0)
				break;
	if (i == w->last || memcmp(hash, w->stored[i].hash, sizeof(hash)) != 0)
		return missing(e, leaf, w->found + 1);
	if (memcmp(e->outcome, w->stored[i].done, sizeof(hash)) != 0) {
		ceremony_store_damaged(i + 1, "what came of it is not what is "
					      "on record");
		return SG_MALFORMED;
	}
	if (i == w->found)
		w->found++;
	return SG_OK;
}

/* --- events --------------------------------------------------------------- */

static bool same_event(const struct store_event *a, const struct store_event *b)
{
	return a->state == b->state && strcmp(a->label, b->label) == 0;
}

static void add_event(struct walk *w, const struct entry *e)
{
	struct store_event *v = &w->event[w->nevents];
	unsigned state = 0;

	if (w->nevents == STORE_EVENTS_MAX || e->label.n >= sizeof(v->label))
		return;
	while (state < KEY_STATE_COUNT &&
	       !span_is(e->state, key_state_text((enum key_state)state)))
		state++;
	if (state == KEY_STATE_COUNT)
		return;
	*v = (struct store_event){.time = e->time_ms / MS_PER_S,
				  .after = w->found,
				  .state = (enum key_state)state};
	memcpy(v->label, e->label.p, e->label.n);
	for (size_t i = 0; i < w->nevents; i++)
		if (same_event(&w->event[i], v))
			return; /* some are recorded twice */
	w->nevents++;
}

/* Are the store's events those of the ledger?  Until all of that has been read
 * the store may have more. */
static bool agree(const struct walk *w, const struct store_event *e, size_t n,
		  bool whole)
{
	if (n < w->nevents || (whole && n > w->nevents))
		return false;
	for (size_t i = 0; i < w->nevents; i++)
		if (!same_event(&w->event[i], &e[i]) ||
		    w->event[i].after != e[i].after)
			return false;
	return true;
}

static enum sg_err settle_events(struct ceremony *c, const struct walk *w,
				 bool whole)
{
	size_t n;
	const struct store_event *e = ceremony_store_events(c->store, &n);

	if (agree(w, e, n, whole))
		return SG_OK;
	log_event(LOG_WARNING, "events-restored",
		  "had=%zu ledger=%zu text=\"the changes by time in "
		  "STATE/operations/events were not those on record\"",
		  n, w->nevents);
	ceremony_store_set_events(c->store, w->event, w->nevents);
	return SG_CONFLICT;
}

/* --- the whole ------------------------------------------------------------ */

static enum sg_err walk(struct ceremony *c, struct walk *w)
{
	char journal_dir[CORE_PATH_MAX + 16];
	struct decisions *d = NULL;
	const struct entry *e;
	uint64_t leaf;
	enum sg_err err;

	(void)snprintf(journal_dir, sizeof(journal_dir), "%s/journal",
		       c->state_dir);
	err = decisions_open(c->part.index, journal_dir, &d);
	while (err == SG_OK) {
		err = decisions_next(d, &e, &leaf);
		if (err == SG_OK && e->type == ENTRY_CEREMONY)
			err = match(w, e, leaf);
		else if (err == SG_OK)
			add_event(w, e);
	}
	decisions_close(d);
	return err == SG_NOT_FOUND ? SG_OK : err;
}

enum sg_err ceremony_hold_against(struct ceremony *c, bool whole)
{
	struct walk w = {.last = 0};
	enum sg_err err;

	if (c->part.index == NULL)
		return SG_OK;
	err = read_store(c, &w);
	if (err == SG_OK)
		err = walk(c, &w);
	if (err == SG_OK)
		err = settle_events(c, &w, whole);
	free(w.stored);
	free(w.event);
	return err;
}

/* --- policies ------------------------------------------------------------- */

/* Has the policy of HASH been in force, by the ledger? */
static bool was_in_force(const struct ceremony *c, const uint8_t *hash)
{
	uint8_t key[INDEX_HASH_BYTES];
	uint64_t offset;

	if (c->part.index == NULL)
		return false;
	index_policy(hash, key);
	/* Where the index cannot be read, the newest one alone will do. */
	return index_get(c->part.index, key, &offset) != SG_NOT_FOUND;
}

size_t ceremony_policies(const struct ceremony *c,
			 const uint8_t *out[CEREMONY_POLICIES_MAX])
{
	size_t n = 0;

	if (!c->life.has_policy)
		return 0;
	out[n++] = c->life.policy;
	/* What has been in force is not undone by its file being gone. */
	while (n <= c->nformer_policies && !was_in_force(c, out[n - 1])) {
		out[n] = c->former_policy[n - 1];
		n++;
	}
	return n;
}

bool ceremony_has_policy(const struct ceremony *c, const uint8_t *hash)
{
	const uint8_t *policy[CEREMONY_POLICIES_MAX];
	const size_t n = ceremony_policies(c, policy);

	for (size_t i = 0; i < n; i++)
		if (memcmp(hash, policy[i], OPERATION_HASH_BYTES) == 0)
			return true;
	return false;
}

enum sg_err ceremony_hold(struct ceremony *c)
{
	const enum sg_err err =
		c->held ? SG_OK : ceremony_hold_against(c, true);

	if (err != SG_OK || c->held)
		return err;
	c->held = true;
	/* The start may have known less. */
	if (c->life.roll.policy_approval && c->life.has_policy &&
	    !ceremony_has_policy(c, c->policy))
		c->lawful = false;
	return SG_OK;
}

bool ceremony_is_held(const struct ceremony *c)
{
	return c->held;
}
