/* SPDX-License-Identifier: Apache-2.0 */
#include "readiness.h"

#include <stdio.h>

/* NULL: key K can sign; or why it cannot. */
static const char *key_fault(const struct readiness_parts *p, size_t k)
{
	if (p->keys->key[k].verifier == NULL)
		return "no HSM has offered it";
	if (hsm_pool_good(p->pool, k) == 0)
		return "no HSM signs with it";
	return NULL;
}

/* Can some key sign KIND at NOW, if any is configured for it?  As long as one
 * can, the loss of another one's HSM is no fault of the service.  Sets *KEY
 * where the fault is that key's. */
static const char *kind_fault(const struct readiness_parts *p,
			      enum dcc_kind kind, int64_t now,
			      const struct key **key)
{
	const char *fault = "some kind has no active key with a valid "
			    "certificate";

	if (!keyring_has_kind(p->keys, kind))
		return NULL;
	for (size_t k = 0; k < p->keys->n; k++) {
		const struct key *candidate = &p->keys->key[k];
		const char *its = key_fault(p, k);

		if (candidate->state != KEY_ACTIVE ||
		    (candidate->kinds & DCC_KIND_BIT(kind)) == 0)
			continue;
		if (its == NULL && keyring_signs(p->keys, k, kind, now)) {
			*key = NULL;
			return NULL;
		}
		if (its != NULL && *key == NULL) {
			*key = candidate;
			fault = its;
		}
	}
	return fault;
}

/* As above, of all kinds and the ledger's keys. */
static const char *keys_fault(const struct readiness_parts *p, int64_t now,
			      const struct key **key)
{
	const char *fault = NULL;
	bool any = false;
	size_t ledger[KEYRING_LEDGER_MAX];
	size_t n;

	for (unsigned kind = 0; kind < DCC_KINDS && fault == NULL; kind++) {
		any |= keyring_has_kind(p->keys, (enum dcc_kind)kind);
		fault = kind_fault(p, (enum dcc_kind)kind, now, key);
	}
	if (fault == NULL && !any)
		return "no key signs certificates: officers have to activate "
		       "one";
	if (fault != NULL)
		return fault;
	n = keyring_ledger_keys(p->keys, ledger);
	for (size_t i = 0; i < n && fault == NULL; i++) {
		fault = key_fault(p, ledger[i]);
		*key = fault != NULL ? &p->keys->key[ledger[i]] : NULL;
	}
	return fault;
}

/* Sets *KEY where the fault is one key's.  NULL: there is none. */
static const char *find_fault(const struct readiness_parts *p, int64_t now,
			      const struct key **key)
{
	const char *reason;

	*key = NULL;
	if (p->keys->n == 0)
		return "no key is configured";
	if (!release_clock_sane(p->release, now))
		return "the clock is behind the newest certificate";
	reason = keys_fault(p, now, key);
	if (reason != NULL)
		return reason;
	if (p->books != NULL && books_look(p->books, &reason) != BOOKS_OPEN)
		return reason;
	if (p->books != NULL && !books_witnessed(p->books, &reason))
		return reason;
	return NULL;
}

bool readiness_look(const struct readiness_parts *p, int64_t now,
		    char reason[READINESS_REASON_MAX])
{
	const struct key *key;
	const char *fault = find_fault(p, now, &key);

	if (fault == NULL)
		reason[0] = '\0';
	else if (key == NULL)
		(void)snprintf(reason, READINESS_REASON_MAX, "%s", fault);
	else
		(void)snprintf(reason, READINESS_REASON_MAX, "key %s: %s",
			       key->label, fault);
	return fault == NULL;
}
