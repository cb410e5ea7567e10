/* SPDX-License-Identifier: Apache-2.0 */
/* hsm_test: hsms that keep their work.  What test signatures say otherwise is
 * in test_hsm_pool. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stuck_thread),
		cmocka_unit_test(test_slow_is_not_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
