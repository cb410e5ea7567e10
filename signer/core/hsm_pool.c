/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "fds.h"
#include "hsm_pool_state.h"

enum {
	FLIGHT_MAX = 1 << 16, /* operations at all hsms together */
	US_PER_MS = 1000,
	HANG_MS = 3000,
	/* An hsm ends by itself when a call hangs; a job may have waited for
	 * those before its own: of two packets. */
	STALL_MORE_US = 1000 * 1000
};

/* --- links -------------------------------------------------------------- */

/* What L's processes of the HSM called NAME have in common; what has no name,
 * or is one too many, is alone. */
static struct hsm_breaker *breaker_of(struct hsm_pool *p, struct hsm_link *l,
				      struct span name)
{
	struct hsm_breaker *b;

	if (name.n == 0 || name.n >= sizeof(b->hsm))
		return &l->own;
	for (size_t i = 0; i < p->nhsms; i++)
		if (span_is(name, p->hsm[i].hsm))
			return &p->hsm[i];
	if (p->nhsms == CORE_HSMS_MAX)
		return &l->own;
	b = &p->hsm[p->nhsms++];
	memcpy(b->hsm, name.p, name.n);
	return b;
}

static bool on_ready(void *ctx, struct hsm_link *l,
		     const struct wire_hsm_ready *m)
{
	struct hsm_pool *p = ctx;
	uint64_t left_out;

	l->breaker = breaker_of(p, l, m->hsm);
	for (size_t i = 0; i < m->nkeys; i++) {
		size_t k = 0;
		const enum sg_err err = keyring_offer(p->keys, &m->key[i], &k);

		if (err == SG_NOT_FOUND) {
			log_event(LOG_WARNING, "key-unknown",
				  "hsm=%u reason=\"the configuration has no "
				  "key of that label\"",
				  l->slot);
			continue;
		}
		if (err != SG_OK)
			continue; /* the keyring has logged why */
		if (l->key[k].offered)
			return false; /* twice */
		l->key[k].offered = true;
		l->key[k].number = m->key[i].key;
		l->key[k].test_at_us = l->breaker->until_us;
		p->key[k].hsm = l->breaker;
	}
	if (hush_allows(&p->hush[l->slot], clock_mono_us(), &left_out))
		log_event(LOG_INFO, "hsm-linked",
			  "hsm=%u sessions=%u keys=%u left_out=%llu", l->slot,
			  l->sessions, m->nkeys, (unsigned long long)left_out);
	hsm_test_due(p, l, clock_mono_us());
	hsm_find_due(p, l, clock_mono_us());
	return true;
}

static void on_batch(void *ctx)
{
	hsm_pool_dispatch(ctx);
}

void hsm_pool_alarm(struct hsm_pool *p, const struct hsm_link *l,
		    uint64_t now_us)
{
	const uint64_t until = sigcheck_alarm(p->check, now_us);

	for (size_t k = 0; k < CORE_KEYS_MAX; k++)
		if (l->key[k].offered)
			p->key[k].verify_until_us = until;
}

void hsm_pool_take_back(struct hsm_pool *p, struct hsm_link *l, int avoid)
{
	struct op *op;

	/* From the newest to the oldest, each to the front: order is kept. */
	while ((op = TAILQ_LAST(&l->flight, op_list)) != NULL) {
		hsm_op_recall(p, op);
		if (op->test)
			hsm_test_result(p, l, op->key, false);
		else
			hsm_op_again(p, op, avoid);
	}
}

/* Take everything back from L and close it. */
static void drop_link(struct hsm_pool *p, struct hsm_link *l)
{
	p->link[l->slot] = NULL;
	hsm_pool_take_back(p, l, -1);
	for (size_t k = 0; k < CORE_KEYS_MAX; k++) {
		hsm_test_set(p, l, k, false);
		if (p->key[k].hsm == &l->own)
			p->key[k].hsm = NULL;
	}
	hsm_anchor_lost(p, l);
	hsm_link_close(l);
}

/* One that was never ready has ended before it served: the supervisor says so,
 * again and again where its HSM is away. */
static void log_end(struct hsm_pool *p, const struct hsm_link *l, bool bad)
{
	uint64_t left_out;

	if ((l->ready || bad) &&
	    hush_allows(&p->hush[l->slot], clock_mono_us(), &left_out))
		log_event(LOG_WARNING, "hsm-link-ended",
			  "hsm=%u bad=%d left_out=%llu", l->slot, bad,
			  (unsigned long long)left_out);
}

