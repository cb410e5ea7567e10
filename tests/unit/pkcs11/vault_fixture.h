/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_VAULT_FIXTURE_H
#define SG_TEST_VAULT_FIXTURE_H

/* vault_fixture: vaults on SoftHSM2 tokens, in the test's own process. */
#include "softhsm.h"

#include <openssl/crypto.h>

#include "pkcs11/ckr.h"
#include "pkcs11/vault.h"

static struct softhsm hsm;
static struct watch watch;

static inline int make(void **state)
{
	(void)state;
	softhsm_make(&hsm);
	return 0;
}

static inline int cleanup(void **state)
{
	(void)state;
	softhsm_remove(&hsm);
	return 0;
}

static inline struct worker_key_settings wanted(const char *label,
						const char *uri,
						enum cose_alg alg)
{
	struct worker_key_settings k = {.alg = alg};

	(void)snprintf(k.label, sizeof(k.label), "%s", label);
	(void)snprintf(k.uri, sizeof(k.uri), "%s", uri);
	return k;
}

static inline enum sg_err open_with(const char *pin_file, uint32_t sessions,
				    const struct worker_key_settings *keys,
				    size_t n, struct vault **v)
{
	const struct vault_settings s = {.module = SOFTHSM_MODULE,
					 .pin_file = pin_file,
					 .sessions = sessions,
					 .nkeys = n,
					 .key = keys};

	return vault_open(&s, &watch, v);
}

static inline void assert_signs(struct vault *v, uint32_t lane, size_t number)
{
	const struct key *key = vault_key(v, number);
	const struct span message = SPAN_LIT("a message to sign");
	uint8_t digest[32];
	struct signature sig;

	assert_int_equal(vault_sign(v, lane, number,
				    softhsm_tbs(key->alg, message, digest),
				    &sig),
			 SG_OK);
	assert_int_equal(sig.n, key->sig_bytes);
	assert_true(softhsm_verifies(key->spki, key->alg, message,
				     span_of(sig.bytes, sig.n)));
	assert_false(softhsm_verifies(key->spki, key->alg,
				      SPAN_LIT("another message"),
				      span_of(sig.bytes, sig.n)));
}

static inline void open_three(struct vault **v, uint32_t sessions)
{
	static struct worker_key_settings keys[4];

	keys[0] = wanted("dsc", "pkcs11:token=alpha;object=ec", COSE_ES256);
	keys[1] = wanted("rsa", "pkcs11:token=alpha;id=%02", COSE_PS256);
	keys[2] = wanted("ed", "pkcs11:token=alpha;object=ed;type=private",
			 COSE_EDDSA);
	keys[3] = wanted("other", "pkcs11:token=beta;object=rsa", COSE_PS256);
	assert_int_equal(open_with(hsm.pin_file, sessions, keys, 4, v), SG_OK);
}

#endif /* SG_TEST_VAULT_FIXTURE_H */
