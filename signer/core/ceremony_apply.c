/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from an operation, and from a time that has come: states, files,
 * entries of the ledger, keys that sign or do not. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/throttle.h"
#include "ceremony_state.h"
#include "ledger/entry.h"

enum {
	ENTRY_ROOM = 1024, /* of an entry beside the operation in it */
	HELD_EVERY_US = 60 * 1000 * 1000
};

/* --- the record ----------------------------------------------------------- */

static void unrecorded(enum sg_err err, const char *what)
{
	log_event(LOG_ERROR, "ceremony-unrecorded", "what=%s reason=\"%s\"",
		  what, err_text(err));
}

static void on_operation_recorded(void *ctx, uint64_t tag, uint64_t index)
{
	ceremony_recorded(ctx, (unsigned)tag, index);
}

/* Put APPROVED on record: with NUMBER and the hash of what came of it, or
 * (DONE is NULL) refused for WHY. */
static void record_operation(struct ceremony *c, struct span approved,
			     unsigned number, const uint8_t *done,
			     const char *why)
{
	const size_t cap = approved.n + ENTRY_ROOM;
	uint8_t *entry = malloc(cap);
	size_t n = 0;
	enum sg_err err = SG_NO_MEMORY;

	if (entry != NULL)
		err = entry_encode_ceremony(
			clock_wall_ms(),
			&(struct entry_ceremony){.operation = approved,
						 .refusal = span_str(why),
						 .outcome = done},
			entry, cap, &n);
	if (err == SG_OK)
		err = diary_note(c->part.diary, span_of(entry, n),
				 number != 0 ? on_operation_recorded : NULL, c,
				 number);
	free(entry);
	if (err != SG_OK)
		unrecorded(err, "operation");
}

void ceremony_record_refusal(struct ceremony *c, struct span approved,
			     const struct ceremony_refusal *r)
{
	record_operation(c, approved, 0, NULL, r->why);
}

void ceremony_log_refusal(const struct operation *o,
			  const struct ceremony_refusal *r)
{
	static struct throttle throttle;
	const struct span none = SPAN_LIT("");
	const struct span key = o != NULL && o->key.n > 0 ? o->key : none;
	const struct span by = o != NULL ? o->proposer : none;
	uint64_t dropped;

	metric_add(METRIC_OPERATIONS_REFUSED, 1);
	if (throttle_allows(&throttle, clock_wall_s(), &dropped))
		log_event(LOG_WARNING, "operation-refused",
			  "op=%s key=\"%.*s\" proposer=\"%.*s\" reason=" LOG_Q
			  " unlogged=%llu",
			  o != NULL ? operation_kind_name(o->kind) : "none",
			  (int)key.n, (const char *)key.p, (int)by.n,
			  (const char *)by.p, r->why,
			  (unsigned long long)dropped);
}

static void on_event_recorded(void *ctx, uint64_t tag, uint64_t index)
{
	struct ceremony *c = ctx;

	(void)index;
	c->event[tag].used = false;
	ceremony_store_add_event(c->store, &c->event[tag].event);
}

/* A place for an event on its way to the disk.  Without one it is recorded all
 * the same, and once more after a start. */
static bool keep_event(struct ceremony *c, const struct life *l, int64_t now,
		       uint64_t *tag)
{
	for (size_t i = 0; i < CEREMONY_EVENTS_MAX; i++) {
		if (c->event[i].used)
			continue;
		c->event[i].used = true;
		c->event[i].event = (struct store_event){
			.time = now, .after = c->folded, .state = l->state};
		memcpy(c->event[i].event.label, l->label, sizeof(l->label));
		*tag = i;
		return true;
	}
	return false;
}

/* Key L has come into its state, by the operation of HASH, or (NULL) by its
 * time. */
static void record_event(struct ceremony *c, const struct life *l,
			 const uint8_t *hash, int64_t now)
{
	struct entry_key_event e = {.label = span_str(l->label),
				    .state = span_str(key_state_text(l->state)),
				    .operation = hash};
	uint8_t entry[ENTRY_ROOM];
	struct dsc dsc;
	uint64_t tag = 0;
	bool noted;
	size_t n = 0;
	size_t k;
	enum sg_err err;

	if (l->certificate_n > 0 &&
	    dsc_read(span_of(l->certificate, l->certificate_n), &dsc) == SG_OK)
		e.kid = dsc.kid;
	else if (keyring_find(c->part.keys, e.label, &k) &&
		 c->part.keys->key[k].has_dsc)
		e.kid = c->part.keys->key[k].dsc.kid;
	/* By an operation: that is read again after a start. */
	noted = hash == NULL && keep_event(c, l, now, &tag);
	err = entry_encode_key_event(clock_wall_ms(), &e, entry, sizeof(entry),
				     &n);
	if (err == SG_OK)
		err = diary_note(c->part.diary, span_of(entry, n),
				 noted ? on_event_recorded : NULL, c, tag);
	if (err != SG_OK) {
		unrecorded(err, "event");
		if (noted)
			c->event[tag].used = false;
	}
	log_event(LOG_INFO, "key-state", "key=\"%s\" state=%s by=%s", l->label,
		  key_state_text(l->state),
		  hash != NULL ? "officers" : "schedule");
}