static void on_end(void *ctx, struct hsm_link *l, bool bad)
{
	struct hsm_pool *p = ctx;
	const uint16_t slot = l->slot;

	log_end(p, l, bad);
	hsm_pool_alarm(p, l, clock_mono_us());
	drop_link(p, l);
	if (bad) {
		metric_add(METRIC_BAD_MESSAGES, 1);
		p->events->bad(p->ctx, slot);
	}
	hsm_pool_dispatch(p);
}

enum sg_err hsm_pool_link(struct hsm_pool *p, uint16_t slot, int fd)
{
	static const struct hsm_link_events events = {
		.ready = on_ready,
		.signed_ = hsm_answer_signed,
		.failed = hsm_answer_failed,
		.anchored = hsm_anchor_answer,
		.found = hsm_find_answer,
		.batch = on_batch,
		.end = on_end};
	const struct hsm_link_parts parts = {.loop = p->loop,
					     .fd = fd,
					     .slot = slot,
					     .events = &events,
					     .ctx = p};
	struct hsm_link *l = NULL;
	enum sg_err err = SG_NOT_FOUND;

	if (slot < HSM_POOL_LINKS_MAX)
		err = hsm_link_open(&parts, &l);
	if (err != SG_OK) {
		fds_close(&fd, 1);
		return err;
	}
	if (p->link[slot] != NULL)
		drop_link(p, p->link[slot]);
	p->link[slot] = l;
	if (slot >= p->nlinks)
		p->nlinks = (size_t)slot + 1;
	return SG_OK;
}

/* --- in and out --------------------------------------------------------- */

enum sg_err hsm_pool_create(uv_loop_t *loop, struct keyring *keys,
			    const struct core_settings *settings,
			    const struct hsm_pool_events *events, void *ctx,
			    struct hsm_pool **out)
{
	struct hsm_pool *p = calloc(1, sizeof(*p));
	const uint64_t now = clock_mono_us();
	enum sg_err err;

	*out = NULL;
	if (p == NULL)
		return SG_NO_MEMORY;
	p->loop = loop;
	p->keys = keys;
	p->events = events;
	p->ctx = ctx;
	sign_queue_init(&p->queue);
	for (size_t k = 0; k < CORE_KEYS_MAX; k++)
		p->key[k].down_since_us = now;
	err = sigcheck_create(settings, &p->check);
	if (err == SG_OK)
		err = slots_create(FLIGHT_MAX, &p->flight);
	if (err != SG_OK) {
		hsm_pool_free(p);
		return err;
	}
	hsm_pool_rates(p, settings);
	*out = p;
	return SG_OK;
}

void hsm_pool_rates(struct hsm_pool *p, const struct core_settings *settings)
{
	const uint64_t hang_ms =
		settings->hang_ms > 0 ? settings->hang_ms : HANG_MS;

	p->test_every_us = (uint64_t)settings->test_sign_ms * US_PER_MS;
	p->stall_us = STALL_MORE_US + 2 * hang_ms * US_PER_MS;
	sigcheck_rates(p->check, settings);
}

enum sg_err hsm_pool_submit(struct hsm_pool *p, struct op *op)
{
	const uint64_t now = clock_mono_us();
	enum sg_err err;

	assert(op->place == OP_OUT && op->key < p->keys->n);
	if (!keyring_finishes(&p->keys->key[op->key]))
		return SG_TOKEN_DOWN;
	if (p->key[op->key].good == 0 &&
	    now - p->key[op->key].down_since_us > HSM_POOL_GRACE_US)
		return SG_TOKEN_DOWN;
	op->test = false;
	err = hsm_op_prepare(p, op, now);
	if (err != SG_OK)
		return err;
	p->key[op->key].load++;
	sign_queue_append(&p->queue, op);
	return SG_OK;
}

void hsm_pool_cancel(struct hsm_pool *p, struct op *op)
{
	if (op->place == OP_OUT)
		return;
	if (op->place == OP_QUEUED)
		sign_queue_remove(&p->queue, op);
	else
		hsm_op_recall(p, op);
	p->key[op->key].load--;
}

/* The least loaded link with room that has not been passed in this round. */
static struct hsm_link *lightest(const struct hsm_pool *p)
{
	struct hsm_link *best = NULL;

	for (size_t i = 0; i < p->nlinks; i++) {
		struct hsm_link *l = p->link[i];

		if (l != NULL && (l->usable & p->queue.waiting) != 0 &&
		    l->passed != p->round && hsm_link_room(l) > 0 &&
		    (best == NULL || hsm_link_lighter(l, best)))
			best = l;
	}
	return best;
}

