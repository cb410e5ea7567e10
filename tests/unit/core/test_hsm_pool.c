/* SPDX-License-Identifier: Apache-2.0 */
/* hsm_pool: where operations go, and what happens when hsms fail. */
#include "core/desk_state.h"
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

/* One dies with work in flight: the other does it. */
static void test_death_requeues(void **state)
{
	struct office *o = office_ready(COSE_ES256, 2);
	size_t held;

	(void)state;
	o->hsm[0].mood = HSM_HOLDS;
	issue_many(o, 1, 20);
	OFFICE_WAIT(o, o->front[0].n >= 10 && o->hsm[0].nheld > 0);
	held = o->hsm[0].nheld;
	office_kill_hsm(o, 0);
	OFFICE_WAIT(o, o->front[0].n == 20);
	assert_all_good(o, 1, 20);
	assert_int_equal(office_metric(o, METRIC_REQUEUED), held);
	office_close(o);
}

/* The only one dies: its work waits for the replacement. */
static void test_replacement(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);

	(void)state;
	o->hsm[0].mood = HSM_HOLDS;
	issue_many(o, 1, 10);
	OFFICE_WAIT(o, o->hsm[0].nheld > 0);
	office_kill_hsm(o, 0);
	OFFICE_WAIT(o, !o->front[0].ready);
	OFFICE_UNTIL(o, 200, o->front[0].n > 0);
	assert_int_equal(o->front[0].n, 0);
	office_add_hsm(o, 0, HSM_SIGNS);
	OFFICE_WAIT(o, o->front[0].n == 10);
	assert_all_good(o, 1, 10);
	/* What was in flight went first, in its order. */
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(o->front[0].answer[i].id, i + 1);
	assert_true(o->front[0].ready);
	office_close(o);
}

/* A new link in the same slot replaces one that still seems alive. */
static void test_link_replaces(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_hsm *h = &o->hsm[0];
	struct channel *old = h->channel;

	(void)state;
	h->mood = HSM_HOLDS;
	issue_many(o, 1, 3);
	OFFICE_WAIT(o, h->nheld > 0);
	h->channel = NULL; /* kept open */
	office_add_hsm(o, 0, HSM_SIGNS);
	OFFICE_WAIT(o, o->front[0].n == 3);
	assert_all_good(o, 1, 3);
	channel_close(old);
	office_close(o);
}

/* Nobody for longer than the grace: refused, and at once from then on. */
static void test_token_down(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	uint64_t begin;

	(void)state;
	office_kill_hsm(o, 0);
	OFFICE_WAIT(o, !f->ready);
	issue_many(o, 1, 2);
	OFFICE_UNTIL(o, 500, f->n > 0);
	assert_int_equal(f->n, 0); /* within the grace they wait */
	OFFICE_WAIT(o, f->n == 2);
	assert_int_equal(f->answer[0].err, SG_TOKEN_DOWN);
	begin = clock_mono_us();
	issue_many(o, 3, 3);
	OFFICE_WAIT(o, f->n == 3);
	assert_int_equal(f->answer[2].err, SG_TOKEN_DOWN);
	assert_true(clock_mono_us() - begin < 100000);
	assert_int_equal(office_metric(o, METRIC_FAILED), 3);
	office_close(o);
}

static void test_wrong_signature(void **state)
{
	struct office *o = office_ready(COSE_ES256, 2);

	(void)state;
	o->hsm[0].mood = HSM_SIGNS_WRONG;
	issue_many(o, 1, 30);
	OFFICE_WAIT(o, o->front[0].n == 30);
	assert_all_good(o, 1, 30);
	assert_true(office_metric(o, METRIC_VERIFY_FAILED) > 0);
	assert_int_equal(office_metric(o, METRIC_FAILED), 0);
	office_close(o);
}

