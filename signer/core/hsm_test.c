/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "hsm_pool_state.h"

enum { SAY_EVERY_US = 1000 * 1000 };

/* Key K at L has become good, or is out: a line once a second, fewer where that
 * goes on, and another one when it is over. */
static void say(struct hsm_pool *p, struct hsm_link *l, size_t k)
{
	struct hsm_link_key *lk = &l->key[k];
	const uint64_t now = clock_mono_us();
	uint64_t left_out = 0;

	if (lk->good ? lk->said_us != 0 && !lk->said
		     : lk->said_us != 0 && now - lk->said_us < SAY_EVERY_US)
		return;
	if (!lk->good)
		lk->said_us = now;
	/* That all is well again is said wherever it was said that it is not.
	 */
	if (!(lk->good && lk->said) &&
	    !hush_allows(&p->hush[l->slot], now, &left_out))
		return;
	lk->said = !lk->good;
	log_event(lk->good ? LOG_INFO : LOG_WARNING,
		  lk->good ? "key-usable" : "key-unusable",
		  "key=\"%s\" hsm=%u left_out=%llu", p->keys->key[k].label,
		  l->slot, (unsigned long long)left_out);
}

void hsm_test_set(struct hsm_pool *p, struct hsm_link *l, size_t k, bool good)
{
	struct hsm_link_key *lk = &l->key[k];

	if (lk->good == good)
		return;
	lk->good = good;
	p->measured_us = 0;
	if (good) {
		l->usable |= UINT64_C(1) << k;
		p->key[k].good++;
	} else {
		l->usable &= ~(UINT64_C(1) << k);
		if (--p->key[k].good == 0)
			p->key[k].down_since_us = clock_mono_us();
	}
	say(p, l, k);
	p->events->changed(p->ctx);
}

void hsm_test_result(struct hsm_pool *p, struct hsm_link *l, size_t k,
		     bool good)
{
	struct hsm_link_key *lk = &l->key[k];
	uint64_t wait = p->test_every_us;

	if (good) {
		lk->failures = lk->bad_tests = 0;
	} else {
		const uint64_t soon = hsm_breaker_retest_us(++lk->bad_tests);

		wait = soon < wait ? soon : wait;
	}
	lk->test_at_us = clock_mono_us() + wait;
	hsm_test_set(p, l, k, good);
}

void hsm_test_untold(struct hsm_pool *p, struct hsm_link *l, size_t k)
{
	const uint64_t soon = hsm_breaker_retest_us(1);

	/* One that is out stays so, and is tested as seldom as one that fails.
	 */
	if (!l->key[k].good)
		hsm_test_result(p, l, k, false);
	else
		l->key[k].test_at_us =
			clock_mono_us() +
			(soon < p->test_every_us ? soon : p->test_every_us);
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
	op->deadline_us = now + p->stall_us;
	if (hsm_op_prepare(p, op, now) != SG_OK)
		hsm_test_untold(p, l, k);
	else if (hsm_op_send(p, l, op, now) != SG_OK)
		hsm_test_result(p, l, k, false);
	else
		hsm_link_cut(l);
}

/* One that signs no more is left alone when its last request is done. */
static bool is_tested(const struct hsm_pool *p, size_t k)
{
	return keyring_in_use(&p->keys->key[k]) || p->key[k].load > 0;
}

/* Is key K at an hsm, LK, out for a while, and wanted now? */
static bool is_missed(const struct hsm_pool *p, const struct hsm_link_key *lk,
		      size_t k)
{
	return !lk->good && lk->bad_tests == 0 && !hsm_choose_covered(p, k);
}

void hsm_test_due(struct hsm_pool *p, struct hsm_link *l, uint64_t now_us)
{
	for (size_t k = 0; k < CORE_KEYS_MAX; k++) {
		struct hsm_link_key *lk = &l->key[k];

		if (!lk->offered || !is_tested(p, k))
			continue;
		if (!lk->good && !lk->said && lk->said_us != 0)
			say(p, l, k); /* what could not be said at once */
		if (lk->test.place == OP_OUT &&
		    (now_us >= lk->test_at_us || is_missed(p, lk, k)))
			test_start(p, l, k);
	}
}

bool hsm_test_stuck(struct hsm_pool *p, struct hsm_link *l, uint64_t now_us)
{
	struct op *op = TAILQ_FIRST(&l->flight);

	if (l->stalled != 0 && now_us - l->stalled_us >= p->stall_us)
		return true;
	if (op == NULL || now_us - op->sent_us < p->stall_us)
		return false;
	log_event(LOG_ERROR, "hsm-stalled", "hsm=%u in_flight=%zu", l->slot,
		  l->in_flight);
	if (l->stalled == 0) {
		l->stalled = op->id;
		l->stalled_us = now_us;
	}
	/* All of it, and none of the keys stays in use before it has proved
	 * itself again: the whole process may have stopped. */
	hsm_pool_take_back(p, l, l->slot);
	for (size_t k = 0; k < CORE_KEYS_MAX; k++) {
		if (l->key[k].offered)
			hsm_test_doubt(p, l, k);
	}
	return false;
}

/* Key K at L is out, and is tested at TEST_AT_US, NOW_US or later. */
static void put_out(struct hsm_pool *p, struct hsm_link *l, size_t k,
		    uint64_t test_at_us, uint64_t now_us)
{
	hsm_test_set(p, l, k, false);
	l->key[k].failures = 0;
	l->key[k].test_at_us = test_at_us;
	if (l->key[k].test.place == OP_OUT && test_at_us <= now_us &&
	    is_tested(p, k))
		test_start(p, l, k);
}

void hsm_test_doubt(struct hsm_pool *p, struct hsm_link *l, size_t k)
{
	const uint64_t now = clock_mono_us();
	uint64_t at = hsm_breaker_trip(l->breaker, now);

	/* One that fails now and then is better than none: what it signs is
	 * verified. */
	if (!hsm_choose_covered(p, k))
		at = now;
	for (size_t i = 0; i < p->nlinks; i++) {
		struct hsm_link *m = p->link[i];

		if (m != NULL && m->breaker == l->breaker &&
		    m->key[k].offered && (m == l || m->key[k].good))
			put_out(p, m, k, at, now);
	}
}