/* --- an operation --------------------------------------------------------- */

static enum sg_err keep_nonce(struct ceremony *c, const uint8_t *nonce)
{
	if (c->nnonces == c->nonces_room) {
		const size_t room =
			c->nonces_room > 0 ? 2 * c->nonces_room : 64;
		void *more = realloc(c->nonce, room * sizeof(c->nonce[0]));

		if (more == NULL)
			return SG_NO_MEMORY;
		c->nonce = more;
		c->nonces_room = room;
	}
	memcpy(c->nonce[c->nnonces++], nonce, OPERATION_NONCE_BYTES);
	return SG_OK;
}

/* Officers who want to approve policies take over the one that they find. */
static bool takes_policy(const struct ceremony *c, const struct operation *o)
{
	return (o->kind == OPERATION_GENESIS ||
		o->kind == OPERATION_OFFICERS) &&
	       o->roll.policy_approval && !c->life.has_policy;
}

static void fold_policy(struct ceremony *c, const struct operation *o,
			const uint8_t *found)
{
	if (o->kind == OPERATION_POLICY && c->life.has_policy &&
	    memcmp(c->life.policy, o->policy, sizeof(c->life.policy)) != 0) {
		memmove(c->former_policy[1], c->former_policy[0],
			sizeof(c->former_policy) - sizeof(c->former_policy[0]));
		memcpy(c->former_policy[0], c->life.policy,
		       sizeof(c->former_policy[0]));
		if (c->nformer_policies < CEREMONY_POLICIES_MAX - 1)
			c->nformer_policies++;
	}
	if (found == NULL || !takes_policy(c, o))
		return;
	c->life.has_policy = true;
	memcpy(c->life.policy, found, sizeof(c->life.policy));
}

enum sg_err ceremony_fold(struct ceremony *c, const struct ceremony_job *j,
			  const struct store_item *item, unsigned number,
			  bool records)
{
	const struct outcome *outcome = &item->outcome;
	enum key_state before[LIFE_KEYS_MAX];
	const size_t n = c->life.n;
	enum sg_err err = keep_nonce(c, j->op.nonce);

	if (err != SG_OK)
		return err;
	for (size_t i = 0; i < n; i++)
		before[i] = c->life.key[i].state;
	fold_policy(c, &j->op, item->policy);
	if (j->op.kind == OPERATION_LOG_KEY)
		c->log_key = number;
	err = lifecycle_apply(&c->life, &j->op, outcome);
	if (err != SG_OK) {
		c->nnonces--;
		return err;
	}
	c->folded = number;
	if (!records)
		return SG_OK;
	record_operation(c, span_of(j->bytes, j->n), number, item->done, "");
	for (size_t i = 0; i < c->life.n; i++) {
		const struct life *l = &c->life.key[i];

		if (i >= n || l->state != before[i])
			record_event(c, l, j->hash, outcome->time);
	}
	return SG_OK;
}

enum sg_err ceremony_accept(struct ceremony *c, const struct ceremony_job *j,
			    const struct outcome *outcome, unsigned *number)
{
	struct store_item item = {.approved = span_of(j->bytes, j->n),
				  .outcome = *outcome};
	uint8_t hash[LIFE_KEYS_MAX][STORE_HASH_BYTES];
	struct ceremony_refusal r;
	enum sg_err err;

	if (j->op.kind == OPERATION_GENESIS &&
	    !ceremony_adopted(c, &item, hash, &r))
		return r.err;
	if (takes_policy(c, &j->op) && c->lawful)
		item.policy = c->policy;
	err = ceremony_store_add(c->store, &item);
	if (err != SG_OK)
		return err;
	*number = ceremony_store_last(c->store);
	err = ceremony_fold(c, j, &item, *number, true);
	if (err != SG_OK) {
		ceremony_store_drop(c->store);
		return err;
	}
	if (j->op.kind == OPERATION_GENESIS)
		ceremony_pin(c, &item);
	ceremony_due(c, outcome->time, false);
	ceremony_project(c);
	c->part.changed(c->part.ctx);
	return SG_OK;
}

/* --- times ---------------------------------------------------------------- */

static bool is_ready(const struct ceremony *c, const struct life *l,
		     int64_t now)
{
	const struct keyring *keys = c->part.keys;
	size_t k;

	return ceremony_find_key(c, l, &k) && keys->key[k].has_dsc &&
	       keys->key[k].dsc.not_before <= now &&
	       now <= keys->key[k].dsc.not_after &&
	       hsm_pool_good(c->part.pool, k) > 0;
}

