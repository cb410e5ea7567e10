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

/* As above, of all kinds. */
static const char *kinds_fault(const struct readiness_parts *p, int64_t now,
			       const struct key **key)
{
	const char *fault = NULL;
	bool any = false;

	for (unsigned kind = 0; kind < DCC_KINDS && fault == NULL; kind++) {
		any |= keyring_has_kind(p->keys, (enum dcc_kind)kind);
		fault = kind_fault(p, (enum dcc_kind)kind, now, key);
	}
	if (fault == NULL && !any)
		return "no key signs certificates: officers have to activate "
		       "one";
	return fault;
}

/* Why none of the ledger's checkpoints can be signed now; NULL: they can. */
static const char *ledger_fault(const struct readiness_parts *p,
				const struct key **key)
{
	size_t ledger[KEYRING_LEDGER_MAX];
	const size_t n = keyring_ledger_keys(p->keys, ledger);
	const char *fault = NULL;

	for (size_t i = 0; i < n && fault == NULL; i++) {
		fault = key_fault(p, ledger[i]);
		if (fault != NULL)
			*key = &p->keys->key[ledger[i]];
	}
	return fault;
}

/* Why nothing goes on record.  Where the books only wait, it is for the
 * ledger's key if that cannot be used. */
static const char *books_fault(const struct readiness_parts *p,
			       const struct key **key)
{
	const char *reason = NULL;
	const char *fault = NULL;
	const enum books_state state = books_look(p->books, &reason);

	if (state == BOOKS_WAITING)
		fault = ledger_fault(p, key);
	if (fault != NULL)
		return fault;
	if (state != BOOKS_OPEN || !books_witnessed(p->books, &reason))
		return reason;
	return NULL;
}

/* Why the fronts' handshakes are not signed, and no client comes in; NULL:
 * they are, or it is not ours to do. */
static const char *tls_fault(const struct readiness_parts *p,
			     const struct key **key)
{
	const char *fault;
	size_t tls;

	if (!keyring_tls_key(p->keys, &tls))
		return NULL;
	fault = key_fault(p, tls);
	if (fault != NULL)
		*key = &p->keys->key[tls];
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
	reason = kinds_fault(p, now, key);
	if (reason == NULL)
		reason = tls_fault(p, key);
	if (reason != NULL)
		return reason;
	return p->books != NULL ? books_fault(p, key) : NULL;
}

bool readiness_look(const struct readiness_parts *p, int64_t now,
		    char reason[READINESS_REASON_MAX])
{
	const struct key *key;
	const char *fault = find_fault(p, now, &key);
	/* The books know when it has lasted too long, and say so then. */
	const char *remark = fault == NULL ? ledger_fault(p, &key) : NULL;

	reason[0] = '\0';
	if (remark != NULL)
		(void)snprintf(reason, READINESS_REASON_MAX,
			       "key %s: %s, the ledger's entries wait for a "
			       "checkpoint; signing stops if it lasts",
			       key->label, remark);
	else if (fault != NULL && key == NULL)
		(void)snprintf(reason, READINESS_REASON_MAX, "%s", fault);
	else if (fault != NULL)
		(void)snprintf(reason, READINESS_REASON_MAX, "key %s: %s",
			       key->label, fault);
	return fault == NULL;
}