/* All wrong, and nobody else: an error, never a wrong signature. */
static void test_only_wrong(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);

	(void)state;
	o->hsm[0].mood = HSM_SIGNS_SHORT;
	issue_many(o, 1, 1);
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_int_equal(o->front[0].answer[0].err, SG_TOKEN_DOWN);
	assert_int_equal(o->hsm[0].jobs, 4);
	assert_int_equal(office_metric(o, METRIC_VERIFY_FAILED), 4);
	assert_int_equal(office_metric(o, METRIC_ISSUED), 0);
	office_close(o);
}

static void test_rates(void **state)
{
	struct office *o = office_open(COSE_ES256);
	uint64_t before;

	(void)state;
	desk_free(o->desk);
	o->settings.verify_ecdsa_one_in = 10;
	office_open_desk(o);
	office_add_front(o, 0);
	office_add_hsm(o, 0, HSM_SIGNS);
	office_add_hsm(o, 1, HSM_SIGNS);
	OFFICE_WAIT(o, o->front[0].ready);
	OFFICE_UNTIL(o, 20, false);
	before = office_metric(o, METRIC_VERIFIED);
	issue_many(o, 1, 100);
	OFFICE_WAIT(o, o->front[0].n == 100);
	assert_int_equal(office_metric(o, METRIC_VERIFIED) - before, 10);
	/* An error: everything is verified for a while. */
	o->hsm[0].mood = HSM_FAILS;
	issue_many(o, 101, 110);
	OFFICE_WAIT(o, o->front[0].n == 110);
	o->hsm[0].mood = HSM_SIGNS;
	before = office_metric(o, METRIC_VERIFIED);
	issue_many(o, 111, 130);
	OFFICE_WAIT(o, o->front[0].n == 130);
	assert_true(office_metric(o, METRIC_VERIFIED) - before >= 20);
	assert_all_good(o, 1, 130);
	office_close(o);
}

static void test_failures(void **state)
{
	struct office *o = office_ready(COSE_ES256, 2);

	(void)state;
	o->hsm[0].mood = HSM_FAILS;
	issue_many(o, 1, 40);
	OFFICE_WAIT(o, o->front[0].n == 40);
	assert_all_good(o, 1, 40);
	assert_true(office_metric(o, METRIC_REQUEUED) > 0);
	/* Its tests fail too now: it is out, and gets no certificate. */
	o->hsm[0].mood = HSM_FAILS_ALL;
	issue_many(o, 41, 80);
	OFFICE_WAIT(o, o->front[0].n == 80);
	OFFICE_UNTIL(o, 20, false);
	o->hsm[0].jobs = 0;
	issue_many(o, 81, 100);
	OFFICE_WAIT(o, o->front[0].n == 100);
	assert_int_equal(o->hsm[0].jobs, 0);
	assert_all_good(o, 41, 100);
	assert_true(o->front[0].ready); /* the other one is good */
	/* It mends, proves itself, and is used again. */
	o->hsm[0].mood = HSM_SIGNS;
	OFFICE_UNTIL(o, 1600, false);
	issue_many(o, 101, 120);
	OFFICE_WAIT(o, o->front[0].n == 120);
	assert_true(o->hsm[0].jobs > 0);
	office_close(o);
}

static void test_expired_at_hsm(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);

	(void)state;
	o->hsm[0].mood = HSM_EXPIRES;
	issue_many(o, 1, 1);
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_int_equal(o->front[0].answer[0].err, SG_TIMED_OUT);
	assert_int_equal(office_metric(o, METRIC_REQUEUED), 0);
	office_close(o);
}

/* A token that cannot sign is never used for a certificate. */
static void test_must_prove_itself(void **state)
{
	struct office *o = office_open(COSE_ES256);

	(void)state;
	office_add_hsm(o, 0, HSM_FAILS_ALL);
	OFFICE_UNTIL(o, 300, o->front[0].ready);
	assert_false(o->front[0].ready);
	issue_many(o, 1, 1);
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_int_equal(o->front[0].answer[0].err, SG_TOKEN_DOWN);
	assert_int_equal(o->hsm[0].jobs, 0);
	office_close(o);
}

