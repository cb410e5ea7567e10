/* SPDX-License-Identifier: Apache-2.0 */
/* What the states mean for the keyring and for the HSMs. */
#include "ceremony_state.h"

/* Bring key L of the keyring, number K, into the state that L has. */
static void project(struct ceremony *c, const struct life *l, size_t k)
{
	const enum key_state before = c->part.keys->key[k].state;
	const enum key_state now = ceremony_keyring_state(c, l);

	if (l->ledger)
		keyring_set_ledger(c->part.keys, k, now, l->retire != 0);
	else
		keyring_set_state(c->part.keys, k, now, l->kinds);
	if (now != before && (now == KEY_STOPPED || now == KEY_COMPROMISED))
		hsm_pool_stop(c->part.pool, k);
}

/* Has officers' import given key L, number K, another certificate? */
static bool is_recertified(const struct ceremony *c, const struct life *l,
			   size_t k)
{
	const struct key *key = &c->part.keys->key[k];

	return key->made && l->certificate_n > 0 &&
	       !span_eq(span_of(key->certificate, key->certificate_n),
			span_of(l->certificate, l->certificate_n));
}

/* What the states have forgotten, the keyring does. */
static void project_gone(struct ceremony *c)
{
	struct keyring *keys = c->part.keys;

	for (size_t k = 0; k < keys->n; k++) {
		const struct key *key = &keys->key[k];

		if (!key->made || !life_is_gone(&c->life, span_str(key->label)))
			continue;
		hsm_pool_forget(c->part.pool, k);
		keyring_forget(keys, k);
	}
}

/* Was L compromised after it may have signed, and has the keyring not got it?
 * Nobody knows the kids that it had then. */
static bool is_missed(const struct ceremony *c, const struct life *l)
{
	size_t k;

	return !l->ledger && (l->configured || l->certificate_n > 0) &&
	       ceremony_keyring_state(c, l) == KEY_COMPROMISED &&
	       !ceremony_find_key(c, l, &k);
}

void ceremony_project(struct ceremony *c)
{
	bool came = false;
	bool missed = false;

	project_gone(c);
	for (size_t i = 0; i < c->life.n; i++) {
		const struct life *l = &c->life.key[i];
		size_t k;

		if (keyring_find(c->part.keys, span_str(l->label), &k)) {
			if (c->part.keys->key[k].unapproved ||
			    c->part.keys->key[k].tls)
				continue;
			if (is_recertified(c, l, k) &&
			    keyring_recertify(c->part.keys, k, l) != SG_OK)
				continue; /* logged */
			project(c, l, k);
		} else if ((l->certificate_n > 0 ||
			    (l->ledger && l->state != KEY_DESTROYED)) &&
			   /* What does not fit has been logged. */
			   keyring_add(c->part.keys, l, &k) == SG_OK) {
			project(c, l, k);
			came = true;
		}
	}
	for (size_t i = 0; i < c->life.n; i++)
		missed |= is_missed(c, &c->life.key[i]);
	c->part.keys->misses_compromised = missed;
	if (came)
		hsm_pool_find(c->part.pool);
}