/* Sessions of all links that can do some of what waits. */
static size_t sessions_for_waiting(const struct hsm_pool *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nlinks; i++) {
		const struct hsm_link *l = p->link[i];

		if (l != NULL && (l->usable & p->queue.waiting) != 0)
			n += l->sessions;
	}
	return n > 0 ? n : 1;
}

/* Keys that another link than L can use. */
static uint64_t usable_elsewhere(const struct hsm_pool *p,
				 const struct hsm_link *l)
{
	uint64_t mask = 0;

	for (size_t k = 0; k < CORE_KEYS_MAX; k++) {
		if (p->key[k].good > (l->key[k].good ? 1U : 0U))
			mask |= UINT64_C(1) << k;
	}
	return mask;
}

/* Send one packet of at most N operations to L.  Returns how many went. */
static size_t fill(struct hsm_pool *p, struct hsm_link *l, size_t n,
		   uint64_t now_us)
{
	const uint64_t elsewhere = usable_elsewhere(p, l);
	size_t sent = 0;
	struct op *op;

	while (sent < n && (op = sign_queue_take(&p->queue, l->usable, l->slot,
						 elsewhere)) != NULL) {
		if (op->deadline_us <= now_us) {
			sign_queue_untake(&p->queue, op);
			hsm_op_finish(p, op, SG_TIMED_OUT, span_of(NULL, 0));
			continue;
		}
		if (hsm_op_send(p, l, op, now_us) != SG_OK) {
			sign_queue_untake(&p->queue, op);
			sign_queue_prepend(&p->queue, op);
			break;
		}
		sent++;
	}
	if (sent > 0)
		hsm_link_cut(l);
	return sent;
}

void hsm_pool_dispatch(struct hsm_pool *p)
{
	const uint64_t now = clock_mono_us();
	size_t backlog;
	size_t sessions;
	struct hsm_link *l;

	p->round++;
	hsm_choose_measure(p, now);
	hsm_choose_strays(p);
	backlog = p->queue.n;
	sessions = sessions_for_waiting(p);
	while (p->queue.waiting != 0 && (l = lightest(p)) != NULL) {
		const size_t room = hsm_link_room(l);
		const size_t batch = hsm_link_batch(l, backlog, sessions);

		if (fill(p, l, batch < room ? batch : room, now) == 0)
			l->passed = p->round;
	}
}

/* Nobody has had key K for too long: nothing more waits for it. */
static void fail_waiting(struct hsm_pool *p, size_t k)
{
	struct op *op;

	while ((op = sign_queue_first(&p->queue, k)) != NULL) {
		sign_queue_remove(&p->queue, op);
		hsm_op_finish(p, op, SG_TOKEN_DOWN, span_of(NULL, 0));
	}
}

void hsm_pool_tick(struct hsm_pool *p)
{
	uint64_t now = clock_mono_us();
	uint64_t down = 0;

	for (size_t i = 0; i < p->nlinks; i++) {
		struct hsm_link *l = p->link[i];

		if (l == NULL)
			continue;
		if (hsm_test_stuck(p, l, now)) {
			log_event(LOG_ERROR, "hsm-stuck", "hsm=%u", l->slot);
			drop_link(p, l);
			p->events->bad(p->ctx, (uint16_t)i);
		} else {
			hsm_test_due(p, l, now);
			hsm_find_due(p, l, now);
		}
	}
	now = clock_mono_us(); /* not before what was just noted */
	for (size_t k = 0; k < p->keys->n; k++) {
		if (p->key[k].good > 0)
			continue;
		down += p->keys->key[k].state == KEY_ACTIVE ? 1 : 0;
		if (now - p->key[k].down_since_us > HSM_POOL_GRACE_US)
			fail_waiting(p, k);
	}
	metric_set(METRIC_KEYS_DOWN, down);
	hsm_anchor_expire(p, now);
	hsm_pool_dispatch(p);
}

size_t hsm_pool_load(const struct hsm_pool *p, size_t key)
{
	return p->key[key].load;
}

size_t hsm_pool_good(const struct hsm_pool *p, size_t key)
{
	return p->key[key].good;
}

void hsm_pool_free(struct hsm_pool *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->nlinks; i++) {
		struct hsm_link *l = p->link[i];
		struct op *op;

		if (l == NULL)
			continue;
		while ((op = TAILQ_FIRST(&l->flight)) != NULL)
			hsm_op_recall(p, op);
		hsm_link_close(l);
	}
	sigcheck_free(p->check);
	slots_free(p->flight);
	free(p);
}
