/* SPDX-License-Identifier: Apache-2.0 */
/* The start: the keys of signerd.yaml, and what officers have decided since. */
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "ceremony_state.h"
#include "entry_finder.h"
#include "ledger/entry.h"

enum { SKEW_S = 60 };

/* --- the keys of signerd.yaml --------------------------------------------- */

bool ceremony_adopted(const struct ceremony *c, struct store_item *item,
		      uint8_t (*hash)[STORE_HASH_BYTES],
		      struct ceremony_refusal *r)
{
	const struct keyring *keys = c->part.keys;

	item->nadopted = 0;
	for (size_t k = 0; k < keys->n; k++) {
		const struct key *key = &keys->key[k];
		struct store_adopted *a = &item->adopted[item->nadopted];

		if (key->ledger || key->tls)
			continue;
		if (!key->has_dsc ||
		    keyring_fingerprint(
			    span_of(key->certificate, key->certificate_n),
			    hash[item->nadopted]) != SG_OK)
			return ceremony_refuse(r, SG_TOKEN_DOWN,
					       "no HSM has offered the key %s "
					       "of signerd.yaml yet",
					       key->label);
		*a = (struct store_adopted){.label = span_str(key->label),
					    .spki = hash[item->nadopted]};
		item->nadopted++;
	}
	return true;
}

static const struct store_adopted *find_adopted(const struct store_item *item,
						const char *label)
{
	for (size_t i = 0; i < item->nadopted; i++) {
		if (span_is(item->adopted[i].label, label))
			return &item->adopted[i];
	}
	return NULL;
}

void ceremony_pin(struct ceremony *c, const struct store_item *item)
{
	for (size_t k = 0; k < c->part.keys->n; k++) {
		struct key *key = &c->part.keys->key[k];
		const struct store_adopted *a = find_adopted(item, key->label);

		if (a == NULL || key->made || key->tls)
			continue;
		key->pinned = true;
		memcpy(key->pin, a->spki, sizeof(key->pin));
	}
}

/* Is KEY, of signerd.yaml, one of those that GENESIS found there? */
static bool is_approved(const struct key *key, const struct store_item *genesis)
{
	const struct store_adopted *a = find_adopted(genesis, key->label);
	uint8_t hash[STORE_HASH_BYTES];

	if (a == NULL)
		return false;
	if (!key->has_dsc)
		return true; /* its pin tells, when it is offered */
	return keyring_fingerprint(
		       span_of(key->certificate, key->certificate_n), hash) ==
		       SG_OK &&
	       memcmp(hash, a->spki, sizeof(hash)) == 0;
}

void ceremony_take_spki(struct life *l, const struct key *key)
{
	const uint8_t *p = key->certificate;
	X509 *cert = NULL;
	uint8_t *spki = NULL;
	int n = 0;

	if (key->has_dsc)
		cert = d2i_X509(NULL, &p, (long)key->certificate_n);
	if (cert != NULL)
		n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	if (n > 0 && (size_t)n <= sizeof(l->spki)) {
		memcpy(l->spki, spki, (size_t)n);
		l->spki_n = (size_t)n;
	}
	OPENSSL_free(spki);
	X509_free(cert);
}

static enum sg_err adopt(struct ceremony *c, const struct key *key)
{
	struct life l = {.alg = key->alg,
			 .kinds = key->kinds,
			 .ledger = key->ledger,
			 .configured = true,
			 .state = KEY_ACTIVE,
			 .since = key->has_dsc ? key->dsc.not_before : 0};

	memcpy(l.label, key->label, sizeof(l.label));
	memcpy(l.hsm, key->hsm, sizeof(l.hsm));
	memcpy(l.country, key->country, sizeof(l.country));
	ceremony_take_spki(&l, key);
	return lifecycle_adopt(&c->life, &l);
}

bool ceremony_find_key(const struct ceremony *c, const struct life *l,
		       size_t *k)
{
	return keyring_find(c->part.keys, span_str(l->label), k) &&
	       !c->part.keys->key[*k].unapproved && !c->part.keys->key[*k].tls;
}

/* Keys that GENESIS found in signerd.yaml, and that have been taken out since:
 * operations may be about them. */
static enum sg_err adopt_absent(struct ceremony *c,
				const struct store_item *genesis)
{
	enum sg_err err = SG_OK;

	for (size_t i = 0; err == SG_OK && i < genesis->nadopted; i++) {
		const struct span label = genesis->adopted[i].label;
		struct life l = {.configured = true, .state = KEY_ACTIVE};

		if (lifecycle_find(&c->life, label) != NULL ||
		    label.n >= sizeof(l.label))
			continue;
		memcpy(l.label, label.p, label.n);
		err = lifecycle_adopt(&c->life, &l);
	}
	return err;
}

