/* SPDX-License-Identifier: Apache-2.0 */
/* Which key signs: the one that will have done so first. */
#include "hsm_pool_state.h"

enum {
	MEASURE_US = 10 * 1000,
	UNKNOWN_US = 1000, /* a signature, before there was one */
	/* Away for this long and so many signatures' time: the hsm stands
	 * still, whatever becomes of it. */
	STILL_US = 250 * 1000,
	STILL_TIMES = 8,
	LOOK_MAX = 32, /* into a queue, for what others could sign */
	US_PER_S = 1000 * 1000
};

/* --- how quick ---------------------------------------------------------- */

/* Signatures a second of L at NOW_US. */
static uint64_t speed_of(const struct hsm_link *l, uint64_t now_us)
{
	const struct op *oldest = TAILQ_FIRST(&l->flight);
	uint64_t us = l->sign_us > 0 ? l->sign_us : l->test_us;

	if (us == 0)
		us = UNKNOWN_US;
	if (oldest != NULL &&
	    now_us - oldest->sent_us > STILL_US + STILL_TIMES * us)
		return 0;
	return (uint64_t)l->sessions * US_PER_S / us;
}

void hsm_choose_measure(struct hsm_pool *p, uint64_t now_us)
{
	uint64_t left;

	if (now_us - p->measured_us < MEASURE_US)
		return;
	p->measured_us = now_us;
	for (size_t k = 0; k < p->keys->n; k++)
		p->key[k].speed = p->key[k].sessions = 0;
	for (size_t i = 0; i < p->nlinks; i++) {
		const struct hsm_link *l = p->link[i];

		if (l == NULL)
			continue;
		for (left = l->usable; left != 0; left &= left - 1) {
			const int k = __builtin_ctzll(left);

			p->key[k].speed += speed_of(l, now_us);
			p->key[k].sessions += l->sessions;
		}
	}
}

static bool fits(const struct hsm_pool *p, size_t k,
		 const struct hsm_span_of_time *t)
{
	const struct policy_bounds *b = &p->keys->key[k].bounds;

	return b->not_before <= t->iat && t->exp <= b->not_after;
}

/* An operation more is signed by key K within this, in units of one second by
 * its speed: at once where a session is free, and otherwise after what waits.
 * The time of a signature itself counts: a slow HSM that is idle is not quicker
 * than a quick one with some to do, and streams answer in order. */
static uint64_t turns(const struct hsm_pool *p, size_t k)
{
	const uint64_t ahead = p->key[k].load + 1;

	return ahead > p->key[k].sessions ? ahead : p->key[k].sessions;
}

/* Would an operation more be signed by key A before B? */
static bool better(const struct hsm_pool *p, size_t a, size_t b)
{
	const uint64_t good_a = p->key[a].good;
	const uint64_t good_b = p->key[b].good;

	if (good_a == 0 || good_b == 0)
		return good_a > good_b;
	return turns(p, a) * p->key[b].speed < turns(p, b) * p->key[a].speed;
}

/* --- which -------------------------------------------------------------- */

enum sg_err hsm_pool_choose(struct hsm_pool *p, enum dcc_kind kind,
			    const struct hsm_span_of_time *t, size_t *key)
{
	const size_t n = p->keys->n;
	size_t best = n;

	p->turn++; /* among equals, take turns */
	for (size_t i = 0; i < n; i++) {
		const size_t k = (p->turn + i) % n;

		if (!keyring_signs(p->keys, k, kind, t->now))
			continue;
		if (best == n || fits(p, k, t) > fits(p, best, t) ||
		    (fits(p, k, t) == fits(p, best, t) && better(p, k, best)))
			best = k;
	}
	if (best < n) {
		*key = best;
		return SG_OK;
	}
	for (size_t k = 0; k < n; k++) {
		if (p->keys->key[k].state == KEY_ACTIVE &&
		    (p->keys->key[k].kinds & DCC_KIND_BIT(kind)) != 0 &&
		    !p->keys->key[k].has_dsc)
			return SG_TOKEN_DOWN;
	}
	return SG_NO_KEY;
}

/* Do keys A and B lie in the same HSM, as far as is known? */
static bool same_hsm(const struct hsm_pool *p, size_t a, size_t b)
{
	return p->key[a].hsm != NULL && p->key[a].hsm == p->key[b].hsm;
}

enum sg_err hsm_pool_choose_other(struct hsm_pool *p, size_t than,
				  enum dcc_kind kind,
				  const struct hsm_span_of_time *t, size_t *key)
{
	const size_t n = p->keys->n;
	size_t best = n;

	for (size_t k = 0; k < n; k++) {
		if (k == than || p->key[k].good == 0 ||
		    !keyring_signs(p->keys, k, kind, t->now) ||

		    fits(p, k, t) < fits(p, than, t))
			continue;
		if (best < n && same_hsm(p, k, than) &&
		    !same_hsm(p, best, than))
			continue;
		if (best == n || better(p, k, best) ||
		    (same_hsm(p, best, than) && !same_hsm(p, k, than)))
			best = k;
	}
	if (best == n)
		return SG_NO_KEY;
	*key = best;
	return SG_OK;
}

/* --- elsewhere ---------------------------------------------------------- */

/* Can another key THAN that, of another HSM or of ANY, sign some of KINDS now?
 * When its certificate runs out is for the owner of what it signs to see. */
static bool other_key(const struct hsm_pool *p, size_t than, unsigned kinds,
		      bool any)
{
	for (size_t k = 0; k < p->keys->n; k++) {
		const struct key *key = &p->keys->key[k];

		if (k != than && (key->kinds & kinds) != 0 &&
		    key->state == KEY_ACTIVE && p->key[k].good > 0 &&
		    p->key[k].speed > 0 && (any || !same_hsm(p, k, than)))
			return true;
	}
	return false;
}

bool hsm_choose_elsewhere(const struct hsm_pool *p, const struct op *op)
{
	return other_key(p, op->key, op->kinds, false);
}

bool hsm_choose_covered(const struct hsm_pool *p, size_t k)
{
	return other_key(p, k, p->keys->key[k].kinds, false);
}

/* One of OPS that another key could sign; NULL: none, as far as it was looked.
 */
static struct op *stray_in(const struct hsm_pool *p, struct op_list *ops)
{
	struct op *op;
	unsigned looked = 0;

	TAILQ_FOREACH (op, ops, entry) {
		if (other_key(p, op->key, op->kinds, true))
			return op;
		if (++looked == LOOK_MAX)
			break;
	}
	return NULL;
}

static struct op *stray_of(struct hsm_pool *p, size_t k)
{
	struct op *op = stray_in(p, &p->queue.key[k].ops[SIGN_SINGLE]);

	return op != NULL ? op : stray_in(p, &p->queue.key[k].ops[SIGN_BULK]);
}

void hsm_choose_strays(struct hsm_pool *p)
{
	uint64_t left;
	struct op *op;

	for (left = p->queue.waiting; left != 0; left &= left - 1) {
		const size_t k = (size_t)__builtin_ctzll(left);

		/* One at a time: who gets it back may take others out. */
		while ((p->key[k].good == 0 || p->key[k].speed == 0) &&
		       (op = stray_of(p, k)) != NULL) {
			sign_queue_remove(&p->queue, op);
			hsm_op_finish(p, op, SG_TOKEN_DOWN, span_of(NULL, 0));
		}
	}
}
