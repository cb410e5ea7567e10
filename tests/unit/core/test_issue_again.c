/* SPDX-License-Identifier: Apache-2.0 */
/* issue_again: requests whose key's HSM fails, and another one has a key.  Key
 * dsc-1 is in HSM a (0), dsc-2 in HSM b (1). */
#include "two_hsms.h"

#define POLICY(limits)                                                         \
	"version: 1\nprofiles: [{name: p, rules: {unknown-field: warning}}]\n" \
	"clients:\n  - {name: issuer, identities: [\"uri:urn:test:issuer\"], " \
	"operations: [issue, validate], kinds: [v], countries: [VN], "         \
	"issuers: [\"*\"], profile: p, validity: {v: 365d}" limits "}\n"

/* Whatever a does with it, b signs it, with its own kid. */
static void moves_to_b(enum hsm_mood mood)
{
	struct bureau *b = open_two();

	set_moods(b, mood, HSM_SIGNS);
	ask_many(b, 1, 30);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 30);
	assert_all_by(b, &b->o.second, 1, 30);
	assert_true(b->o.hsm[A].jobs > 0);
	assert_true(office_metric(&b->o, METRIC_REQUEUED) > 0);
	assert_int_equal(office_metric(&b->o, METRIC_FAILED), 0);
	assert_int_equal(b->release.signed_items, 30);
	assert_idle(b);
	/* What is on record is what was given out. */
	assert_same_certificate(
		front_answer(&b->o.front[0], 1),
		bureau_answer(b, 1, 99, &(struct ask){.serial = 1}));
	bureau_close(b);
}

static void test_fails(void **state)
{
	(void)state;
	moves_to_b(HSM_FAILS);
}

static void test_fails_all(void **state)
{
	(void)state;
	moves_to_b(HSM_FAILS_ALL);
}

static void test_wrong(void **state)
{
	(void)state;
	moves_to_b(HSM_SIGNS_WRONG);
}

/* What was in flight and in the queue of the one that dies goes over at once,
 * and nothing more is tried there. */
static void test_dies(void **state)
{
	struct bureau *b = open_two();

	(void)state;
	set_moods(b, HSM_HOLDS, HSM_HOLDS);
	ask_many(b, 1, 30);
	OFFICE_WAIT(&b->o,
		    b->o.hsm[A].nheld > 0 && b->o.hsm[B].nheld > 0 &&
			    hsm_pool_load(b->pool, A) > b->o.hsm[A].nheld);
	office_kill_hsm(&b->o, A);
	OFFICE_WAIT(&b->o, hsm_pool_load(b->pool, A) == 0);
	assert_int_equal(hsm_pool_load(b->pool, B), 30);
	b->o.hsm[B].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[B]);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 30);
	assert_all_by(b, &b->o.second, 1, 30);
	assert_idle(b);
	bureau_close(b);
}

/* Both are gone: all of it waits for the grace, and no longer. */
static void test_all_down(void **state)
{
	struct bureau *b = open_two();
	struct fake_front *f = &b->o.front[0];
	uint64_t begin;

	(void)state;
	office_kill_hsm(&b->o, A);
	office_kill_hsm(&b->o, B);
	OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, A) == 0 &&
				   hsm_pool_good(b->pool, B) == 0);
	ask_many(b, 1, 4);
	OFFICE_WAIT(&b->o, f->n == 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(f->answer[i].err, SG_TOKEN_DOWN);
	begin = clock_mono_us();
	ask_many(b, 5, 5);
	OFFICE_WAIT(&b->o, f->n == 5);
	assert_int_equal(f->answer[4].err, SG_TOKEN_DOWN);
	assert_true(clock_mono_us() - begin < HSM_POOL_GRACE_US / 2);
	/* The first of them that is back signs what comes. */
	bureau_add_hsm(b, B, HSM_SIGNS);
	OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, B) > 0);
	ask_many(b, 6, 9);
	OFFICE_WAIT(&b->o, f->n == 9);
	assert_all_by(b, &b->o.second, 6, 9);
	assert_idle(b);
	bureau_close(b);
}

