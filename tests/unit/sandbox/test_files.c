/* SPDX-License-Identifier: Apache-2.0 */
/* files: what each version of Landlock holds, as the table in
 * signer/sandbox/README.md says.  A kernel enforces the versions before its own
 * just as theirs did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/random.h>

#include "sandbox/files.h"
#include "sandbox/relaxed.h"

enum { NO_SANDBOX = 2, ABI_MAX = 6 };

static char place[] = "/tmp/signerd-files-XXXXXX";
static char open_file[64];   /* in the directory that is open */
static char closed_file[64]; /* beside it */
static char moved_file[64];  /* in another directory that is open */
static char directory[64];
static char second[64];

/* --- true: it was let through ----------------------------------------------
 */

static bool read_closed(void)
{
	return open(closed_file, O_RDONLY) >= 0;
}

static bool write_closed(void)
{
	return open(closed_file, O_WRONLY) >= 0;
}

static bool cut_closed(void)
{
	return truncate(closed_file, 0) == 0;
}

static bool move_between(void)
{
	return rename(open_file, moved_file) == 0;
}

static bool connect_out(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ||
	       errno != EACCES;
}

/* On a device that is open for reading alone. */
static bool control_device(void)
{
	const int fd = open("/dev/urandom", O_RDONLY);
	int bits;

	return fd >= 0 && ioctl(fd, RNDGETENTCNT, &bits) == 0;
}

static bool signal_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static const struct {
	const char *name;
	bool (*try)(void);
	long since; /* the version that holds it */
} WAYS[] = {{"read", read_closed, 1},	  {"write", write_closed, 1},
	    {"cut", cut_closed, 3},	  {"connect", connect_out, 4},
	    {"ioctl", control_device, 5}, {"signal", signal_parent, 6}};

/* --- in a process of its own ------------------------------------------------
 */

static int attempt(bool (*try)(void), long abi)
{
	static struct sandbox s = {.role = WIRE_CORE};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    sandbox_allow(&s, directory, SANDBOX_WRITE) != SG_OK ||
	    sandbox_allow(&s, second, SANDBOX_WRITE) != SG_OK ||
	    sandbox_allow(&s, "/dev/urandom", SANDBOX_READ) != SG_OK ||
	    files_enter_by(&s, abi) != SG_OK)
		return NO_SANDBOX;
	return try() ? 1 : 0;
}

static bool works(bool (*try)(void), long abi)
{
	const pid_t p = fork();
	int status;

	assert_true(p >= 0);
	if (p == 0)
		_exit(attempt(try, abi));
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), NO_SANDBOX);
	return WEXITSTATUS(status) == 1;
}

/* The kernel's version, at most ABI_MAX; the process is no other for it. */
static long newest(void)
{
	for (long abi = 1; abi <= ABI_MAX; abi++) {
		static struct sandbox s = {.role = WIRE_CORE};
		const pid_t p = fork();
		int status;

		if (p == 0)
			_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
					      files_enter_by(&s, abi) == SG_OK
				      ? 0
				      : 1);
		assert_int_equal(waitpid(p, &status, 0), p);
		if (status != 0)
			return abi - 1;
	}
	return ABI_MAX;
}

static void test_each_version(void **state)
{
	const long last = newest();

	(void)state;
	if (SANDBOX_RELAXED || last == 0)
		skip();
	for (long abi = 1; abi <= last; abi++)
		for (size_t i = 0; i < sizeof(WAYS) / sizeof(WAYS[0]); i++)
			if (works(WAYS[i].try, abi) == (abi >= WAYS[i].since))
				fail_msg("version %ld, %s: %s", abi,
					 WAYS[i].name,
					 abi >= WAYS[i].since ? "let through"
							      : "held");
}

/* The first one forbids it wherever it is. */
static void test_between_directories(void **state)
{
	const long last = newest();

	(void)state;
	if (last == 0)
		skip();
	assert_false(works(move_between, 1));
	if (last >= 2)
		assert_true(works(move_between, last));
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(files_unheld(0), "files, ports, ioctl, signals");
	assert_string_equal(files_unheld(2), "cutting, ports, ioctl, signals");
	assert_string_equal(files_unheld(3), "ports, ioctl, signals");
	assert_string_equal(files_unheld(4), "ioctl, signals");
	assert_string_equal(files_unheld(5), "signals");
	assert_string_equal(files_unheld(ABI_MAX), "none");
	assert_string_equal(files_unheld(ABI_MAX + 1), "none");
}

static void make(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static int begin(void **state)
{
	(void)state;
	if (mkdtemp(place) == NULL)
		return -1;
	(void)snprintf(directory, sizeof(directory), "%s/a", place);
	(void)snprintf(second, sizeof(second), "%s/b", place);
	(void)snprintf(open_file, sizeof(open_file), "%s/a/file", place);
	(void)snprintf(moved_file, sizeof(moved_file), "%s/b/file", place);
	(void)snprintf(closed_file, sizeof(closed_file), "%s/file", place);
	if (mkdir(directory, 0700) != 0 || mkdir(second, 0700) != 0)
		return -1;
	make(open_file);
	make(closed_file);
	return 0;
}

static int end(void **state)
{
	(void)state;
	(void)unlink(open_file);
	(void)unlink(moved_file);
	(void)unlink(closed_file);
	(void)rmdir(directory);
	(void)rmdir(second);
	return rmdir(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_version),
		cmocka_unit_test(test_between_directories),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
