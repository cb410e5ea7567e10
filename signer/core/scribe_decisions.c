/* SPDX-License-Identifier: Apache-2.0 */
/* What the index has beside certificates. */
#include "decisions.h"
#include "scribe_state.h"

enum sg_err scribe_count_decisions(struct scribe *s)
{
	struct scribe_work *w = &s->work;
	uint8_t key[INDEX_HASH_BYTES];
	enum sg_err err = SG_OK;
	uint64_t offset;

	w->decisions = 0;
	while (err == SG_OK) {
		index_decision(w->decisions + 1, key);
		err = index_get(s->part.index, key, &offset);
		w->decisions += err == SG_OK;
	}
	return err == SG_NOT_FOUND ? SG_OK : SG_INTERNAL;
}

bool scribe_key_of(struct scribe_work *w, const struct record *r,
		   uint8_t key[INDEX_HASH_BYTES])
{
	struct entry e;

	if (entry_decode(r->entry, &e) != SG_OK)
		return false;
	if (e.type == ENTRY_POLICY) {
		index_policy(e.policy_hash, key);
		return true;
	}
	if (!decision_is(&e))
		return false;
	index_decision(++w->decisions, key);
	return true;
}
