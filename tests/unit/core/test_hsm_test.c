/* SPDX-License-Identifier: Apache-2.0 */
/* hsm_test: hsms that keep their work.  What test signatures say otherwise is
 * in test_hsm_pool. */
#include "../hcert/starved.h"
#include "office.h"

static const struct ask ASK = {.serial = 1};

/* One thread of an hsm has stopped: tests are signed, its job is not.  The
 * other hsm does it, and the process is reported. */
static void test_stuck_thread(void **state)
{
	struct office *o = office_open(COSE_ES256);

	(void)state;
	o->settings.hang_ms = 1;
	assert_int_equal(desk_reload(o->desk, &o->settings, o->policy), SG_OK);
	office_add_hsm(o, 0, HSM_HOLDS);
	OFFICE_WAIT(o, o->front[0].ready);
	front_issue(&o->front[0], 1, &ASK);
	OFFICE_WAIT(o, o->hsm[0].nheld == 1);
	office_add_hsm(o, 1, HSM_SIGNS);
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_certificate(o, front_answer(&o->front[0], 1), &ASK);
	assert_int_equal(o->bad_hsms, 0);
	OFFICE_WAIT(o, o->bad_hsms == 1);
	OFFICE_WAIT(o, o->hsm[0].ended);
	assert_false(o->hsm[1].ended);
	office_close(o);
}

/* One that answers late, but does, is slow and not stuck. */
static void test_slow_is_not_stuck(void **state)
{
	struct office *o = office_open(COSE_ES256);

	(void)state;
	o->settings.hang_ms = 1;
	assert_int_equal(desk_reload(o->desk, &o->settings, o->policy), SG_OK);
	office_add_hsm(o, 0, HSM_HOLDS);
	OFFICE_WAIT(o, o->front[0].ready);
	front_issue(&o->front[0], 1, &ASK);
	OFFICE_WAIT(o, o->hsm[0].nheld == 1);
	OFFICE_WAIT(o, o->hsm[0].nheld == 2); /* taken back, and sent again */
	o->hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&o->hsm[0]);
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_certificate(o, front_answer(&o->front[0], 1), &ASK);
	OFFICE_UNTIL(o, 2000, o->bad_hsms > 0);
	assert_int_equal(o->bad_hsms, 0);
	office_close(o);
}

/* The core tests often; it has no memory to verify a test signature, nor for
 * the digest of the next one. */
static struct office *open_starving(void)
{
	struct office *o = office_open(COSE_ES256);

	o->settings.test_sign_ms = 5;
	assert_int_equal(desk_reload(o->desk, &o->settings, o->policy), SG_OK);
	return o;
}

/* That says nothing of the HSM. */
static void test_no_memory_to_verify(void **state)
{
	struct office *o = open_starving();
	struct fake_hsm *h = &o->hsm[0];
	size_t before;

	(void)state;
	office_add_hsm(o, 0, HSM_SIGNS);
	OFFICE_WAIT(o, o->front[0].ready);
	h->starves = &starved;
	before = h->tests;
	OFFICE_UNTIL(o, 1000, !o->front[0].ready);
	assert_true(o->front[0].ready);
	assert_true(h->tests > before);
	h->starves = NULL;
	starved = false;
	front_issue(&o->front[0], 1, &ASK);
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_certificate(o, front_answer(&o->front[0], 1), &ASK);
	assert_int_equal(office_metric(o, METRIC_VERIFY_FAILED), 0);
	office_close(o);
}

/* And no key is in for it that has not proved itself. */
static void test_no_memory_to_prove_itself(void **state)
{
	struct office *o = open_starving();
	struct fake_hsm *h = &o->hsm[0];

	(void)state;
	office_link_hsm(o, 0, HSM_SIGNS);
	h->starves = &starved;
	hsm_say_ready(h, true);
	OFFICE_UNTIL(o, 500, o->front[0].ready);
	assert_false(o->front[0].ready);
	assert_in_range(h->tests, 1, 20);
	h->starves = NULL;
	starved = false;
	OFFICE_WAIT(o, o->front[0].ready);
	office_close(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stuck_thread),
		cmocka_unit_test(test_slow_is_not_stuck),
		cmocka_unit_test(test_no_memory_to_verify),
		cmocka_unit_test(test_no_memory_to_prove_itself),
	};

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
