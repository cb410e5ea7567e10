/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/metrics.h"
#include "child_log.h"

static char directory[] = "/tmp/signerd-child-log-XXXXXX";
static char path[64];
static int journald = -1;
static uv_loop_t loop;
static struct metrics_page *page;

static void turns(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
}

/* Entries that have come. */
static unsigned entries(void)
{
	char entry[4096];
	unsigned n = 0;

	while (recv(journald, entry, sizeof(entry), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

static bool say(int fd, const char *line)
{
	return send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static uint64_t bad(void)
{
	return metric_get(page, METRIC_BAD_MESSAGES);
}

static void test_lines_of_a_process(void **state)
{
	const uint64_t bad_before = bad();
	struct child_log *c;
	char longest[1200];
	int theirs;

	(void)state;
	assert_int_equal(child_log_open(&loop, "front/0", &c, &theirs), SG_OK);
	assert_true(say(theirs, "t info front/0 one a=1"));
	assert_true(say(theirs, "t info core/0 two a=1")); /* not its name */
	assert_true(say(theirs, "what?"));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "t info front/0 long a=", 22);
	assert_true(say(theirs, longest));
	assert_true(say(theirs, "t error front/0 three a=1"));
	turns(3);
	assert_int_equal(entries(), 2);
	assert_int_equal(bad() - bad_before, 3);
	/* Its last words. */
	assert_true(say(theirs, "t error front/0 four a=1"));
	(void)close(theirs);
	child_log_close(c);
	assert_int_equal(entries(), 1);
	turns(2);
}

/* A process reaches us by it, and nobody else. */
static void test_reaches_nobody_else(void **state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct child_log *c;
	int theirs;

	(void)state;
	memcpy(to.sun_path, path, strlen(path) + 1);
	assert_int_equal(child_log_open(&loop, "front/0", &c, &theirs), SG_OK);
	(void)!sendto(theirs, "MESSAGE=me\n", 11, MSG_DONTWAIT,
		      (const struct sockaddr *)&to, sizeof(to));
	assert_int_equal(entries(), 0);
	assert_true(connect(theirs, (const struct sockaddr *)&to, sizeof(to)) <
		    0);
	(void)close(theirs);
	child_log_close(c);
	turns(2);
}

/* Many lines wait in the pair and at the process; another one's do not. */
static void test_flood(void **state)
{
	struct child_log *noisy;
	struct child_log *other;
	unsigned said = 0;
	unsigned seen = 0;
	int theirs[2];

	(void)state;
	assert_int_equal(child_log_open(&loop, "front/0", &noisy, &theirs[0]),
			 SG_OK);
	assert_int_equal(child_log_open(&loop, "core/0", &other, &theirs[1]),
			 SG_OK);
	for (unsigned i = 0; i < 3000; i++) {
		for (unsigned k = 0; k < 10; k++)
			said += say(theirs[0], "t info front/0 one a=1");
		turns(1);
		seen += entries();
	}
	assert_true(seen >= CHILD_LOG_BURST);
	assert_true(said > seen);
	assert_true(said < 30000); /* the process has to drop some */
	assert_true(seen < 30000 / 2);
	assert_true(say(theirs[1], "t info core/0 one a=1"));
	turns(1);
	assert_true(entries() >= 1);
	/* The limit's pause ends. */
	seen = 0;
	for (unsigned i = 0; i < 2000 && seen == 0; i++) {
		(void)usleep(1000);
		turns(1);
		seen += entries();
	}
	assert_true(seen > 0);
	(void)close(theirs[0]);
	(void)close(theirs[1]);
	child_log_close(noisy);
	child_log_close(other);
	turns(2);
	(void)entries();
}

/* A process that shuts its end down, or says nothing at length, makes no work
 */
static void test_shut(void **state)
{
	struct child_log *c;
	int theirs;

	(void)state;
	assert_int_equal(child_log_open(&loop, "front/0", &c, &theirs), SG_OK);
	assert_int_equal(shutdown(theirs, SHUT_RDWR), 0);
	turns(2);
	assert_int_equal(uv_loop_alive(&loop), 0);
	(void)close(theirs);
	child_log_close(c);
	turns(2);

	assert_int_equal(child_log_open(&loop, "front/0", &c, &theirs), SG_OK);
	assert_int_equal(send(theirs, "", 0, 0), 0);
	turns(2);
	assert_int_equal(uv_loop_alive(&loop), 0);
	(void)close(theirs);
	child_log_close(c);
	child_log_close(NULL);
	turns(2);
}

static int set_up(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const int bytes = 8 << 20;
	char word[64];
	struct stat st;

	(void)state;
	if (mkdtemp(directory) == NULL || uv_loop_init(&loop) != 0)
		return -1;
	page = metrics_map(metrics_memfd(), 1);
	if (page == NULL)
		return -1;
	metrics_install(page);
	(void)snprintf(path, sizeof(path), "%s/socket", directory);
	memcpy(at.sun_path, path, strlen(path) + 1);
	journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(journald, SOL_SOCKET, SO_RCVBUF, &bytes,
			 sizeof(bytes));
	if (bind(journald, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
	    fstat(STDERR_FILENO, &st) != 0)
		return -1;
	(void)snprintf(word, sizeof(word), "%llu:%llu",
		       (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	/* One thread. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	if (setenv("JOURNAL_STREAM", word, 1) != 0)
		return -1;
	log_journal(path);
	return log_journal_descriptor() >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	(void)close(journald);
	(void)unlink(path);
	assert_int_equal(uv_loop_close(&loop), 0);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_a_process),
		cmocka_unit_test(test_reaches_nobody_else),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_shut),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
