/* SPDX-License-Identifier: Apache-2.0 */
/* hsm_link: how much goes to an hsm at a time. */
#include "core/desk_state.h"
#include "core/hsm_pool_state.h"
#include "office.h"

static void issue_many(struct office *o, unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++)
		front_issue(&o->front[0], i, &(struct ask){.serial = i});
}

static void assert_all_good(struct office *o, unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++) {
		const struct answer *a = front_answer(&o->front[0], i);

		assert_non_null(a);
		assert_certificate(o, a, &(struct ask){.serial = i});
	}
}

/* Few jobs go one a packet to both; many go several a packet, and no more
 * than keeps the sessions busy. */
static void test_batches(void **state)
{
	struct office *o = office_ready(COSE_ES256, 2);

	(void)state;
	issue_many(o, 1, 2);
	OFFICE_WAIT(o, o->front[0].n == 2);
	assert_int_equal(o->hsm[0].jobs, 1);
	assert_int_equal(o->hsm[1].jobs, 1);
	/* What there is is shared evenly. */
	issue_many(o, 201, 204);
	OFFICE_WAIT(o, o->front[0].n == 6);
	assert_int_equal(o->hsm[0].jobs, 3);
	assert_int_equal(o->hsm[1].jobs, 3);
	/* They told 330 us a signature: 8 ms hold more than is enough. */
	o->hsm[0].mood = HSM_HOLDS;
	o->hsm[1].mood = HSM_HOLDS;
	issue_many(o, 3, 102);
	OFFICE_WAIT(o, o->hsm[0].nheld + o->hsm[1].nheld == 64);
	OFFICE_UNTIL(o, 20, false);
	assert_int_equal(o->hsm[0].nheld, 32); /* two packets a session */
	assert_int_equal(o->hsm[1].nheld, 32);
	assert_int_equal(o->hsm[0].most_in_packet, 16);
	o->hsm[0].mood = HSM_SIGNS;
	o->hsm[1].mood = HSM_SIGNS;
	hsm_release_held(&o->hsm[0]);
	hsm_release_held(&o->hsm[1]);
	OFFICE_WAIT(o, o->front[0].n == 106);
	assert_all_good(o, 1, 102);
	assert_true(o->hsm[0].packets < o->hsm[0].jobs / 2);
	office_close(o);
}

/* An office with one hsm of one session that has told SIGN_US, and then holds
 * what it gets. */
static struct office *open_holding(uint32_t sign_us)
{
	struct office *o = office_ready(COSE_ES256, 1);

	o->hsm[0].sign_us = sign_us;
	issue_many(o, 1, 1);
	OFFICE_WAIT(o, o->front[0].n == 1);
	o->hsm[0].mood = HSM_HOLDS;
	o->hsm[0].packets = 0;
	return o;
}

/* Ask for FROM to TO, each by itself, as requests trickle in. */
static void trickle(struct office *o, unsigned from, unsigned to)
{
	const size_t before = desk_in_flight(o->desk);

	for (unsigned i = from; i <= to; i++) {
		issue_many(o, i, i);
		OFFICE_WAIT(o,
			    desk_in_flight(o->desk) == before + i - from + 1);
	}
	OFFICE_UNTIL(o, 20, false);
}

/* A session has two packets; what trickles in meanwhile goes together. */
static void test_trickle_gathers(void **state)
{
	struct office *o = open_holding(330);
	struct fake_hsm *h = &o->hsm[0];

	(void)state;
	trickle(o, 2, 13);
	assert_int_equal(h->nheld, 2);
	assert_int_equal(h->packets, 2);
	hsm_answer(h, h->held[0].id, HSM_FIRST,
		   span_of(h->held[0].tbs, h->held[0].n), HSM_SIGNS);
	OFFICE_WAIT(o, h->nheld == 12);
	assert_int_equal(h->packets, 3);
	assert_int_equal(h->most_in_packet, 10);
	h->mood = HSM_SIGNS;
	for (size_t i = 1; i < h->nheld; i++)
		hsm_answer(h, h->held[i].id, HSM_FIRST,
			   span_of(h->held[i].tbs, h->held[i].n), HSM_SIGNS);
	OFFICE_WAIT(o, o->front[0].n == 13);
	assert_all_good(o, 1, 13);
	/* Both packets were answered by one: nobody waits for the other. */
	h->mood = HSM_HOLDS;
	h->nheld = 0;
	trickle(o, 14, 15);
	assert_int_equal(h->nheld, 2);
	h->mood = HSM_SIGNS;
	hsm_release_held(h);
	OFFICE_WAIT(o, o->front[0].n == 15);
	office_close(o);
}

/* Quick signatures go by the time that they take, more than sixteen at once. */
static void test_quick_batches(void **state)
{
	struct office *o = open_holding(50);
	struct fake_hsm *h = &o->hsm[0];

	(void)state;
	issue_many(o, 2, 121);
	OFFICE_WAIT(o, h->nheld == 80);
	OFFICE_UNTIL(o, 20, false);
	assert_int_equal(h->nheld, 80); /* two packets of 2 ms */
	assert_int_equal(h->most_in_packet, 40);
	h->mood = HSM_SIGNS;
	hsm_release_held(h);
	OFFICE_WAIT(o, o->front[0].n == 121);
	assert_all_good(o, 1, 121);
	/* Not where a key of it is slow. */
	hsm_link_tested(o->desk->pool->link[0], 0, 1001);
	h->mood = HSM_HOLDS;
	h->nheld = h->most_in_packet = 0;
	issue_many(o, 122, 200);
	OFFICE_WAIT(o, h->nheld == 32);
	OFFICE_UNTIL(o, 20, false);
	assert_int_equal(h->nheld, 32);
	assert_int_equal(h->most_in_packet, 16);
	h->mood = HSM_SIGNS;
	hsm_release_held(h);
	OFFICE_WAIT(o, o->front[0].n == 200);
	office_close(o);
}

/* Two packets of one quick signature each would be done before the next one
 * comes: it goes at once, until there is work for 300 us. */
static void test_trickle_to_a_quick_one(void **state)
{
	struct office *o = open_holding(20);
	struct fake_hsm *h = &o->hsm[0];

	(void)state;
	trickle(o, 2, 21);
	assert_int_equal(h->nheld, 15);
	assert_int_equal(h->packets, 15);
	h->mood = HSM_SIGNS;
	hsm_release_held(h);
	OFFICE_WAIT(o, o->front[0].n == 21);
	assert_all_good(o, 1, 21);
	office_close(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_quick_batches),
		cmocka_unit_test(test_trickle_gathers),
		cmocka_unit_test(test_trickle_to_a_quick_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