/* GENESIS may be NULL: there is none yet, and all of them count. */
static enum sg_err adopt_all(struct ceremony *c,
			     const struct store_item *genesis)
{
	enum sg_err err = SG_OK;

	for (size_t k = 0; err == SG_OK && k < c->part.keys->n; k++) {
		struct key *key = &c->part.keys->key[k];

		if (key->tls)
			continue; /* it signs nothing that is on record */
		/* Whose the ledger's is, its own checkpoints tell. */
		if (genesis != NULL && !key->ledger &&
		    !is_approved(key, genesis)) {
			log_event(LOG_ERROR, "key-unapproved",
				  "key=\"%s\" text=\"it came to signerd.yaml "
				  "after the officers took over: it signs "
				  "nothing\"",
				  key->label);
			key->state = KEY_GENERATED;
			key->unapproved = true;
			continue;
		}
		err = adopt(c, key);
	}
	if (err == SG_OK && genesis != NULL)
		ceremony_pin(c, genesis);
	return err == SG_OK && genesis != NULL ? adopt_absent(c, genesis) : err;
}

/* What has been taken out of signerd.yaml signs no more, whatever officers have
 * said of it. */
static void retire_absent(struct ceremony *c)
{
	size_t k;

	for (size_t i = 0; i < c->life.n; i++) {
		struct life *l = &c->life.key[i];

		if (!l->configured || ceremony_find_key(c, l, &k))
			continue;
		log_event(LOG_WARNING, "key-not-configured",
			  "key=\"%s\" text=\"it stands in signerd.yaml no "
			  "more\"",
			  l->label);
		if (l->state == KEY_ACTIVE || l->state == KEY_STOPPED)
			l->state = KEY_RETIRED;
		l->retire = 0;
	}
}

/* --- what was accepted ---------------------------------------------------- */

static enum sg_err damaged(unsigned number, const char *why)
{
	ceremony_store_damaged(number, why);
	return SG_IO;
}

/* What was true of J when it was accepted, as far as it can be told later. */
static enum sg_err judge(const struct ceremony *c, unsigned number,
			 const struct ceremony_job *j, int64_t time)
{
	const char *why = lifecycle_out_of_turn(&c->life, &j->op);
	struct ceremony_refusal r;
	bool known;

	if (!span_is(j->op.origin, c->origin))
		return damaged(number, "it is of another ledger");
	/* A second genesis is approved by those whom it names alone. */
	if (why != NULL)
		return damaged(number, why);
	if (!ceremony_check_approvals(c, j, &known, &r))
		return r.err == SG_NO_MEMORY ? r.err : damaged(number, r.why);
	if (ceremony_is_repeated(c, j->op.nonce))
		return damaged(number, "it is there twice");
	if (time > j->op.expires || time < j->op.created - SKEW_S)
		return damaged(number, "it was accepted outside of its time");
	return SG_OK;
}

/* That one is no key of the officers', and never was. */
static bool is_tls_key(const struct ceremony *c, struct span label)
{
	size_t k;

	return keyring_find(c->part.keys, label, &k) &&
	       c->part.keys->key[k].tls;
}

static enum sg_err replay_one(struct ceremony *c, unsigned number)
{
	struct ceremony_refusal r;
	struct store_item item;
	struct ceremony_job *j = NULL;
	enum sg_err err = ceremony_store_read(c->store, number, &item);

	if (err == SG_OK)
		err = ceremony_job_make(item.approved, NULL, &j, &r);
	if (err == SG_MALFORMED)
		err = SG_IO;
	if (err != SG_OK)
		return err == SG_NO_MEMORY ? err
					   : damaged(number, "it is no "
							     "operation");
	err = judge(c, number, j, item.outcome.time);
	if (err == SG_OK && j->op.kind == OPERATION_GENERATE &&
	    (lifecycle_find(&c->life, j->op.key) != NULL ||
	     is_tls_key(c, j->op.key)))
		err = damaged(number, "signerd.yaml has a key of the same "
				      "label: give that one another");
	if (err == SG_OK) {
		/* Of what is on record, all that came before it is, too. */
		if (number > ceremony_store_recorded(c->store))
			ceremony_due(c, item.outcome.time, true);
		err = ceremony_fold(c, j, &item, number,
				    number > ceremony_store_recorded(c->store));
		if (err == SG_INTERNAL)
			err = damaged(number, "its key is not in signerd.yaml "
					      "any more");
		if (err == SG_TOO_BIG)
			err = damaged(number, "there is no room for its key");
	}
	free(j);
	return err;
}

