/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor and the smiths: their start, their ends, their links. */
#include "supervised.h"

enum { TASKS = 8 };

static void configure(struct run *r)
{
	edit_config(r, "sessions: 4\n",
		    "sessions: 4\n    token: pkcs11:token=demo\n");
}

static void test_starts_after_the_core(void **state)
{
	struct run *r = *state;

	configure(r);
	start(r);
	wait_for(r, "smith/0 fake-link peer=core/0", 1);
	wait_for(r, "core/0 fake-link peer=smith/0", 1);
	read_log(r);
	assert_true(is_before(r->log, "process-up process=core/0",
			      "process-started process=smith/0"));
	assert_int_equal(count(r->log, "process-started process=smith/"), 1);
	/* Its page is with the others. */
	wait_for(r, "of=smith/0", FRONTS);
	drain(r);
	read_log(r);
	assert_true(
		is_before(r->log, "core/0 fake-drain", "smith/0 fake-drain"));
}

static void test_is_not_there_without_a_token(void **state)
{
	struct run *r = *state;

	start(r);
	drain(r);
	assert_int_equal(seen(r, "smith/"), 0);
}

/* One that has done its task is replaced at once, however often. */
static void test_is_replaced_after_its_task(void **state)
{
	struct run *r = *state;

	configure(r);
	order(r, "smith.0", "done");
	launch(r);
	wait_for(r, "process-ended process=smith/0", TASKS);
	order(r, "smith.0", "");
	wait_for(r, "supervisor ready ", 1);
	wait_for(r, "core/0 fake-link peer=smith/0", TASKS + 1);
	read_log(r);
	assert_null(strstr(r->log, "restart_ms=200"));
	assert_null(strstr(r->log, "warning supervisor process-ended"));
	drain(r);
}

static void test_backs_off(void **state)
{
	struct run *r = *state;

	configure(r);
	order(r, "smith.0", "die");
	launch(r);
	wait_for(r, "restart_ms=400", 1);
	assert_int_equal(seen(r, "supervisor ready "), 0);
	order(r, "smith.0", "");
	wait_for(r, "supervisor ready ", 1);
	drain(r);
}

/* Its PIN is that of the HSM: none of the HSM's processes tries it again. */
static void test_pin_refused(void **state)
{
	struct run *r = *state;

	configure(r);
	start(r);
	order(r, "smith.0", "pin");
	assert_int_equal(kill(pid_of(r, "smith/0"), SIGKILL), 0);
	wait_for(r, "pin-refused hsm=\"demo\"", 1);
	assert_int_equal(kill(pid_of(r, "hsm/0"), SIGKILL), 0);
	wait_for(r, "process-ended process=hsm/0", 1);
	sleep_ms(500);
	assert_int_equal(seen(r, "process-started process=smith/0"), 2);
	assert_int_equal(seen(r, "process-started process=hsm/0"), 1);
	order(r, "smith.0", "");
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "process-up process=smith/0", 2);
	wait_for(r, "process-up process=hsm/0", 2);
	drain(r);
}

/* The other way around: an idle smith would try the PIN with its next task. */
static void test_an_hsms_pin_is_refused(void **state)
{
	struct run *r = *state;

	configure(r);
	start(r);
	order(r, "hsm.1", "pin");
	assert_int_equal(kill(pid_of(r, "hsm/1"), SIGKILL), 0);
	wait_for(r, "pin-refused hsm=\"demo\"", 1);
	wait_for(r, "process-ended process=smith/0", 1);
	sleep_ms(500);
	assert_int_equal(seen(r, "process-started process=smith/0"), 1);
	assert_int_equal(seen(r, "process-ended process=hsm/0"), 0);
	order(r, "hsm.1", "");
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "process-up process=smith/0", 2);
	wait_for(r, "process-up process=hsm/1", 2);
	drain(r);
}

static int clean_up_all(void **state)
{
	const struct run *r = *state;

	(void)unlink(fixture_path(&r->fix, "smith.0"));
	return clean_up(state);
}

#define SMITH_TEST(f) cmocka_unit_test_setup_teardown(f, prepare, clean_up_all)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SMITH_TEST(test_starts_after_the_core),
		SMITH_TEST(test_is_not_there_without_a_token),
		SMITH_TEST(test_is_replaced_after_its_task),
		SMITH_TEST(test_backs_off),
		SMITH_TEST(test_pin_refused),
		SMITH_TEST(test_an_hsms_pin_is_refused),
	};

	if (argc >= 5 && strcmp(argv[1], "--role") == 0)
		return fake_role(argv[2], argv[4]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
