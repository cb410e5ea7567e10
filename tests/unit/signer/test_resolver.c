/* SPDX-License-Identifier: Apache-2.0 */
/* resolver: a file that is replaced is closed to who began before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/files.h"
#include "witness/resolver.h"

static char place[] = "/tmp/signerd-resolver-XXXXXX";
static char names[3][64];
static const char *const files[] = {names[0], names[1]};

static void make(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	(void)close(fd);
}

static int begin(void **state)
{
	(void)state;
	if (mkdtemp(place) == NULL)
		return -1;
	for (size_t i = 0; i < 3; i++)
		(void)snprintf(names[i], sizeof(names[i]), "%s/%zu", place, i);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		(void)unlink(names[i]);
	return rmdir(place);
}

/* In a sandbox that lets it read the first file alone: what it sees before the
 * file is replaced, and after. */
static int look_twice(int fd)
{
	static struct sandbox s = {.role = WIRE_WITNESS};
	struct resolver r;
	long abi;
	char c = 0;

	if (sandbox_allow(&s, names[0], SANDBOX_READ) != SG_OK ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    files_enter(&s, &abi) != SG_OK)
		return 2;
	if (abi == 0)
		return 3;
	resolver_begin(&r, files, 2);
	if (!r.readable[0] || r.readable[1] || resolver_replaced(&r))
		return 4;
	if (write(fd, &c, 1) != 1 || read(fd, &c, 1) != 1)
		return 5;
	return resolver_replaced(&r) ? 0 : 1;
}

static int outcome(void (*meanwhile)(void))
{
	int fd[2];
	int status;
	char c;
	pid_t p;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	p = fork();
	assert_true(p >= 0);
	if (p == 0) {
		(void)close(fd[0]); /* who waits sees that the other is gone */
		_exit(look_twice(fd[1]));
	}
	(void)close(fd[1]);
	if (read(fd[0], &c, 1) == 1) {
		meanwhile();
		assert_int_equal(write(fd[0], &c, 1), 1);
	}
	(void)close(fd[0]);
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void nothing(void)
{
}

static void rewritten(void)
{
	make(names[0]);
}

static void removed(void)
{
	assert_int_equal(unlink(names[0]), 0);
}

static void replaced(void)
{
	make(names[2]);
	assert_int_equal(rename(names[2], names[0]), 0);
}

static void test_replaced(void **state)
{
	int result;

	(void)state;
	make(names[0]);
	make(names[1]);
	result = outcome(nothing);
	if (result == 3)
		skip(); /* a kernel without Landlock */
	assert_int_equal(result, 1);
	assert_int_equal(outcome(rewritten), 1);
	assert_int_equal(outcome(replaced), 0);
	assert_int_equal(outcome(removed), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_replaced)};

	return cmocka_run_group_tests(tests, begin, end);
}
