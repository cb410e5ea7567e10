/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/metrics.h"
#include "ipc/role.h"

static bool ignores(int signal)
{
	struct sigaction sa;

	return sigaction(signal, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

/* In a process of its own: 0, or what failed. */
static int begin(int control, int metrics)
{
	int death = 0;
	char name[16];

	if (dup2(control, ROLE_FD_CONTROL) < 0 ||
	    dup2(metrics, ROLE_FD_METRICS) < 0)
		return 1;
	if (role_begin(WIRE_FRONT, 12) != SG_OK)
		return 2;
	if (prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0) != 0 || death != SIGKILL)
		return 3;
	if (!ignores(SIGPIPE) || !ignores(SIGHUP) || !ignores(SIGINT) ||
	    !ignores(SIGTERM))
		return 4;
	if ((fcntl(ROLE_FD_CONTROL, F_GETFD) & FD_CLOEXEC) == 0)
		return 5;
	if (prctl(PR_GET_NAME, name, 0, 0, 0) != 0 ||
	    strcmp(name, "front/12") != 0)
		return 6;
	metric_add(METRIC_ISSUED, 3); /* on the page that was given */
	return 0;
}

static int begin_apart(int control, int metrics)
{
	const pid_t p = fork();
	int status;

	assert_true(p >= 0);
	if (p == 0)
		_exit(begin(control, metrics));
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_begin(void **state)
{
	struct metrics_page *page;
	int pair[2];
	int fd;

	(void)state;
	/* Above the places that they are put to. */
	assert_int_equal(channel_pair(pair), 0);
	fd = fcntl(metrics_memfd(), F_DUPFD_CLOEXEC, 20);
	page = metrics_map(fd, 0);
	assert_non_null(page);
	assert_int_equal(begin_apart(fcntl(pair[1], F_DUPFD_CLOEXEC, 20), fd),
			 0);
	assert_int_equal(metric_get(page, METRIC_ISSUED), 3);
	/* Without a supervisor at the other end, it is no role. */
	assert_int_equal(begin_apart(open("/dev/null", O_RDWR | O_CLOEXEC), fd),
			 2);
	/* Without a metrics page neither. */
	assert_int_equal(
		begin_apart(fcntl(pair[1], F_DUPFD_CLOEXEC, 20), pair[0]), 2);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(role_name(WIRE_SUPERVISOR), "supervisor");
	assert_string_equal(role_name(WIRE_FRONT), "front");
	assert_string_equal(role_name(WIRE_CORE), "core");
	assert_string_equal(role_name(WIRE_HSM), "hsm");
	assert_string_equal(role_name(WIRE_WITNESS), "witness");
	assert_string_equal(role_name(WIRE_SMITH), "smith");
	assert_string_equal(role_name(WIRE_ROLE_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