/* --- hsms that make no sense -------------------------------------------- */

static void assert_bad_hsm(struct office *o)
{
	OFFICE_WAIT(o, o->bad_hsms == 1);
	OFFICE_WAIT(o, o->hsm[0].ended);
	assert_int_equal(office_metric(o, METRIC_BAD_MESSAGES), 1);
}

/* An answer that nothing was asked for. */
static void test_unasked_answer(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	uint8_t tbs[32] = {0};

	(void)state;
	hsm_answer(&o->hsm[0], 12345, HSM_FIRST, span_of(tbs, sizeof(tbs)),
		   HSM_SIGNS);
	assert_bad_hsm(o);
	office_close(o);
}

/* An answer to another hsm's job: neither is believed, and it is signed. */
static void test_stolen_answer(void **state)
{
	struct office *o = office_ready(COSE_ES256, 2);
	struct fake_hsm *thief = &o->hsm[0];
	uint8_t sig[COSE_SIG_MAX] = {0};
	struct wire_packet *w;

	(void)state;
	o->hsm[0].mood = HSM_HOLDS;
	o->hsm[1].mood = HSM_HOLDS;
	issue_many(o, 1, 2);
	OFFICE_WAIT(o, o->hsm[0].nheld == 1 && o->hsm[1].nheld == 1);
	w = channel_room(thief->channel, 1024);
	assert_int_equal(
		wire_put_signed(
			w, o->hsm[1].held[0].id,
			&(struct wire_signed){.signature = span_of(sig, 64)}),
		SG_OK);
	assert_bad_hsm(o);
	o->hsm[1].mood = HSM_SIGNS;
	hsm_release_held(&o->hsm[1]);
	OFFICE_WAIT(o, o->front[0].n == 2);
	assert_all_good(o, 1, 2);
	office_close(o);
}

static void test_ready_twice(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);

	(void)state;
	hsm_say_ready(&o->hsm[0], true);
	assert_bad_hsm(o);
	office_close(o);
}

static void test_not_an_hsm_message(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct wire_packet *w = channel_room(o->hsm[0].channel, 64);

	(void)state;
	assert_int_equal(wire_put_bare(w, WIRE_DRAIN), SG_OK);
	assert_bad_hsm(o);
	office_close(o);
}

/* --- keys that do not fit ----------------------------------------------- */

static void test_other_key(void **state)
{
	struct office *o = office_open(COSE_ES256);
	struct signer other = signer_usual(COSE_ES256);

	(void)state;
	/* The certificate is the right key's, the token's key is another. */
	office_link_hsm(o, 0, HSM_SIGNS);
	o->hsm[0].signer = &other;
	office_link_hsm(o, 1, HSM_SIGNS);
	hsm_say_ready(&o->hsm[1], true);
	OFFICE_WAIT(o, o->front[0].ready);
	hsm_say_ready(&o->hsm[0], false);
	OFFICE_UNTIL(o, 50, false);
	issue_many(o, 1, 10);
	OFFICE_WAIT(o, o->front[0].n == 10);
	assert_all_good(o, 1, 10);
	assert_int_equal(o->hsm[0].jobs, 0);
	o->hsm[0].signer = &o->signer;
	signer_free(&other);
	office_close(o);
}

static void test_unknown_label(void **state)
{
	struct office *o = office_open(COSE_ES256);

	(void)state;
	office_link_hsm(o, 0, HSM_SIGNS);
	o->hsm[0].label = "dsc-9";
	hsm_say_ready(&o->hsm[0], true);
	OFFICE_UNTIL(o, 100, o->front[0].ready);
	assert_false(o->front[0].ready);
	assert_false(o->hsm[0].ended); /* odd, but no nonsense */
	office_close(o);
}

/* Wrong once: out at once, until it proves itself, which this one never does.
 */
