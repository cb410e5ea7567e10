/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "hsm_pool_state.h"

enum {
	TEST_DEADLINE_US = 5 * 1000 * 1000,
	RETEST_US = 1000 * 1000 /* after a test signature that failed */
};

void hsm_test_set(struct hsm_pool *p, struct hsm_link *l, size_t k, bool good)
{
	struct hsm_link_key *lk = &l->key[k];

	if (lk->good == good)
		return;
	lk->good = good;
	if (good) {
		l->usable |= UINT64_C(1) << k;
		p->key[k].good++;
	} else {
		l->usable &= ~(UINT64_C(1) << k);
		if (--p->key[k].good == 0)
			p->key[k].down_since_us = clock_mono_us();
	}
	log_event(good ? LOG_INFO : LOG_WARNING,
		  good ? "key-usable" : "key-unusable", "key=\"%s\" hsm=%u",
		  p->keys->key[k].label, l->slot);
	p->events->changed(p->ctx);
}

void hsm_test_result(struct hsm_pool *p, struct hsm_link *l, size_t k,
		     bool good)
{
	const uint64_t wait = good || p->test_every_us < RETEST_US
				      ? p->test_every_us
				      : RETEST_US;

	l->key[k].test_at_us = clock_mono_us() + wait;
	if (good)
		l->key[k].failures = 0;
	hsm_test_set(p, l, k, good);
}

static void test_start(struct hsm_pool *p, struct hsm_link *l, size_t k)
{
	struct hsm_link_key *lk = &l->key[k];
	const uint64_t now = clock_mono_us();
	struct op *op = &lk->test;

	op->key = k;
	op->test = true;
	op->message = span_of(
		lk->test_message,
		keyring_test_message(&p->keys->key[k], lk->test_message));
	op->deadline_us = now + TEST_DEADLINE_US;
	if (hsm_op_prepare(p, op, now) != SG_OK ||
	    hsm_op_send(p, l, op, now) != SG_OK)
		hsm_test_result(p, l, k, false);
	else
		hsm_link_cut(l);
}

void hsm_test_due(struct hsm_pool *p, struct hsm_link *l, uint64_t now_us)
{
	for (size_t k = 0; k < l->nkeys; k++) {
		struct hsm_link_key *lk = &l->key[k];

		if (!lk->offered)
			continue;
		if (lk->test.place == OP_OUT && now_us >= lk->test_at_us) {
			test_start(p, l, k);
		} else if (lk->test.place == OP_AT_HSM &&
			   now_us >= lk->test.deadline_us) {
			hsm_op_recall(p, &lk->test);
			hsm_test_result(p, l, k, false);
		}
	}
}

void hsm_test_doubt(struct hsm_pool *p, struct hsm_link *l, size_t k)
{
	hsm_test_set(p, l, k, false);
	if (l->key[k].test.place == OP_OUT)
		test_start(p, l, k);
}
