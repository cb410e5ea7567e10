/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that were made since the hsms began: each is asked for those of its HSM
 * that it has not offered; and keys that must not sign any more. */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "hsm_pool_state.h"

enum { FIND_AGAIN_US = 3 * 1000 * 1000 };

static bool is_wanted(const struct hsm_pool *p, const struct hsm_link *l,
		      size_t k, uint64_t now_us)
{
	const struct key *key = &p->keys->key[k];
	const struct hsm_link_key *lk = &l->key[k];

	return key->made && keyring_in_use(key) && !lk->offered &&
	       !lk->finding && now_us >= lk->find_at_us &&
	       strcmp(key->hsm, l->hsm) == 0;
}

void hsm_find_due(struct hsm_pool *p, struct hsm_link *l, uint64_t now_us)
{
	if (!l->ready)
		return;
	for (size_t k = 0; k < p->keys->n; k++) {
		if (!is_wanted(p, l, k, now_us))
			continue;
		l->key[k].find_at_us = now_us + FIND_AGAIN_US;
		/* One that does not read is asked again. */
		if (hsm_link_find(l, k, &p->keys->key[k]) != SG_OK)
			return;
	}
}

bool hsm_find_answer(void *ctx, struct hsm_link *l, uint64_t id,
		     const struct wire_found_key *m)
{
	struct hsm_pool *p = ctx;
	const size_t asked = (size_t)id;
	const uint64_t now = clock_mono_us();
	size_t k = 0;

	if (l->key[asked].void_find) {
		l->key[asked].void_find = false;
		return true; /* of the key before */
	}
	l->key[asked].find_at_us = now + FIND_AGAIN_US;
	if (!m->ok)
		return true;
	if (!span_is(m->key.label, p->keys->key[asked].label))
		return false;
	/* The keyring logs what is wrong with it. */
	if (keyring_offer(p->keys, &m->key, &k) != SG_OK || l->key[k].offered)
		return true;
	l->key[k].offered = true;
	l->key[k].number = m->key.key;
	l->key[k].test_at_us = l->breaker->until_us;
	p->key[k].hsm = l->breaker;
	log_event(LOG_INFO, "key-found", "key=\"%s\" hsm=%u",
		  p->keys->key[k].label, l->slot);
	hsm_test_due(p, l, now);
	return true;
}

void hsm_pool_find(struct hsm_pool *p)
{
	const uint64_t now = clock_mono_us();

	for (size_t i = 0; i < p->nlinks; i++) {
		struct hsm_link *l = p->link[i];

		if (l == NULL)
			continue;
		for (size_t k = 0; k < p->keys->n; k++)
			l->key[k].find_at_us = 0;
		hsm_find_due(p, l, now);
		hsm_test_due(p, l, now);
	}
}

/* The first operation with key K that L has in flight, tests but. */
static struct op *in_flight(const struct hsm_link *l, size_t k)
{
	struct op *op;

	TAILQ_FOREACH (op, &l->flight, entry)
		if (op->key == k && !op->test)
			return op;
	return NULL;
}

void hsm_pool_stop(struct hsm_pool *p, size_t key)
{
	struct op *op;

	while ((op = sign_queue_first(&p->queue, key)) != NULL) {
		sign_queue_remove(&p->queue, op);
		hsm_op_finish(p, op, SG_TOKEN_DOWN, span_of(NULL, 0));
	}
	for (size_t i = 0; i < p->nlinks; i++) {
		if (p->link[i] == NULL)
			continue;
		while ((op = in_flight(p->link[i], key)) != NULL) {
			hsm_op_recall(p, op);
			hsm_op_finish(p, op, SG_TOKEN_DOWN, span_of(NULL, 0));
		}
	}
}

static void forget_at(struct hsm_pool *p, struct hsm_link *l, size_t key)
{
	struct hsm_link_key *lk = &l->key[key];
	const bool finding = lk->finding;

	if (lk->test.place == OP_AT_HSM)
		hsm_op_recall(p, &lk->test);
	if (lk->good)
		p->key[key].good--;
	l->usable &= ~(UINT64_C(1) << key);
	*lk = (struct hsm_link_key){.finding = finding, .void_find = finding};
}

void hsm_pool_forget(struct hsm_pool *p, size_t key)
{
	hsm_pool_stop(p, key);
	for (size_t i = 0; i < p->nlinks; i++)
		if (p->link[i] != NULL)
			forget_at(p, p->link[i], key);
	assert(p->key[key].good == 0 && p->key[key].load == 0);
	memset(&p->key[key], 0, sizeof(p->key[key]));
	p->key[key].down_since_us = clock_mono_us();
	p->measured_us = 0;
	p->events->changed(p->ctx);
}

void hsm_pool_look(const struct hsm_pool *p, size_t first, size_t n,
		   struct hsm_pool_view *out)
{
	uint64_t us = 0;
	size_t timed = 0;

	*out = (struct hsm_pool_view){0};
	for (size_t i = first; i < first + n && i < HSM_POOL_LINKS_MAX; i++) {
		const struct hsm_link *l = p->link[i];

		out->errors += p->errors[i];
		if (l == NULL || !l->ready)
			continue;
		out->up++;
		out->sessions += l->sessions;
		if (l->usable != 0)
			out->good++;
		if (l->sign_us == 0)
			continue;
		us += l->sign_us;
		timed++;
	}
	if (timed > 0)
		out->sign_us = (uint32_t)(us / timed);
}
