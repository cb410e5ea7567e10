/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

enum { FAR_FD = 200 };

/* In a process of its own, for it cannot be taken back: 0, or what failed. */
static int inside(enum wire_role role, int first_closed)
{
	struct rlimit core;

	for (int fd = 3; fd <= ROLE_FD_LAST + 1; fd++)
		if (dup2(STDERR_FILENO, fd) < 0)
			return 1;
	if (dup2(STDERR_FILENO, FAR_FD) < 0)
		return 1;
	if (sandbox_begin(role, 0) != SG_OK)
		return 2;
	for (int fd = 0; fd <= ROLE_FD_LAST + 1; fd++)
		if ((fcntl(fd, F_GETFD) >= 0) != (fd < first_closed))
			return 3;
	if (fcntl(FAR_FD, F_GETFD) >= 0)
		return 4;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 5;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		return 6;
#ifndef __SANITIZE_ADDRESS__
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 7;
#endif
	return 0;
}

static void check(enum wire_role role, int first_closed)
{
	const pid_t p = fork();
	int status;

	assert_true(p >= 0);
	if (p == 0)
		_exit(inside(role, first_closed));
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_roles(void **state)
{
	(void)state;
	check(WIRE_SUPERVISOR, STDERR_FILENO + 1);
	check(WIRE_FRONT, ROLE_FD_PUBLIC + 1);
	check(WIRE_CORE, ROLE_FD_OFFICERS + 1);
	check(WIRE_HSM, ROLE_FD_METRICS + 1);
	check(WIRE_WITNESS, ROLE_FD_METRICS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
