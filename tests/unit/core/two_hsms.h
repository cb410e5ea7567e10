/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_TWO_HSMS_H
#define SG_TEST_TWO_HSMS_H

/* A bureau with two HSMs: key dsc-1 is in a (0), dsc-2 in b (1). */
#include "bureau.h"

enum { A = 0, B = 1 };

static inline struct bureau *open_two(void)
{
	return bureau_open_keys(2);
}

static inline void set_moods(struct bureau *b, enum hsm_mood a,
			     enum hsm_mood other)
{
	b->o.hsm[A].mood = a;
	b->o.hsm[B].mood = other;
}

static inline void ask_many(struct bureau *b, unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++)
		front_issue(&b->o.front[0], i, &(struct ask){.serial = i});
}

/* One after the other. */
static inline void ask_singly(struct bureau *b, unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++)
		(void)bureau_answer(b, 0, i, &(struct ask){.serial = i});
}

/* Requests 1 to 20 have measured both: a is slow.  Speeds are measured when
 * something is sent, at most every 10 ms: the first one after this may still go
 * by the old ones. */
static inline void measure_slow_a(struct bureau *b)
{
	b->o.hsm[A].sign_us = 50000;
	b->o.hsm[B].sign_us = 1000;
	ask_singly(b, 1, 20);
	OFFICE_UNTIL(&b->o, 50, false);
}

static inline void assert_all_by(struct bureau *b, const struct signer *s,
				 unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++) {
		const struct answer *a = front_answer(&b->o.front[0], i);

		assert_certificate(&b->o, a, &(struct ask){.serial = i});
		assert_ptr_equal(office_signer(&b->o, a), s);
	}
}

static inline void assert_idle(struct bureau *b)
{
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 0);
	assert_int_equal(hsm_pool_load(b->pool, A), 0);
	assert_int_equal(hsm_pool_load(b->pool, B), 0);
	assert_int_equal(b->o.bad_hsms, 0);
}

#endif /* SG_TEST_TWO_HSMS_H */