/* Waiting for one that has just died, and the other one comes back. */
static void test_other_comes_back(void **state)
{
	struct bureau *b = open_two();

	(void)state;
	office_kill_hsm(&b->o, B);
	OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, B) == 0);
	b->o.hsm[A].mood = HSM_HOLDS;
	ask_many(b, 1, 10);
	OFFICE_WAIT(&b->o, b->o.hsm[A].nheld > 0);
	office_kill_hsm(&b->o, A);
	bureau_add_hsm(b, B, HSM_SIGNS);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 10);
	assert_all_by(b, &b->o.second, 1, 10);
	assert_idle(b);
	bureau_close(b);
}

/* Both fail: it goes to and fro, is refused once, and holds nothing. */
static void test_both_fail(void **state)
{
	struct bureau *b = open_two();
	struct fake_front *f = &b->o.front[0];

	(void)state;
	set_moods(b, HSM_FAILS, HSM_FAILS);
	ask_many(b, 1, 1);
	OFFICE_WAIT(&b->o, f->n == 1);
	assert_int_equal(f->answer[0].err, SG_TOKEN_DOWN);
	assert_idle(b);
	set_moods(b, HSM_SIGNS, HSM_SIGNS);
	assert_certificate(&b->o,
			   bureau_answer(b, 0, 2, &(struct ask){.serial = 1}),
			   &(struct ask){.serial = 1});
	assert_int_equal(f->n, 2);
	bureau_close(b);
}

/* --- what is kept -------------------------------------------------------- */

/* HSM a has request ID, and holds it; b has none. */
static void held_by_a(struct bureau *b, uint64_t id, const struct ask *ask)
{
	set_moods(b, HSM_HOLDS, HSM_HOLDS);
	office_kill_hsm(&b->o, B);
	OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, B) == 0);
	front_issue(&b->o.front[0], id, ask);
	OFFICE_WAIT(&b->o, b->o.hsm[A].nheld == 1);
	bureau_add_hsm(b, B, HSM_SIGNS);
	OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, B) > 0);
}

/* Warnings and an expiry of the request's own go along. */
static void test_parts(void **state)
{
	struct bureau *b = open_two();
	const struct ask ask = {.serial = 1,
				.extra = true,
				.vietnamese = true,
				.exp = clock_wall_s() + 86400};
	const struct answer *a;

	(void)state;
	held_by_a(b, 1, &ask);
	office_kill_hsm(&b->o, A);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1);
	a = front_answer(&b->o.front[0], 1);
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_ptr_equal(office_signer(&b->o, a), &b->o.second);
	assert_int_equal(a->issued.exp, ask.exp);
	assert_int_equal(a->nviolations, 1);
	assert_string_equal(a->code, "unknown-field");
	assert_string_equal(a->uvci, "URN:UVCI:01:VN:TEST/00000001");
	bureau_close(b);
}

static void test_twins(void **state)
{
	struct bureau *b = open_two();
	const struct ask ask = {.serial = 1};
	const struct answer *a;

	(void)state;
	held_by_a(b, 1, &ask);
	b->o.hsm[B].mood = HSM_HOLDS;
	front_issue(&b->o.front[0], 2, &ask);
	front_issue(&b->o.front[1], 3, &ask);
	front_issue(&b->o.front[1], 4,
		    &(struct ask){.serial = 1, .born = "1990-05-18"});
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 4);
	office_kill_hsm(&b->o, A);
	OFFICE_WAIT(&b->o, b->o.hsm[B].nheld == 1);
	assert_int_equal(issuer_in_flight(b->issuer), 4);
	b->o.hsm[B].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[B]);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 2 && b->o.front[1].n == 2);
	a = front_answer(&b->o.front[0], 1);
	assert_certificate(&b->o, a, &ask);
	assert_ptr_equal(office_signer(&b->o, a), &b->o.second);
	assert_same_certificate(a, front_answer(&b->o.front[0], 2));
	assert_same_certificate(a, front_answer(&b->o.front[1], 3));
	assert_conflict(front_answer(&b->o.front[1], 4));
	assert_int_equal(b->release.signed_items, 1);
	assert_idle(b);
	bureau_close(b);
}

