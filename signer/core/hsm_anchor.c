/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "hsm_pool_state.h"

/* The least loaded link that has proved KEY. */
static struct hsm_link *choose(const struct hsm_pool *p, size_t key)
{
	struct hsm_link *best = NULL;

	for (size_t i = 0; i < p->nlinks; i++) {
		struct hsm_link *l = p->link[i];

		if (l != NULL && l->key[key].good &&
		    (best == NULL || hsm_link_lighter(l, best)))
			best = l;
	}
	return best;
}

enum sg_err hsm_pool_anchor(struct hsm_pool *p, size_t key, struct span value,
			    hsm_pool_anchored done, void *ctx)
{
	struct hsm_link *l;
	enum sg_err err;

	assert(key < p->keys->n && p->keys->key[key].ledger);
	if (p->anchor.at != NULL)
		return SG_BUSY;
	if (value.n > WIRE_ANCHOR_MAX)
		return SG_TOO_BIG;
	l = choose(p, key);
	if (l == NULL)
		return SG_TOKEN_DOWN;
	err = hsm_link_anchor(l, key, p->anchor.id + 1, value);
	if (err != SG_OK)
		return SG_TOKEN_DOWN; /* it does not read */
	p->anchor.at = l;
	p->anchor.id++;
	p->anchor.key = key;
	p->anchor.deadline_us = clock_mono_us() + HSM_POOL_ANCHOR_US;
	p->anchor.done = done;
	p->anchor.ctx = ctx;
	return SG_OK;
}

void hsm_pool_anchor_cancel(struct hsm_pool *p)
{
	p->anchor.at = NULL;
}

/* What DONE does may be to ask for the next one. */
static void finish(struct hsm_pool *p, enum sg_err err, struct span value)
{
	p->anchor.at = NULL;
	p->anchor.done(p->anchor.ctx, err, value);
}

bool hsm_anchor_answer(void *ctx, struct hsm_link *l, uint64_t id,
		       const struct wire_anchored *m)
{
	struct hsm_pool *p = ctx;

	if (id == 0 || id > p->anchor.id)
		return false; /* never asked for */
	if (l != p->anchor.at || id != p->anchor.id)
		return true; /* nobody waits for it any more */
	if (m->ok) {
		finish(p, SG_OK, m->value);
		return true;
	}
	log_event(LOG_ERROR, "anchor-failed", "key=\"%s\" hsm=%u ckr=0x%llx",
		  p->keys->key[p->anchor.key].label, l->slot,
		  (unsigned long long)m->ckr);
	finish(p, SG_INTERNAL, span_of(NULL, 0));
	return true;
}

void hsm_anchor_lost(struct hsm_pool *p, const struct hsm_link *l)
{
	if (p->anchor.at == l)
		finish(p, SG_TOKEN_DOWN, span_of(NULL, 0));
}

void hsm_anchor_expire(struct hsm_pool *p, uint64_t now_us)
{
	if (p->anchor.at == NULL || now_us < p->anchor.deadline_us)
		return;
	log_event(LOG_ERROR, "anchor-failed",
		  "key=\"%s\" hsm=%u reason=\"no answer\"",
		  p->keys->key[p->anchor.key].label, p->anchor.at->slot);
	finish(p, SG_TIMED_OUT, span_of(NULL, 0));
}
