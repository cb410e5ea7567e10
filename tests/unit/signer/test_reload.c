/* SPDX-License-Identifier: Apache-2.0 */
#include "supervised.h"

static void test_reload(void **state)
{
	struct run *r = *state;
	char told[512];

	start(r);
	heard(r, told, sizeof(told));
	edit_config(r, "fronts: 2", "fronts: 3");
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "reload-done generation=2 taken=1", 1);
	read_log(r);
	assert_non_null(strstr(r->log, "sections=\"listen\""));
	assert_non_null(strstr(r->log, "core/0 fake-reload config=1 policy=1"));
	assert_int_equal(count(r->log, "fake-reload config=1 policy=0"),
			 FRONTS);
	assert_true(is_before(r->log, "reloaded process=core/0",
			      "front/0 fake-reload"));
	heard(r, told, sizeof(told));
	assert_memory_equal(told, "RELOADING=1\nMONOTONIC_USEC=", 27);
	assert_non_null(strstr(told, "|READY=1|"));
	drain(r);
}

static void test_reload_faults(void **state)
{
	struct run *r = *state;

	start(r);
	edit_config(r, "fronts: 2", "fronts: two");
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "reload-refused", 1);
	wait_for(r, "reload-done generation=1 taken=0", 1);
	read_log(r);
	assert_non_null(strstr(r->log, "fault=\"signerd.yaml:5: "));
	assert_int_equal(count(r->log, "fake-reload"), 0);
	drain(r);
}

/* The core would take it, the fronts would not: nobody is asked. */
static void test_reload_crl_expired(void **state)
{
	struct run *r = *state;

	start(r);
	fixture_new_crl(&r->fix, "test", -60);
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "reload-refused", 1);
	wait_for(r, "reload-done generation=1", 1);
	read_log(r);
	assert_non_null(
		strstr(r->log, "config-outdated fault=\"signerd.yaml:"));
	assert_int_equal(count(r->log, "fake-reload"), 0);
	drain(r);
}

/* A start says so, and serves: the next reload can mend it. */
static void test_start_crl_expired(void **state)
{
	struct run *r = *state;

	fixture_new_crl(&r->fix, "test", -60);
	start(r);
	assert_int_equal(seen(r, "error supervisor config-outdated"), 1);
	fixture_new_crl(&r->fix, "test", 60);
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "reload-done generation=2", 1);
	drain(r);
}

static void test_reload_refused_by_core(void **state)
{
	struct run *r = *state;

	order(r, "core.0", "refuse");
	start(r);
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "reload-done generation=1", 1);
	assert_int_equal(seen(r, "fake-reload"), 1); /* no front was asked */
	drain(r);
}

static void test_reload_and_death(void **state)
{
	struct run *r = *state;

	order(r, "core.0", "silent");
	start(r);
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "core/0 fake-reload", 1);
	order(r, "core.0", "");
	assert_int_equal(kill(pid_of(r, "core/0"), SIGKILL), 0);
	wait_for(r, "reload-refused", 1);
	wait_for(r, "reload-done generation=1", 1);
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "reload-done generation=2", 1);
	drain(r);
}

/* --- files that change -----------------------------------------------------
 */

/* The fronts take it; the core, the policy and systemd have no part in it. */
static void test_new_crl_is_taken(void **state)
{
	struct run *r = *state;
	char told[512];

	start(r);
	heard(r, told, sizeof(told));
	fixture_new_crl(&r->fix, "test", 60);
	wait_for(r, "tls-files-taken generation=2", 1);
	read_log(r);
	assert_int_equal(count(r->log, "fake-reload config=1 policy=0"),
			 FRONTS);
	assert_null(strstr(r->log, "core/0 fake-reload"));
	assert_null(strstr(r->log, "reload-done"));
	heard(r, told, sizeof(told));
	assert_null(strstr(told, "RELOADING"));
	/* What is taken is known. */
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "reload-done generation=3", 1);
	(void)sleep(3);
	assert_int_equal(seen(r, "tls-files-taken"), 1);
	drain(r);
}

/* A policy that is being written does not come into force by it. */
static void test_nothing_else_is_taken(void **state)
{
	struct run *r = *state;

	start(r);
	edit_config(r, "fronts: 2", "fronts: two");
	fixture_new_crl(&r->fix, "test", 60);
	wait_for(r, "tls-files-taken generation=2", 1);
	drain(r);
}

static void test_bad_files_are_not_taken(void **state)
{
	struct run *r = *state;

	start(r);
	fixture_new_crl(&r->fix, "test", -60);
	wait_for(r, "tls-files-refused reason=\"the CRL is past", 1);
	fixture_new_crl(&r->fix, "somebody", 60);
	wait_for(r, "tls-files-refused reason=\"the CRL is of none", 1);
	assert_int_equal(unlink(fixture_path(&r->fix, "crl.pem")), 0);
	wait_for(r, "crl.pem: no such file", 1);
	assert_int_equal(seen(r, "fake-reload"), 0);
	fixture_new_crl(&r->fix, "test", 60);
	wait_for(r, "tls-files-taken generation=2", 1);
	drain(r);
}

/* What the supervisor finds good, a front may have no leave to read. */
static void test_a_front_refuses(void **state)
{
	struct run *r = *state;

	order(r, "front.0", "refuse");
	start(r);
	fixture_new_crl(&r->fix, "test", 60);
	wait_for(r, "tls-files-not-taken generation=2", 1);
	assert_int_equal(seen(r, "tls-files-taken"), 0);
	drain(r);
}

static void test_nobody_watches(void **state)
{
	struct run *r = *state;

	edit_config(r, "tls:\n", "tls:\n  watch: false\n");
	start(r);
	fixture_new_crl(&r->fix, "test", 60);
	(void)sleep(3);
	assert_int_equal(seen(r, "tls-files-taken"), 0);
	drain(r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reload),
		TEST(test_reload_faults),
		TEST(test_reload_crl_expired),
		TEST(test_start_crl_expired),
		TEST(test_reload_refused_by_core),
		TEST(test_reload_and_death),
		TEST(test_new_crl_is_taken),
		TEST(test_nothing_else_is_taken),
		TEST(test_bad_files_are_not_taken),
		TEST(test_a_front_refuses),
		TEST(test_nobody_watches),
	};

	if (argc >= 5 && strcmp(argv[1], "--role") == 0)
		return fake_role(argv[2], argv[4]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