/* One that waits takes the place of the first when its own key's HSM is long
 * gone: it is made anew, too. */
static void test_twin_promoted(void **state)
{
	struct bureau *b = open_two();
	const struct ask brief = {.serial = 1, .within_us = 2500000};
	const struct ask other = {.serial = 1, .born = "1990-05-18"};

	(void)state;
	held_by_a(b, 1, &brief);
	office_kill_hsm(&b->o, B);
	OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, B) == 0);
	front_issue(&b->o.front[1], 2, &other); /* by dsc-1 */
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 2);
	bureau_add_hsm(b, B, HSM_HOLDS);
	OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, B) > 0);
	office_kill_hsm(&b->o, A);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1); /* too late, at b */
	assert_int_equal(b->o.front[0].answer[0].err, SG_TIMED_OUT);
	OFFICE_WAIT(&b->o, b->o.hsm[B].nheld == 2);
	b->o.hsm[B].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[B]);
	OFFICE_WAIT(&b->o, b->o.front[1].n == 1);
	assert_certificate(&b->o, &b->o.front[1].answer[0], &other);
	assert_int_equal(b->release.signed_items, 1);
	assert_idle(b);
	bureau_close(b);
}

static void test_front_gone(void **state)
{
	struct bureau *b = open_two();
	const struct ask ask = {.serial = 1};

	(void)state;
	held_by_a(b, 1, &ask);
	b->o.hsm[B].mood = HSM_HOLDS;
	office_kill_hsm(&b->o, A);
	OFFICE_WAIT(&b->o, b->o.hsm[B].nheld == 1);
	front_clear(&b->o.front[0]);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 0);
	b->o.hsm[B].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[B]);
	OFFICE_UNTIL(&b->o, 50, false);
	assert_int_equal(b->release.signed_items, 0);
	/* And its UVCI is free. */
	assert_certificate(&b->o, bureau_answer(b, 1, 2, &ask), &ask);
	assert_idle(b);
	bureau_close(b);
}

static void test_deadline(void **state)
{
	struct bureau *b = open_two();
	struct fake_front *f = &b->o.front[0];

	(void)state;
	held_by_a(b, 1, &(struct ask){.serial = 1, .within_us = 300000});
	b->o.hsm[B].mood = HSM_HOLDS;
	office_kill_hsm(&b->o, A);
	OFFICE_WAIT(&b->o, f->n == 1);
	assert_int_equal(f->answer[0].err, SG_TIMED_OUT);
	hsm_release_held(&b->o.hsm[B]);
	OFFICE_UNTIL(&b->o, 50, false);
	assert_int_equal(f->n, 1);
	assert_int_equal(b->release.signed_items, 0);
	assert_idle(b);
	bureau_close(b);
}

static uint64_t left(struct bureau *b)
{
	struct policy_usage usage;

	assert_true(quota_usage(b->quota, policy_client_at(b->o.policy, 0),
				clock_wall_s(), &usage));
	return usage.left;
}

/* However often it moves, it takes one of the quota, or none. */
static void test_quota(void **state)
{
	struct bureau *b = open_two();

	(void)state;
	bureau_set_policy(b, POLICY(", quota: {per_day: 5}"));
	set_moods(b, HSM_FAILS, HSM_SIGNS);
	ask_many(b, 1, 2);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 2);
	assert_all_by(b, &b->o.second, 1, 2);
	assert_int_equal(left(b), 3);
	set_moods(b, HSM_FAILS, HSM_FAILS);
	ask_many(b, 3, 3);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 3);
	assert_int_equal(b->o.front[0].answer[2].err, SG_TOKEN_DOWN);
	assert_int_equal(left(b), 3);
	bureau_close(b);
}

