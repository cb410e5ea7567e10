/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

#include <cmocka.h>

#include "base/thread.h"

enum { NAME_BYTES = 16 };

struct seen {
	char name[NAME_BYTES];
	int blocked; /* SIGTERM is */
};

static void *look(void *ctx)
{
	struct seen *seen = ctx;
	sigset_t mask;

	(void)prctl(PR_GET_NAME, seen->name, 0, 0, 0);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
	seen->blocked = sigismember(&mask, SIGTERM);
	return ctx;
}

static void test_named_and_without_signals(void **state)
{
	char before[NAME_BYTES] = "";
	char after[NAME_BYTES] = "";
	struct seen seen = {.blocked = -1};
	sigset_t mask;
	pthread_t id;
	void *result = NULL;

	(void)state;
	(void)prctl(PR_GET_NAME, before, 0, 0, 0);
	assert_int_equal(thread_start(&id, "worker", look, &seen), SG_OK);
	assert_int_equal(pthread_join(id, &result), 0);
	assert_ptr_equal(result, &seen);
	assert_string_equal(seen.name, "worker");
	assert_int_equal(seen.blocked, 1);

	/* The caller is as it was. */
	(void)prctl(PR_GET_NAME, after, 0, 0, 0);
	assert_string_equal(after, before);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, SIGTERM), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named_and_without_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
