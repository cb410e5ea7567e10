/* SPDX-License-Identifier: Apache-2.0 */
/* The keys without a certificate: the ledger's, and the server's TLS key. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "keyring.h"

/* The raw public key of SPKI, an Ed25519 key. */
static bool raw_public_key(struct span spki, uint8_t out[KEY_ED25519_BYTES])
{
	const uint8_t *p = spki.p;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)spki.n);
	size_t n = KEY_ED25519_BYTES;
	const bool ok = pkey != NULL &&
			EVP_PKEY_get_raw_public_key(pkey, out, &n) == 1 &&
			n == KEY_ED25519_BYTES;

	EVP_PKEY_free(pkey);
	return ok;
}

/* Take the public key of SPKI for KEY, which is for ALG and has no certificate:
 * the first word counts.  WHAT it is not, if it is another. */
static enum sg_err take_public(struct key *key, struct span spki,
			       enum cose_alg alg, const char *what)
{
	struct cose_key *verifier = NULL;
	uint8_t pin[KEY_PIN_BYTES];
	enum sg_err err;

	if (spki.n == 0)
		return keyring_refused(
			key, SG_BAD_KEY,
			"the token does not show its public key");
	err = cose_key_from_spki(spki, &verifier);
	if (err != SG_OK)
		return keyring_refused(key, err,
				       "its public key cannot be read");
	if (cose_key_alg(verifier) != alg ||
	    EVP_Digest(spki.p, spki.n, pin, NULL, EVP_sha256(), NULL) != 1 ||
	    (key->verifier != NULL && memcmp(pin, key->pin, sizeof(pin)) != 0))
		err = SG_BAD_KEY;
	if (err != SG_OK || key->verifier != NULL)
		cose_key_free(verifier);
	if (err != SG_OK)
		return keyring_refused(key, err, what);
	if (key->verifier == NULL) {
		key->verifier = verifier;
		memcpy(key->pin, pin, sizeof(pin));
	}
	return SG_OK;
}

enum sg_err keyring_take_ledger(struct key *key, struct span spki)
{
	static const char what[] = "it is not the ledger's Ed25519 key";
	const enum sg_err err = take_public(key, spki, COSE_EDDSA, what);

	if (err != SG_OK)
		return err;
	return raw_public_key(spki, key->ed25519)
		       ? SG_OK
		       : keyring_refused(key, SG_BAD_KEY, what);
}

enum sg_err keyring_take_tls(struct key *key, struct span spki)
{
	static const char what[] =
		"it is not the server's TLS key, of its algorithm";
	enum sg_err err;

	if (spki.n > WIRE_SPKI_MAX)
		return keyring_refused(key, SG_BAD_KEY, what);
	err = take_public(key, spki, key->alg, what);
	if (err != SG_OK || key->spki_n > 0)
		return err;
	key->spki = malloc(spki.n);
	if (key->spki == NULL)
		return SG_NO_MEMORY;
	memcpy(key->spki, spki.p, spki.n);
	key->spki_n = spki.n;
	return SG_OK;
}

struct span keyring_tls_public(const struct keyring *k)
{
	size_t i;

	return keyring_tls_key(k, &i)
		       ? span_of(k->key[i].spki, k->key[i].spki_n)
		       : span_of(NULL, 0);
}

bool keyring_tls_key(const struct keyring *k, size_t *index)
{
	for (size_t i = 0; i < k->n; i++) {
		if (!k->key[i].tls)
			continue;
		*index = i;
		return true;
	}
	return false;
}

enum sg_err keyring_add_ledger(struct key *key, const struct life *l)
{
	key->ledger = true;
	return keyring_take_ledger(key, span_of(l->spki, l->spki_n));
}

void keyring_set_ledger(struct keyring *k, size_t index, enum key_state state,
			bool leaving)
{
	k->key[index].state = state;
	k->key[index].leaving = leaving;
}

size_t keyring_ledger_keys(const struct keyring *k,
			   size_t index[KEYRING_LEDGER_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < k->n && n < KEYRING_LEDGER_MAX; i++) {
		if (!k->key[i].ledger || k->key[i].state != KEY_ACTIVE)
			continue;
		if (n > 0 && k->key[i].leaving) {
			index[n++] = index[0];
			index[0] = i;
		} else {
			index[n++] = i;
		}
	}
	return n;
}

const char *keyring_ledger_hsm(const struct keyring *k)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->key[i].ledger && !k->key[i].made)
			return k->key[i].hsm;
	}
	return NULL;
}