/* --- where it may not go ------------------------------------------------ */

/* One whose dsc-2 runs out in 100 days. */
static struct bureau *open_brief_b(void)
{
	struct bureau *b = open_two();
	const struct signer_shape brief = {
		.alg = COSE_ES256, .from_s = -3600, .to_s = 100L * 86400};

	bureau_end(b);
	signer_free(&b->o.second);
	b->o.second = signer_make(&brief);
	bureau_begin(b);
	return b;
}

/* Its DSC would run out before the certificate: never by b, which signs what
 * is shorter. */
static void test_bounds(void **state)
{
	struct bureau *b = open_brief_b();
	struct fake_front *f = &b->o.front[0];

	(void)state;
	ask_many(b, 1, 10);
	OFFICE_WAIT(&b->o, f->n == 10);
	assert_all_by(b, &b->o.signer, 1, 10);
	assert_int_equal(b->o.hsm[B].jobs, 0);
	/* It is tried by a alone, as if there were no b. */
	b->o.hsm[A].mood = HSM_FAILS;
	b->o.hsm[A].jobs = 0;
	ask_many(b, 11, 11);
	OFFICE_WAIT(&b->o, f->n == 11);
	assert_int_equal(f->answer[10].err, SG_TOKEN_DOWN);
	assert_true(b->o.hsm[A].jobs >= HSM_POOL_SENDS_MAX);
	assert_int_equal(b->o.hsm[B].jobs, 0);
	front_issue(f, 12,
		    &(struct ask){.serial = 12, .exp = clock_wall_s() + 86400});
	OFFICE_WAIT(&b->o, f->n == 12);
	assert_int_equal(f->answer[11].type, WIRE_ISSUED);
	assert_ptr_equal(office_signer(&b->o, &f->answer[11]), &b->o.second);
	assert_idle(b);
	bureau_close(b);
}

/* --- shares ------------------------------------------------------------- */

/* A slow HSM gets what it can do in the time that the quick one needs. */
static void test_shares(void **state)
{
	struct bureau *b = open_two();

	(void)state;
	measure_slow_a(b);
	set_moods(b, HSM_HOLDS, HSM_HOLDS);
	ask_many(b, 21, 80);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 60);
	assert_true(hsm_pool_load(b->pool, A) <= 6);
	assert_true(hsm_pool_load(b->pool, B) >= 54);
	bureau_close(b);
}

/* One that answers nothing any more gets nothing more, long before it is known
 * what has become of it; what waits for it in the core goes over. */
static void test_stands_still(void **state)
{
	struct bureau *b = open_two();

	(void)state;
	b->o.hsm[A].sign_us = 100;
	b->o.hsm[B].sign_us = 3000;
	for (unsigned i = 1; i <= 8; i++)
		(void)bureau_answer(b, 0, i, &(struct ask){.serial = i});
	set_moods(b, HSM_HOLDS, HSM_SIGNS);
	ask_many(b, 11, 20);
	OFFICE_WAIT(&b->o, b->o.hsm[A].nheld > 0);
	OFFICE_UNTIL(&b->o, 500, false);
	/* Those that it has, and no others, are still on their way. */
	assert_int_equal(issuer_in_flight(b->issuer), b->o.hsm[A].nheld);
	ask_many(b, 21, 40);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 8 + 30 - b->o.hsm[A].nheld);
	assert_all_by(b, &b->o.second, 21, 40);
	b->o.hsm[A].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[A]);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 38);
	assert_idle(b);
	bureau_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fails),
		cmocka_unit_test(test_fails_all),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_dies),
		cmocka_unit_test(test_all_down),
		cmocka_unit_test(test_other_comes_back),
		cmocka_unit_test(test_both_fail),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_twin_promoted),
		cmocka_unit_test(test_front_gone),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_stands_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