static void tell_held(struct ceremony *c, const struct life *l)
{
	const uint64_t now = clock_mono_us();

	if (c->held_us != 0 && now - c->held_us < HELD_EVERY_US)
		return;
	c->held_us = now;
	log_event(LOG_WARNING, "activation-waits",
		  "key=\"%s\" text=\"no HSM has proved that it can sign with "
		  "it, or its certificate is not valid: the key before it goes "
		  "on\"",
		  l->label);
}

/* Must L, the ledger's key that is leaving, sign on after its time?  Until
 * there is a checkpoint by both keys, on record beside both of them, that has
 * the operation: from then on either one knows of the other.  And while the new
 * one cannot be used there is still a way back. */
static bool must_stay(const struct ceremony *c, const struct life *l,
		      int64_t now, bool replayed)
{
	if (!life_signs_ledger(l) || l->retire == 0 || l->retire > now)
		return false;
	return replayed || !ceremony_handed_over(c);
}

/* Can an hsm sign with the key of the ledger that stays? */
static bool heir_is_good(const struct ceremony *c)
{
	size_t k;

	for (size_t i = 0; i < c->life.n; i++) {
		const struct life *l = &c->life.key[i];

		if (life_signs_ledger(l) && l->retire == 0)
			return ceremony_find_key(c, l, &k) &&
			       hsm_pool_good(c->part.pool, k) > 0;
	}
	return false;
}

bool ceremony_handed_over(const struct ceremony *c)
{
	struct store_item item;
	uint64_t leaf;

	return c->log_key > 0 && heir_is_good(c) &&
	       c->log_key <= ceremony_store_recorded(c->store) &&
	       ceremony_store_read(c->store, c->log_key, &item) == SG_OK &&
	       ceremony_store_leaf(c->store, c->log_key, item.approved,
				   &leaf) &&
	       c->part.handed_over != NULL &&
	       c->part.handed_over(c->part.ctx) > leaf;
}

/* Is a smith destroying L?  It must not take the place of the key before it any
 * more. */
static bool is_ending(const struct ceremony *c, const struct life *l)
{
	return c->job != NULL && c->job->op.kind == OPERATION_DESTROY &&
	       span_is(c->job->op.key, l->label);
}

/* Put off what is due at NOW and cannot be: the times go to HELD. */
static void hold(struct ceremony *c, int64_t now, bool replayed, int64_t *held)
{
	for (size_t i = 0; i < c->life.n; i++) {
		struct life *l = &c->life.key[i];

		held[i] = 0;
		if (must_stay(c, l, now, replayed)) {
			held[i] = l->retire;
			l->retire = 0;
			continue;
		}
		if (l->state != KEY_PUBLISHED || l->activate == 0 ||
		    l->activate > now)
			continue;
		if (!replayed && is_ready(c, l, now) && !is_ending(c, l) &&
		    !ceremony_is_stopped(c, l))
			continue;
		held[i] = l->activate;
		l->activate = 0;
		if (!replayed && !is_ending(c, l) && !ceremony_is_stopped(c, l))
			tell_held(c, l);
	}
}

/* Keys of signerd.yaml whose certificates an hsm has offered since. */
static void learn_keys(struct ceremony *c)
{
	size_t k;

	for (size_t i = 0; i < c->life.n; i++) {
		struct life *l = &c->life.key[i];

		if (l->configured && l->spki_n == 0 &&
		    ceremony_find_key(c, l, &k))
			ceremony_take_spki(l, &c->part.keys->key[k]);
	}
}

void ceremony_due(struct ceremony *c, int64_t now, bool replayed)
{
	int64_t held[LIFE_KEYS_MAX] = {0};
	int64_t kept[LIFE_KEYS_MAX] = {0};
	const struct life *ended[LIFE_KEYS_MAX];
	size_t nended = 0;
	struct life_event e;
	bool any = false;

	learn_keys(c);
	hold(c, now, replayed, held);
	/* Once more after each: a key may have begun and ended meanwhile. */
	while (ceremony_keep_on(c, now, replayed, held, kept),
	       lifecycle_due(&c->life, now, &e)) {
		any = true;
		/* A key comes into a state by its time once. */
		if (!ceremony_store_event(c->store, e.key->label, e.to))
			record_event(c, e.key, NULL, now);
		if (e.to == KEY_RETIRED && nended < LIFE_KEYS_MAX)
			ended[nended++] = e.key;
	}
	for (size_t i = 0; i < c->life.n; i++) {
		/* Not of one whose kinds another key has taken over since. */
		if (kept[i] != 0 && c->life.key[i].state == KEY_ACTIVE)
			c->life.key[i].retire = kept[i];
		if (held[i] == 0)
			continue;
		if (c->life.key[i].ledger)
			c->life.key[i].retire = held[i];
		else
			c->life.key[i].activate = held[i];
	}
	if (!any || replayed)
		return;
	for (size_t i = 0; i < nended; i++)
		ceremony_log_gap_of(c, ended[i]);
	ceremony_project(c);
	c->part.changed(c->part.ctx);
}