static void test_wrong_is_out(void **state)
{
	struct office *o = office_ready(COSE_ES256, 2);
	size_t before;

	(void)state;
	o->hsm[0].mood = HSM_SIGNS_WRONG_ONLY;
	issue_many(o, 1, 10);
	OFFICE_WAIT(o, o->front[0].n == 10);
	OFFICE_UNTIL(o, 20, false);
	before = o->hsm[0].jobs;
	assert_true(before > 0);
	issue_many(o, 11, 50);
	OFFICE_WAIT(o, o->front[0].n == 50);
	assert_int_equal(o->hsm[0].jobs, before);
	assert_all_good(o, 1, 50);
	office_close(o);
}

/* --- several keys for a kind -------------------------------------------- */

/* Keys dsc-1 at hsm 0 and dsc-2 at hsm 1. */
static struct office *open_two_keys(void)
{
	struct office *o = office_open(COSE_ES256);

	desk_free(o->desk);
	o->settings.nkeys = 2;
	o->settings.key[1] = o->settings.key[0];
	memcpy(o->settings.key[1].label, "dsc-2", 6);
	o->second = signer_usual(COSE_ES256);
	office_open_desk(o);
	office_add_front(o, 0);
	office_add_hsm(o, 0, HSM_SIGNS);
	office_link_hsm(o, 1, HSM_SIGNS);
	o->hsm[1].signer = &o->second;
	o->hsm[1].label = "dsc-2";
	OFFICE_WAIT(o, o->front[0].ready); /* one key of two is enough */
	hsm_say_ready(&o->hsm[1], true);
	OFFICE_WAIT(o, hsm_pool_good(o->desk->pool, 1) > 0);
	return o;
}

static void test_two_keys(void **state)
{
	struct office *o = open_two_keys();

	(void)state;
	issue_many(o, 1, 40);
	OFFICE_WAIT(o, o->front[0].n == 40);
	assert_all_good(o, 1, 40);
	assert_int_equal(o->hsm[0].jobs, 20);
	assert_int_equal(o->hsm[1].jobs, 20);
	/* One HSM is gone: the other key does it all, and nobody waits. */
	office_kill_hsm(o, 1);
	OFFICE_UNTIL(o, 20, false);
	assert_true(o->front[0].ready);
	issue_many(o, 41, 60);
	OFFICE_WAIT(o, o->front[0].n == 60);
	assert_all_good(o, 41, 60);
	assert_int_equal(o->hsm[0].jobs, 40);
	office_close(o);
}

/* A key's load is what it has now: not what was given up. */
static void test_load_is_returned(void **state)
{
	struct office *o = open_two_keys();

	(void)state;
	o->hsm[0].mood = HSM_HOLDS;
	issue_many(o, 1, 40); /* the loads part: dsc-1 has all it was given */
	OFFICE_WAIT(o, o->front[0].n == 20);
	front_clear(&o->front[0]);
	OFFICE_WAIT(o, desk_in_flight(o->desk) == 0);
	o->hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&o->hsm[0]);
	office_add_front(o, 0);
	o->hsm[0].jobs = 0;
	o->hsm[1].jobs = 0;
	issue_many(o, 1, 40);
	OFFICE_WAIT(o, o->front[0].n == 40);
	assert_int_equal(o->hsm[0].jobs, 20);
	office_close(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_death_requeues),
		cmocka_unit_test(test_replacement),
		cmocka_unit_test(test_link_replaces),
		cmocka_unit_test(test_token_down),
		cmocka_unit_test(test_wrong_signature),
		cmocka_unit_test(test_only_wrong),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_expired_at_hsm),
		cmocka_unit_test(test_must_prove_itself),
		cmocka_unit_test(test_unasked_answer),
		cmocka_unit_test(test_stolen_answer),
		cmocka_unit_test(test_ready_twice),
		cmocka_unit_test(test_not_an_hsm_message),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_unknown_label),
		cmocka_unit_test(test_wrong_is_out),
		cmocka_unit_test(test_two_keys),
		cmocka_unit_test(test_load_is_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
