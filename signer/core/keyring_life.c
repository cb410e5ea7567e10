/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that officers made, and the states that all of them go through. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "keyring.h"

bool keyring_find(const struct keyring *k, struct span label, size_t *index)
{
	for (size_t i = 0; i < k->n; i++) {
		if (keyring_is_free(&k->key[i]) ||
		    !span_is(label, k->key[i].label))
			continue;
		*index = i;
		return true;
	}
	return false;
}

bool keyring_is_free(const struct key *key)
{
	return key->label[0] == '\0';
}

static bool has_kid(const struct key *key, const uint8_t *kid)
{
	for (size_t i = 0; i < key->nformer; i++) {
		if (memcmp(key->former[i], kid, COSE_KID_BYTES) == 0)
			return true;
	}
	return key->has_dsc && memcmp(key->dsc.kid, kid, COSE_KID_BYTES) == 0;
}

void keyring_add_former(struct keyring *k, size_t index,
			const uint8_t kid[COSE_KID_BYTES])
{
	struct key *key = &k->key[index];

	if (has_kid(key, kid))
		return;
	if (key->nformer == KEY_FORMER_MAX) { /* the oldest goes */
		key->nformer--;
		memmove(key->former[0], key->former[1],
			sizeof(key->former) - sizeof(key->former[0]));
	}
	memcpy(key->former[key->nformer++], kid, COSE_KID_BYTES);
}

bool keyring_find_kid(const struct keyring *k,
		      const uint8_t kid[COSE_KID_BYTES], size_t *index)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct key *key = &k->key[i];

		if (!has_kid(key, kid))
			continue;
		*index = i;
		return true;
	}
	return false;
}

enum sg_err keyring_fingerprint(struct span certificate,
				uint8_t out[KEY_PIN_BYTES])
{
	const uint8_t *p = certificate.p;
	X509 *cert = d2i_X509(NULL, &p, (long)certificate.n);
	uint8_t *spki = NULL;
	int n;
	bool ok;

	if (cert == NULL)
		return SG_MALFORMED;
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	ok = n > 0 &&
	     EVP_Digest(spki, (size_t)n, out, NULL, EVP_sha256(), NULL) == 1;
	OPENSSL_free(spki);
	X509_free(cert);
	return ok ? SG_OK : SG_INTERNAL;
}

bool keyring_in_use(const struct key *key)
{
	if (key->ledger)
		return key->state == KEY_GENERATED || key->state == KEY_ACTIVE;
	return key->state == KEY_CERTIFIED || key->state == KEY_PUBLISHED ||
	       key->state == KEY_ACTIVE ||
	       key->state == KEY_STOPPED; /* it is started once it is proved */
}

bool keyring_finishes(const struct key *key)
{
	return key->ledger || key->state == KEY_ACTIVE ||
	       key->state == KEY_RETIRED;
}

bool keyring_public(const struct key *key)
{
	return key->has_dsc && key->state != KEY_GENERATED &&
	       key->state != KEY_REQUESTED && key->state != KEY_CERTIFIED;
}

static void take_life(struct key *key, const struct life *l)
{
	memcpy(key->label, l->label, sizeof(key->label));
	memcpy(key->hsm, l->hsm, sizeof(key->hsm));
	memcpy(key->country, l->country, sizeof(key->country));
	key->alg = l->alg;
	key->kinds = l->kinds;
	key->state = l->state;
	key->made = true;
}

void keyring_forget(struct keyring *k, size_t index)
{
	cose_key_free(k->key[index].verifier);
	free(k->key[index].certificate);
	k->key[index] = (struct key){.state = KEY_GENERATED};
}

/* The first free place; CORE_KEYS_MAX: none. */
static size_t find_place(const struct keyring *k)
{
	size_t i = 0;

	while (i < k->n && !keyring_is_free(&k->key[i]))
		i++;
	return i;
}

enum sg_err keyring_add(struct keyring *k, const struct life *l, size_t *index)
{
	const size_t place = find_place(k);
	struct key key = {.state = l->state};
	size_t other;
	enum sg_err err;

	_Static_assert((int)LIFE_LABEL_MAX == (int)CORE_LABEL_MAX,
		       "labels have one length");
	_Static_assert((int)LIFE_KEYS_MAX + 1 <= (int)CORE_KEYS_MAX,
		       "there is a place for the server's TLS key, too");
	if (place == CORE_KEYS_MAX)
		return keyring_refused(&key, SG_TOO_BIG, "there is no room");
	if (keyring_find(k, span_str(l->label), &other))
		return SG_DUPLICATE_KEY;
	take_life(&key, l);
	/* One that has lost its kinds to a newer key is there to verify. */
	if (key.kinds == 0 && key.state != KEY_ACTIVE && !l->ledger)
		key.kinds = DCC_ALL_KINDS;
	err = l->ledger ? keyring_add_ledger(&key, l)
			: keyring_certify(&key, span_of(l->certificate,
							l->certificate_n));
	if (err == SG_OK && key.has_dsc &&
	    keyring_find_kid(k, key.dsc.kid, &other)) {
		cose_key_free(key.verifier);
		free(key.certificate);
		err = SG_DUPLICATE_KEY;
	}
	if (err != SG_OK)
		return err;
	k->key[place] = key;
	if (place == k->n)
		k->n++;
	*index = place;
	return SG_OK;
}

enum sg_err keyring_recertify(struct keyring *k, size_t index,
			      const struct life *l)
{
	struct key *key = &k->key[index];
	const struct key old = *key;
	size_t other;
	enum sg_err err;

	key->has_dsc = false;
	key->kinds = l->kinds;
	err = keyring_certify(key, span_of(l->certificate, l->certificate_n));
	/* The first with that kid is another one. */
	if (err == SG_OK && keyring_find_kid(k, key->dsc.kid, &other) &&
	    other != index) {
		cose_key_free(key->verifier);
		free(key->certificate);
		err = SG_DUPLICATE_KEY;
	}
	if (err != SG_OK) {
		*key = old;
		return err;
	}
	keyring_add_former(k, index, old.dsc.kid);
	cose_key_free(old.verifier);
	free(old.certificate);
	return SG_OK;
}

void keyring_set_state(struct keyring *k, size_t index, enum key_state state,
		       unsigned kinds)
{
	struct key *key = &k->key[index];

	key->state = state;
	/* What it has signed is still of the kinds that it signed. */
	if (state == KEY_ACTIVE)
		key->kinds = key->has_dsc ? kinds & key->dsc.kinds : kinds;
}