/* What came by its time after operation NUMBER and before the next one, as far
 * as it is on record: no clock says it. */
static void redo(struct ceremony *c, unsigned number)
{
	size_t n;
	const struct store_event *e = ceremony_store_events(c->store, &n);

	for (size_t i = 0; i < n; i++)
		if (e[i].after == number &&
		    !lifecycle_redo(&c->life, span_str(e[i].label), e[i].state,
				    e[i].time))
			log_event(LOG_WARNING, "event-ignored",
				  "key=\"%s\" state=%s text=\"it is not what "
				  "can have happened to it\"",
				  e[i].label, key_state_text(e[i].state));
}

/* --- the ledger ----------------------------------------------------------- */

enum in_ledger { IN_NOT, IN_SAME, IN_OTHER };

/* Is operation NUMBER, with what came of it, in the journal where it was? */
static enum in_ledger look_up(struct ceremony *c, struct entry_finder *finder,
			      uint64_t end, unsigned number)
{
	enum in_ledger word = IN_NOT;
	struct store_item item;
	struct entry *entry;
	struct span bytes;
	uint64_t leaf;

	if (ceremony_store_read(c->store, number, &item) != SG_OK ||
	    !ceremony_store_leaf(c->store, number, item.approved, &leaf) ||
	    leaf >= end || entry_finder_read(finder, leaf, &bytes) != SG_OK)
		return IN_NOT;
	entry = malloc(sizeof(*entry));
	if (entry != NULL && entry_decode(bytes, entry) == SG_OK &&
	    entry->type == ENTRY_CEREMONY && entry->refusal.n == 0 &&
	    span_eq(entry->operation, item.approved))
		word = entry->outcome != NULL &&
				       memcmp(entry->outcome, item.done,
					      sizeof(item.done)) == 0
			       ? IN_SAME
			       : IN_OTHER;
	free(entry);
	return word;
}

/* Those that the ledger has not got, for its end was lost, or the process ended
 * before, are recorded once more.  What came of the others must be what it was:
 * it says which keys of signerd.yaml count, and which policy. */
static enum sg_err hold_against_ledger(struct ceremony *c)
{
	const unsigned noted = ceremony_store_recorded(c->store);
	struct entry_finder *finder;
	enum sg_err err = SG_OK;
	unsigned n = noted;
	uint64_t offset;
	uint64_t end;

	if (n == 0)
		return SG_OK;
	journal_end(release_journal(c->part.release), &end, &offset);
	err = entry_finder_open(c->state_dir, &finder);
	if (err != SG_OK)
		return err;
	while (n > 0 && look_up(c, finder, end, n) == IN_NOT)
		n--;
	for (unsigned i = 1; err == SG_OK && i <= n; i++)
		if (look_up(c, finder, end, i) != IN_SAME)
			err = damaged(i, "what came of it is not what is on "
					 "record");
	entry_finder_close(finder);
	if (err != SG_OK || n == noted)
		return err;
	log_event(LOG_WARNING, "operations-unrecorded",
		  "first=%u last=%u text=\"the ledger has not got them where "
		  "they were: they are recorded once more\"",
		  n + 1, noted);
	ceremony_store_forget(c->store, n + 1);
	return SG_OK;
}

/* --- the start ------------------------------------------------------------ */

enum sg_err ceremony_replay(struct ceremony *c)
{
	const unsigned last = ceremony_store_last(c->store);
	struct store_item item;
	enum sg_err err = SG_OK;

	if (last > 0)
		err = ceremony_store_read(c->store, 1, &item);
	if (err == SG_OK)
		err = adopt_all(c, last > 0 ? &item : NULL);
	if (err == SG_OK)
		err = hold_against_ledger(c);
	for (unsigned i = 1; err == SG_OK && i <= last; i++) {
		err = replay_one(c, i);
		redo(c, i);
	}
	if (err != SG_OK)
		return err == SG_NO_MEMORY ? err : SG_IO;
	ceremony_due(c, clock_wall_s(), true);
	retire_absent(c);
	ceremony_project(c);
	if (last > 0)
		log_event(LOG_INFO, "operations-read",
			  "last=%u recorded=%u officers=%zu", last,
			  ceremony_store_recorded(c->store), c->life.roll.n);
	return SG_OK;
}
