/* SPDX-License-Identifier: Apache-2.0 */
#include "readiness.h"

#include <stdio.h>

/* Is there a key for every kind that some key is configured for? */
static bool kinds_covered(const struct keyring *keys, int64_t now)
{
	for (unsigned kind = 0; kind < DCC_KINDS; kind++) {
		bool covered = !keyring_has_kind(keys, (enum dcc_kind)kind);

		for (size_t k = 0; k < keys->n && !covered; k++)
			covered = keyring_signs(keys, k, (enum dcc_kind)kind,
						now);
		if (!covered)
			return false;
	}
	return true;
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
	for (size_t k = 0; k < p->keys->n; k++) {
		*key = &p->keys->key[k];
		if (!(*key)->ledger && (*key)->state != KEY_ACTIVE)
			continue;
		if ((*key)->verifier == NULL)
			return "no HSM has offered it";
		if (hsm_pool_good(p->pool, k) == 0)
			return "no HSM signs with it";
	}
	*key = NULL;
	if (!kinds_covered(p->keys, now))
		return "no valid signing certificate for some kind";
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
