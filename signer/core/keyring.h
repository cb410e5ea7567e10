/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_KEYRING_H
#define SG_KEYRING_H

#include "ceremony/lifecycle.h"
#include "core.h"
#include "hcert/cose.h"
#include "hcert/dsc.h"
#include "ipc/wire.h"
#include "policy/policy.h"

/*
 * keyring: the signing keys as the core knows them: what each may sign, its
 * document signer certificate (DSC), and what is made of them once instead of
 * per certificate.  Where a key can be used right now is the hsm_pool's.
 * Loop thread only.
 */
enum { KEY_ED25519_BYTES = 32, KEY_PIN_BYTES = 32, KEY_FORMER_MAX = 8 };

struct key {
	char label[CORE_LABEL_MAX];
	char hsm[CORE_LABEL_MAX]; /* the name of its HSM; empty: not known */
	enum cose_alg alg;
	unsigned kinds; /* DCC_KIND_BIT()s: configured, and in the DSC's EKU */
	char country[3];
	enum key_state state;
	bool made;   /* by officers, since the start or before: an hsm has to
			look for it */
	bool pinned; /* only the public key with this SHA-256 may be it */
	/* It came to signerd.yaml past the officers, be it under the label of
	 * one that they know: it is not that one. */
	bool unapproved;
	uint8_t pin[KEY_PIN_BYTES];
	/* It signs the ledger's checkpoints: no kinds, no DSC, and the verifier
	 * is of the public key that an hsm offers, or that was made. */
	bool ledger;
	/* It signs the fronts' handshakes: the same.  Whether the server's
	 * certificate is of it, the fronts know, who show that. */
	bool tls;
	bool leaving; /* it does until another one does alone */
	/* From the DSC; has_dsc false: none yet, and the rest is unset. */
	bool has_dsc;
	struct dsc dsc;
	uint8_t *certificate; /* DER */
	size_t certificate_n;
	/* Kids of certificates that it had before this one. */
	size_t nformer;
	uint8_t former[KEY_FORMER_MAX][COSE_KID_BYTES];
	struct cose_key *verifier; /* NULL: no hsm has offered it yet */
	uint8_t *spki; /* tls: its public key, DER, as an hsm has offered it */
	size_t spki_n;
	uint8_t ed25519[KEY_ED25519_BYTES]; /* ledger: its public key, raw */
	uint8_t prot[COSE_PROTECTED_MAX];   /* protected header */
	size_t prot_n;
	struct policy_bounds bounds;
};

struct keyring {
	size_t n; /* places up to the last one that was used */
	/* A key that officers declared compromised is not here: it was taken
	 * out of signerd.yaml, or another one stands there in its name.  What
	 * has a kid that no key has may be its. */
	bool misses_compromised;
	struct key key[CORE_KEYS_MAX];
};

/*
 * Make the keyring of SETTINGS and read the certificates that it names.
 * Owns: *OUT is the caller's; keyring_free().
 * Errors: SG_IO, SG_MALFORMED, SG_BAD_KEY (a certificate that cannot be read,
 * or that does not fit its key: logged), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err keyring_create(const struct core_settings *settings,
				       struct keyring **out);

/*
 * An hsm offers KEY.  Sets *INDEX to the key that it is.  Takes the token's
 * certificate where the configuration names none; for the ledger's key, which
 * has none, its public key.
 * Errors: SG_NOT_FOUND (no such label); the others are logged: SG_BAD_KEY
 * (another algorithm or public key, a certificate that does not fit, none at
 * all; for the ledger's key no public key), SG_MALFORMED, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err keyring_offer(struct keyring *k,
				      const struct wire_hsm_key *key,
				      size_t *index);

/*
 * Read the certificates that SETTINGS (those K was made of) name once more.
 * Owns: *OUT is the caller's; keyring_renew() or keyring_free().
 * Errors: those of keyring_create(); SG_BAD_KEY (a new certificate for another
 * public key), SG_EXPIRED (a new one that is not valid at NOW): logged.
 */
SG_MUST_USE enum sg_err keyring_reread(const struct keyring *k,
				       const struct core_settings *settings,
				       int64_t now, struct keyring **out);
/* Take the certificates of FRESH, of keyring_reread(), into K.
 * Owns: FRESH, which is gone.  What was made of the old ones is K's no more:
 * nobody keeps a pointer to it. */
void keyring_renew(struct keyring *k, struct keyring *fresh);

/* --- keys that come and go: keyring_life.c ------------------------------- */

/*
 * Add the key of L, which has its certificate or is for the ledger, in the
 * state that L is in.  Sets
 * *INDEX, which stays its own until it is forgotten.
 * Errors: SG_TOO_BIG (CORE_KEYS_MAX), SG_DUPLICATE_KEY (its label or its kid is
 * there), those of a certificate that does not fit: logged.
 */
SG_MUST_USE enum sg_err keyring_add(struct keyring *k, const struct life *l,
				    size_t *index);
