/* SPDX-License-Identifier: Apache-2.0 */
/* What a taken-over role would try, tried from inside the sandbox that the
 * configuration gives it; and the same without one, where it must work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profile.h"
#include "sandbox/relaxed.h"

enum { EXIT_WORKED = 0, EXIT_FAILED_AT_IT = 1, EXIT_NO_SANDBOX = 2 };

static char place[64];	/* a directory of this test's */
static char pin[96];	/* in it: the PIN of the HSM */
static char inside[96]; /* in it: the state */
static char extra[96];	/* in it: a file that nobody is to make */
static pid_t victim;	/* a process outside of the sandbox */
static int idle_socket = -1;

/* --- attempts: true when it works ----------------------------------------- */

static bool open_for_writing(void)
{
	return open(extra, O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool open_state_for_writing(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/file", inside);
	return open(path, O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool open_pin(void)
{
	return open(pin, O_RDONLY) >= 0;
}

static bool make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool connect_socket(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* Without a listener: it is refused, or was on its way. */
	return connect(idle_socket, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static bool execute(void)
{
	char program[] = "/bin/true";
	char *args[] = {program, NULL};

	(void)execv(program, args);
	return false;
}

static bool make_process(void)
{
	const pid_t p = fork();

	if (p == 0)
		_exit(0);
	return p > 0;
}

static bool trace(void)
{
	return ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0;
}

static bool read_memory(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)victim);
	return open(path, O_RDONLY) >= 0;
}

static bool read_memory_at_once(void)
{
	char here[8];
	struct iovec to = {here, sizeof(here)};
	struct iovec from = {place, sizeof(here)};

	return process_vm_readv(victim, &to, 1, &from, 1, 0) > 0;
}

static bool signal_another(void)
{
	return kill(victim, SIGCONT) == 0;
}

static bool make_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static bool load_library(void)
{
	return dlopen("libnss_compat.so.2", RTLD_NOW) != NULL;
}

static bool run_fresh_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool hide_flags(void)
{
	return syscall(SYS_clone3, NULL, 0) == -1 && errno == EINVAL;
}

static const struct attempt {
	const char *name;
	bool (*try)(void);
	unsigned may; /* 1 << enum wire_role: whose work it is */
} ATTEMPTS[] = {
	{"open for writing", open_for_writing, 0},
	{"open the state for writing", open_state_for_writing,
	 1 << WIRE_CORE | 1 << WIRE_SUPERVISOR},
	{"open the PIN", open_pin,
	 1 << WIRE_SUPERVISOR | 1 << WIRE_HSM | 1 << WIRE_SMITH},
	{"make a socket", make_socket, 1 << WIRE_WITNESS},
	{"connect", connect_socket, 1 << WIRE_WITNESS},
	{"execute a program", execute, 0},
	{"make a process", make_process, 1 << WIRE_SUPERVISOR},
	{"trace a process", trace, 0},
	{"open a process's memory", read_memory, 0},
	{"read a process's memory", read_memory_at_once, 0},
	{"send a signal", signal_another, 0},
	{"make a namespace", make_namespace, 0},
	{"load a library", load_library,
	 1 << WIRE_SUPERVISOR | 1 << WIRE_HSM | 1 << WIRE_SMITH},
	{"run code that was made here", run_fresh_code,
	 1 << WIRE_SUPERVISOR | 1 << WIRE_HSM | 1 << WIRE_SMITH},
	{"hide flags of a new process", hide_flags, 0},
};
enum { ATTEMPT_COUNT = sizeof(ATTEMPTS) / sizeof(ATTEMPTS[0]) };

/* --- trying ----------------------------------------------------------------
 */

static struct config *configuration(void)
{
	struct config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->nhsms = 1;
	c->hsm[0].processes = 1;
	(void)snprintf(c->core.state, sizeof(c->core.state), "%s", inside);
	(void)snprintf(c->front.ledger, sizeof(c->front.ledger), "%s", inside);
	(void)snprintf(c->run, sizeof(c->run), "%s", inside);
	(void)snprintf(c->hsm[0].worker.pin_file,
		       sizeof(c->hsm[0].worker.pin_file), "%s", pin);
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
		(void)unlink(extra);
		for (int role = 0; role < WIRE_ROLE_COUNT; role++) {
			const bool may = (a->may >> role & 1) != 0;

			if (works(a, role) != may)
				fail_msg("%s: %s is %s", role_name(role),
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
	struct config *c = configuration();
	pid_t p;
	int status;

	(void)state;
	if (geteuid() != 0 || SANDBOX_RELAXED)
		skip();
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
	const int fd = open(pin, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "1234", 4), 4);
	(void)close(fd);
}

static int begin(void **state)
{
	(void)state;
	(void)snprintf(place, sizeof(place), "/tmp/signerd-sandbox-XXXXXX");
	assert_non_null(mkdtemp(place));
	(void)snprintf(pin, sizeof(pin), "%s/pin", place);
	(void)snprintf(inside, sizeof(inside), "%s/state", place);
	(void)snprintf(extra, sizeof(extra), "%s/extra", place);
	assert_int_equal(mkdir(inside, 0700), 0);
	write_pin();
	idle_socket = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(idle_socket >= 0);
	victim = fork();
	if (victim == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	return victim > 0 ? 0 : -1;
}

static int end(void **state)
{
	char path[128];

	(void)state;
	(void)kill(victim, SIGKILL);
	(void)waitpid(victim, NULL, 0);
	(void)snprintf(path, sizeof(path), "%s/file", inside);
	(void)unlink(path);
	(void)rmdir(inside);
	(void)unlink(pin);
	(void)unlink(extra);
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
