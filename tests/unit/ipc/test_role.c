/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
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
static int begin(enum wire_role role, int control, int metrics)
{
	const int nicer = getpriority(PRIO_PROCESS, 0) +
			  (role == WIRE_HSM ? ROLE_HSM_NICE : 0);
	int death = 0;
	char wanted[16];
	char name[16];

	if (dup2(control, ROLE_FD_CONTROL) < 0 ||
	    dup2(metrics, ROLE_FD_METRICS) < 0)
		return 1;
	if (role_begin(role, 12) != SG_OK)
		return 2;
	if (prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0) != 0 || death != SIGKILL)
		return 3;
	if (!ignores(SIGPIPE) || !ignores(SIGHUP) || !ignores(SIGINT) ||
	    !ignores(SIGTERM))
		return 4;
	if ((fcntl(ROLE_FD_CONTROL, F_GETFD) & FD_CLOEXEC) == 0)
		return 5;
	(void)snprintf(wanted, sizeof(wanted), "%s/12", role_name(role));
	if (prctl(PR_GET_NAME, name, 0, 0, 0) != 0 || strcmp(name, wanted) != 0)
		return 6;
	if (getpriority(PRIO_PROCESS, 0) != (nicer < 19 ? nicer : 19))
		return 7;
	metric_add(METRIC_ISSUED, 3); /* on the page that was given */
	return 0;
}

static int begin_apart(enum wire_role role, int control, int metrics)
{
	const pid_t p = fork();
	int status;

	assert_true(p >= 0);
	if (p == 0)
		_exit(begin(role, control, metrics));
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_begin(void **state)
{
	static const enum wire_role roles[] = {WIRE_FRONT, WIRE_CORE, WIRE_HSM,
					       WIRE_SMITH, WIRE_WITNESS};
	struct metrics_page *page;
	int pair[2];
	size_t i;
	int fd;

	(void)state;
	/* Above the places that they are put to. */
	assert_int_equal(channel_pair(pair), 0);
	fd = fcntl(metrics_memfd(), F_DUPFD_CLOEXEC, 20);
	page = metrics_map(fd, 0);
	assert_non_null(page);
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		assert_int_equal(
			begin_apart(roles[i],
				    fcntl(pair[1], F_DUPFD_CLOEXEC, 20), fd),
			0);
	assert_int_equal(metric_get(page, METRIC_ISSUED), 3 * i);
	/* Without a supervisor at the other end, it is no role. */
	assert_int_equal(begin_apart(WIRE_FRONT,
				     open("/dev/null", O_RDWR | O_CLOEXEC), fd),
			 2);
	/* Without a metrics page neither. */
	assert_int_equal(begin_apart(WIRE_FRONT,
				     fcntl(pair[1], F_DUPFD_CLOEXEC, 20),
				     pair[0]),
			 2);
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