/* Key INDEX, which officers made, is destroyed and not asked for any more: its
 * place is for another one.  Nothing refers to it: hsm_pool_forget() first. */
void keyring_forget(struct keyring *k, size_t index);
/* Is KEY a place that is free, with no key in it? */
bool keyring_is_free(const struct key *key);
/* Key INDEX, which L is, has another certificate, and has signed nothing under
 * the one before.  Errors: as above; then it has the one before. */
SG_MUST_USE enum sg_err keyring_recertify(struct keyring *k, size_t index,
					  const struct life *l);
/* Key INDEX has come into STATE; while it is active it signs KINDS, as far as
 * its certificate allows. */
void keyring_set_state(struct keyring *k, size_t index, enum key_state state,
		       unsigned kinds);
/* Key INDEX, the ledger's, is in STATE, and LEAVING or not. */
void keyring_set_ledger(struct keyring *k, size_t index, enum key_state state,
			bool leaving);
/* Key INDEX had a certificate with KID before the one that it has. */
void keyring_add_former(struct keyring *k, size_t index,
			const uint8_t kid[COSE_KID_BYTES]);
/* The key of that label; or with that kid, now or before.  False: none. */
bool keyring_find(const struct keyring *k, struct span label, size_t *index);
bool keyring_find_kid(const struct keyring *k,
		      const uint8_t kid[COSE_KID_BYTES], size_t *index);
/* SHA-256 of the public key of CERTIFICATE (both in DER).  Errors:
 * SG_MALFORMED, SG_INTERNAL. */
SG_MUST_USE enum sg_err keyring_fingerprint(struct span certificate,
					    uint8_t out[KEY_PIN_BYTES]);
/* Is KEY one that hsms have to prove: one that signs, or may come to it? */
bool keyring_in_use(const struct key *key);
/* May KEY finish what was begun with it?  One that was stopped may not. */
bool keyring_finishes(const struct key *key);
/* Is KEY told to the world: from its publication on? */
bool keyring_public(const struct key *key);
/* Take DER, all of whose parts are checked, as the DSC of KEY, which has none.
 * Errors: logged: SG_MALFORMED, SG_BAD_KEY (it does not fit), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err keyring_certify(struct key *key, struct span der);

/* Log that KEY is refused for REASON; returns ERR. */
enum sg_err keyring_refused(const struct key *key, enum sg_err err,
			    const char *reason);
/* SPKI is what an hsm shows of KEY, the ledger's: the first word counts, and
 * the same ever after.  Errors: logged: SG_BAD_KEY, SG_MALFORMED. */
SG_MUST_USE enum sg_err keyring_take_ledger(struct key *key, struct span spki);
/* The same of KEY, the fronts'.  Errors: as above. */
SG_MUST_USE enum sg_err keyring_take_tls(struct key *key, struct span spki);
/* Which key signs the fronts' handshakes?  False: none of an HSM. */
bool keyring_tls_key(const struct keyring *k, size_t *index);
/* The public key of that one, DER, K's; empty: no hsm has offered it yet. */
struct span keyring_tls_public(const struct keyring *k);
/* KEY is L, made for the ledger.  Errors: as above. */
SG_MUST_USE enum sg_err keyring_add_ledger(struct key *key,
					   const struct life *l);

/* --- what is there ------------------------------------------------------- */

/* May key INDEX sign certificates of KIND at NOW (seconds since 1970)? */
bool keyring_signs(const struct keyring *k, size_t index, enum dcc_kind kind,
		   int64_t now);
/* The bounds of all that could sign KIND at NOW: by which key it will be is of
 * no concern to a verdict, nor is which HSM is up. */
void keyring_bounds(const struct keyring *k, enum dcc_kind kind, int64_t now,
		    struct policy_bounds *out);
/* Is there a key for KIND that signs, or that was stopped, whatever its
 * certificate says now? */
bool keyring_has_kind(const struct keyring *k, enum dcc_kind kind);
/* Is key INDEX active, with a DSC that is valid at NOW? */
bool keyring_valid(const struct keyring *k, size_t index, int64_t now);
/* The keys that sign the ledger, the one that is leaving first.  Returns how
 * many, one as a rule. */
enum { KEYRING_LEDGER_MAX = 2 };
size_t keyring_ledger_keys(const struct keyring *k,
			   size_t index[KEYRING_LEDGER_MAX]);
/* The HSM of the ledger's key of signerd.yaml; NULL: there is none. */
const char *keyring_ledger_hsm(const struct keyring *k);
/* The earliest notAfter of the active keys' certificates, seconds since 1970; 0
 * where none has one. */
int64_t keyring_expiry(const struct keyring *k);

/* The message of test signatures with KEY: fixed, and no Sig_structure. */
enum { KEYRING_TEST_MAX = 32 + CORE_LABEL_MAX };
size_t keyring_test_message(const struct key *key,
			    uint8_t out[KEYRING_TEST_MAX]);

void keyring_free(struct keyring *k); /* NULL is allowed */

#endif /* SG_KEYRING_H */
