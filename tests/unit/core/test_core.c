/* SPDX-License-Identifier: Apache-2.0 */
/* core_run: the whole role in a process of its own. */
#include "office.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/fileio.h"
#include "core/core.h"
#include "ipc/role.h"

static enum sg_err no_settings(int fd, struct core_settings *out, char *reason,
			       size_t cap)
{
	(void)fd;
	(void)out;
	(void)reason;
	(void)cap;
	return SG_CONFIG;
}

/* Runs the role as a child; *FD is the supervisor's end. */
static pid_t start(const char *policy, int *fd)
{
	static struct core_settings settings = {.test_sign_ms = 1000};
	int pair[2];
	const int memfd = fileio_memfd("policy", span_str(policy));
	pid_t pid;

	assert_int_equal(channel_pair(pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* Away from the numbers that they are to have. */
		const int control = fcntl(pair[1], F_DUPFD, 100);
		const int text = fcntl(memfd, F_DUPFD, 100);

		(void)close(pair[0]);
		(void)dup2(control, ROLE_FD_CONTROL);
		(void)dup2(text, ROLE_FD_POLICY);
		(void)close(control);
		exit(core_run(&settings, no_settings)); /* NOLINT */
	}
	(void)close(pair[1]);
	(void)close(memfd);
	*fd = pair[0];
	return pid;
}

static int status_of(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static enum wire_type receive(int fd)
{
	uint8_t buf[4096];
	const ssize_t n = recv(fd, buf, sizeof(buf), 0);
	struct span rest;
	struct wire_msg m;

	assert_true(n > 0);
	rest = span_of(buf, (size_t)n);
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	return m.type;
}

static void test_drain(void **state)
{
	uint8_t buf[64];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	int fd;
	const pid_t pid = start(POLICY_TEXT, &fd);

	(void)state;
	assert_int_equal(receive(fd), WIRE_UP);
	assert_int_equal(wire_put_bare(&w, WIRE_DRAIN), SG_OK);
	assert_int_equal(send(fd, buf, w.len, 0), w.len);
	assert_int_equal(status_of(pid), 0);
	(void)close(fd);
}

static void test_no_supervisor(void **state)
{
	int fd;
	const pid_t pid = start(POLICY_TEXT, &fd);

	(void)state;
	assert_int_equal(receive(fd), WIRE_UP);
	(void)close(fd);
	assert_int_equal(status_of(pid), 1);
}

static void test_bad_policy(void **state)
{
	int fd;
	const pid_t pid = start("clients: 5\n", &fd);

	(void)state;
	assert_int_equal(status_of(pid), 1);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_no_supervisor),
		cmocka_unit_test(test_bad_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
