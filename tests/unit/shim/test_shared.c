/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/shared.h"

static char dir[] = "/tmp/signerd-test-XXXXXX";
static char path[64];

static int make(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/state", dir);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static int cleanup(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void test_slots_are_an_interval_apart(void **state)
{
	const uint64_t now = 10 * UINT64_C(1000000000);
	struct shared a;
	struct shared b;

	(void)state;
	assert_int_equal(shared_open(&a, path), SG_OK);
	assert_int_equal(shared_open(&b, path), SG_OK);
	/* What went unused just before is made up for, and no more. */
	for (unsigned i = 0; i < SHARED_CATCH_UP_NS / 50000; i++)
		assert_int_equal(shared_slot(i % 2 ? &a : &b, now, 50000), now);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(shared_slot(i % 2 ? &a : &b, now, 50000),
				 now + i * UINT64_C(50000));
	/* A long pause is not saved up. */
	assert_int_equal(shared_slot(&a, 2 * now, 50000), 2 * now);
	assert_int_equal(atomic_load(&b.page->next_ns),
			 2 * now - SHARED_CATCH_UP_NS + 50000);
	shared_close(&a);
	shared_close(&b);
}

static void test_sessions_are_capped_over_all(void **state)
{
	struct shared a;
	struct shared b;

	(void)state;
	assert_int_equal(shared_open(&a, path), SG_OK);
	assert_int_equal(shared_open(&b, path), SG_OK);
	assert_true(shared_session_add(&a, 3));
	assert_true(shared_session_add(&b, 3));
	assert_true(shared_session_add(&b, 3));
	assert_false(shared_session_add(&a, 3));
	assert_false(shared_session_add(&b, 3));
	shared_session_drop(&b, 1);
	assert_true(shared_session_add(&a, 3));
	assert_false(shared_session_add(&a, 3));
	/* What has gone holds nothing. */
	shared_close(&a);
	assert_true(shared_session_add(&b, 3));
	assert_true(shared_session_add(&b, 3));
	assert_false(shared_session_add(&b, 3));
	shared_close(&b);
}

static void test_the_dead_hold_nothing(void **state)
{
	struct shared s;
	int ends[2];
	char byte = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const bool good = shared_open(&s, path) == SG_OK &&
				  shared_session_add(&s, 2) &&
				  shared_session_add(&s, 2);

		/* Killed inside of the lock: nobody may wait for it. */
		shared_lock(&s);
		byte = good ? 'g' : 'b';
		if (write(ends[1], &byte, 1) == 1)
			(void)pause();
		_exit(1);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 'g');
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(shared_open(&s, path), SG_OK);
	assert_true(shared_session_add(&s, 2));
	assert_true(shared_session_add(&s, 2));
	assert_false(shared_session_add(&s, 2));
	shared_close(&s);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void test_counts_outlive_a_process_times_a_boot(void **state)
{
	struct shared s;

	(void)state;
	assert_int_equal(shared_open(&s, path), SG_OK);
	atomic_store(&s.page->calls[CALL_C_Sign], 7);
	atomic_store(&s.page->next_ns, 9);
	shared_close(&s);
	assert_int_equal(shared_open(&s, path), SG_OK);
	assert_int_equal(atomic_load(&s.page->calls[CALL_C_Sign]), 7);
	assert_int_equal(atomic_load(&s.page->next_ns), 9);
	s.page->boot[0] = 'x';
	shared_close(&s);
	assert_int_equal(shared_open(&s, path), SG_OK);
	assert_int_equal(atomic_load(&s.page->calls[CALL_C_Sign]), 7);
	assert_int_equal(atomic_load(&s.page->next_ns), 0);
	shared_close(&s);
}

static void test_leaves_other_files_alone(void **state)
{
	struct shared s;
	struct stat st;
	FILE *f = fopen(path, "we");

	(void)state;
	assert_non_null(f);
	assert_true(fputs("somebody's notes", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(shared_open(&s, path), SG_CONFIG);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 16);
	/* As large as ours, and not ours. */
	assert_int_equal(truncate(path, sizeof(struct shared_page)), 0);
	assert_int_equal(shared_open(&s, path), SG_CONFIG);
	assert_int_equal(shared_open(&s, "/nowhere/state"), SG_IO);
}

static void test_works_alone(void **state)
{
	struct shared s;

	(void)state;
	assert_int_equal(shared_open(&s, ""), SG_OK);
	assert_true(shared_session_add(&s, 1));
	assert_false(shared_session_add(&s, 1));
	shared_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_slots_are_an_interval_apart,
					  forget),
		cmocka_unit_test_teardown(test_sessions_are_capped_over_all,
					  forget),
		cmocka_unit_test_teardown(test_the_dead_hold_nothing, forget),
		cmocka_unit_test_teardown(
			test_counts_outlive_a_process_times_a_boot, forget),
		cmocka_unit_test_teardown(test_leaves_other_files_alone,
					  forget),
		cmocka_unit_test(test_works_alone),
	};

	return cmocka_run_group_tests(tests, make, cleanup);
}
