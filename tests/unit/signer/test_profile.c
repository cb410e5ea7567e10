/* SPDX-License-Identifier: Apache-2.0 */
/* What a taken-over role would try, tried from inside the sandbox that the
 * configuration gives it; and the same without one, where it must work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "profile.h"
#include "sandbox/relaxed.h"

enum { EXIT_WORKED = 0, EXIT_FAILED_AT_IT = 1, EXIT_NO_SANDBOX = 2 };

static char place[64]; /* a directory of this test's */

/* --- trying ----------------------------------------------------------------
 */

static struct config *configuration(void)
{
	struct config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->nhsms = 1;
	c->hsm[0].processes = 1;
	(void)snprintf(c->core.state, sizeof(c->core.state), "%s",
		       attempts_world.state);
	(void)snprintf(c->front.ledger, sizeof(c->front.ledger), "%s",
		       attempts_world.state);
	(void)snprintf(c->run, sizeof(c->run), "%s", attempts_world.state);
	(void)snprintf(c->hsm[0].worker.pin_file,
		       sizeof(c->hsm[0].worker.pin_file), "%s",
		       attempts_world.pin);
	(void)snprintf(c->hsm[0].worker.module, sizeof(c->hsm[0].worker.module),
		       "/usr/lib/none.so");
	return c;
}

static int attempt_in_child(const struct attempt *a, const struct config *c,
			    int role)
{
	if (role >= 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			  profile_enter(c, (enum wire_role)role, 0) != SG_OK))
		return EXIT_NO_SANDBOX;
	return a->try() ? EXIT_WORKED : EXIT_FAILED_AT_IT;
}

/* ROLE < 0: without a sandbox. */
static bool works(const struct attempt *a, int role)
{
	struct config *c = configuration();
	const pid_t p = fork();
	int status;

	assert_true(p >= 0);
	if (p == 0)
		_exit(attempt_in_child(a, c, role));
	free(c);
	assert_int_equal(waitpid(p, &status, 0), p);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return false;
	}
	assert_int_not_equal(WEXITSTATUS(status), EXIT_NO_SANDBOX);
	return WEXITSTATUS(status) == EXIT_WORKED;
}

static void test_attempts(void **state)
{
	(void)state;
	if (SANDBOX_RELAXED)
		skip();
	for (size_t i = 0; i < ATTEMPT_COUNT; i++) {
		const struct attempt *a = &ATTEMPTS[i];

		if (!works(a, -1))
			fail_msg("%s fails without a sandbox", a->name);
		(void)unlink(attempts_world.extra);
		for (int role = 0; role < WIRE_ROLE_COUNT; role++) {
			const bool may = (a->may >> role & 1) != 0;

			if (works(a, role) != may)
				fail_msg("%s: %s is %s",
					 role_name((enum wire_role)role),
					 a->name, may ? "refused" : "possible");
		}
	}
}

/* What is switched off is off: the tests above see the sandbox. */
static void test_off(void **state)
{
	struct config *c = configuration();
	struct sandbox *s;

	(void)state;
	c->sandbox.off[WIRE_FRONT] = SANDBOX_BIT(SANDBOX_FILES);
	assert_int_equal(profile_make(c, WIRE_FRONT, 0, &s), SG_OK);
	assert_int_equal(s->off, SANDBOX_BIT(SANDBOX_FILES));
	assert_false(s->network);
	free(s);
	assert_int_equal(profile_make(c, WIRE_HSM, 7, &s), SG_CONFIG);
	assert_null(s);
	if (geteuid() == 0) {
		(void)snprintf(c->sandbox.user[WIRE_FRONT], CONFIG_USER_BYTES,
			       "no-such-user");
		assert_int_equal(profile_make(c, WIRE_FRONT, 0, &s),
				 SG_NOT_FOUND);
	}
	free(c);
}

static bool is_nobody(void)
{
	uid_t r;
	uid_t e;
	uid_t s;

	return getresuid(&r, &e, &s) == 0 && r != 0 && e == r && s == r &&
	       setuid(0) != 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static void test_user(void **state)
{
	struct config *c;
	pid_t p;
	int status;

	(void)state;
	if (geteuid() != 0 || SANDBOX_RELAXED)
		skip();
	c = configuration();
	(void)snprintf(c->sandbox.user[WIRE_FRONT], CONFIG_USER_BYTES,
		       "nobody");
	/* setuid() and getresuid() are nothing for a front. */
	c->sandbox.off[WIRE_FRONT] = SANDBOX_BIT(SANDBOX_SYSTEM_CALLS);
	p = fork();
	if (p == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
				      profile_enter(c, WIRE_FRONT, 0) ==
					      SG_OK &&
				      is_nobody()
			      ? 0
			      : 1);
	free(c);
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_token_directory(void **state)
{
	char out[SANDBOX_PATH_BYTES];

	(void)state;
	assert_int_equal(
		profile_token_directory(
			span_str("# directories.tokendir = /no\n"
				 " directories.tokendir=\t/a/b c \r\nx = y"),
			out),
		SG_OK);
	assert_string_equal(out, "/a/b c");
	assert_int_equal(
		profile_token_directory(
			span_str("directories.tokendir = here\n"), out),
		SG_NOT_FOUND);
	assert_int_equal(profile_token_directory(span_str(""), out),
			 SG_NOT_FOUND);
}

/* --- the world outside ------------------------------------------------------
 */

static void write_pin(void)
{
	const int fd = open(attempts_world.pin, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "1234", 4), 4);
	(void)close(fd);
}

static int begin(void **state)
{
	(void)state;
	(void)snprintf(place, sizeof(place), "/tmp/signerd-sandbox-XXXXXX");
	assert_non_null(mkdtemp(place));
	(void)snprintf(attempts_world.pin, sizeof(attempts_world.pin), "%s/pin",
		       place);
	(void)snprintf(attempts_world.state, sizeof(attempts_world.state),
		       "%s/state", place);
	(void)snprintf(attempts_world.extra, sizeof(attempts_world.extra),
		       "%s/extra", place);
	assert_int_equal(mkdir(attempts_world.state, 0700), 0);
	write_pin();
	attempts_world.socket = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(attempts_world.socket >= 0);
	attempts_world.victim = fork();
	if (attempts_world.victim == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	return attempts_world.victim > 0 ? 0 : -1;
}

static int end(void **state)
{
	char path[1200];

	(void)state;
	(void)kill(attempts_world.victim, SIGKILL);
	(void)waitpid(attempts_world.victim, NULL, 0);
	(void)snprintf(path, sizeof(path), "%s/file", attempts_world.state);
	(void)unlink(path);
	(void)rmdir(attempts_world.state);
	(void)unlink(attempts_world.pin);
	(void)unlink(attempts_world.extra);
	return rmdir(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_token_directory),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
