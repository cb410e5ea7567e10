/* SPDX-License-Identifier: Apache-2.0 */
/* A supervisor in a process of its own, whose roles are fake ones. */
#ifndef SG_TEST_SUPERVISED_H
#define SG_TEST_SUPERVISED_H

#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "fake_role.h"
#include "supervisor.h"

enum { WAIT_MS = 20000, POLL_MS = 10, LOG_MAX = 1 << 20, FRONTS = 2, HSMS = 2 };

/* A supervisor in a process of its own, whose roles are fake_role(). */
struct run {
	struct fixture fix;
	pid_t pid;
	int notify; /* what systemd would hear */
	char log[LOG_MAX];
};

static inline void sleep_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL);
}

static inline void read_log(struct run *r)
{
	FILE *f = fopen(fixture_path(&r->fix, "log"), "r");
	size_t n;

	assert_non_null(f);
	n = fread(r->log, 1, LOG_MAX - 1, f);
	r->log[n] = '\0';
	(void)fclose(f);
}

static inline size_t count(const char *text, const char *word)
{
	size_t n = 0;

	while ((text = strstr(text, word)) != NULL) {
		n++;
		text++;
	}
	return n;
}

static inline size_t seen(struct run *r, const char *word)
{
	read_log(r);
	return count(r->log, word);
}

/* Until WORD stands on the log N times. */
static inline void wait_for(struct run *r, const char *word, size_t n)
{
	for (long ms = 0; ms < WAIT_MS; ms += POLL_MS) {
		if (seen(r, word) >= n)
			return;
		sleep_ms(POLL_MS);
	}
	fail_msg("\"%s\" not seen %zu times in:\n%s", word, n, r->log);
}

static inline int wait_end(struct run *r)
{
	int status = 0;

	for (long ms = 0; ms < WAIT_MS; ms += POLL_MS) {
		const pid_t p = waitpid(r->pid, &status, WNOHANG);

		if (p == r->pid) {
			r->pid = 0;
			assert_true(WIFEXITED(status));
			return WEXITSTATUS(status);
		}
		sleep_ms(POLL_MS);
	}
	read_log(r);
	fail_msg("it does not end:\n%s", r->log);
	return -1;
}

static inline pid_t pid_of(struct run *r, const char *process)
{
	char word[64];
	const char *at;
	const char *last = NULL;

	read_log(r);
	(void)snprintf(word, sizeof(word),
		       "process-started process=%s pid=", process);
	for (at = r->log; (at = strstr(at, word)) != NULL; at++)
		last = at;
	if (last == NULL) {
		fail_msg("%s never started", process);
		return 0;
	}
	return (pid_t)strtol(last + strlen(word), NULL, 10);
}

static inline void order(const struct run *r, const char *process,
			 const char *text)
{
	fixture_write(&r->fix, process, text, 0644);
}

static inline void open_notify(struct run *r)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", r->fix.dir);
	r->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(r->notify, (struct sockaddr *)&a, sizeof(a)), 0);
	/* One thread. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	assert_int_equal(setenv("NOTIFY_SOCKET", a.sun_path, 1), 0);
}

/* What systemd was told since the last call. */
static inline void heard(struct run *r, char *out, size_t cap)
{
	size_t n = 0;
	ssize_t k;

	while ((k = recv(r->notify, out + n, cap - n - 2, 0)) > 0) {
		n += (size_t)k;
		out[n++] = '|';
	}
	out[n] = '\0';
}

static inline void launch(struct run *r)
{
	const char *path = fixture_path(&r->fix, "signerd.yaml");

	(void)fflush(stdout);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		const int log =
			open(fixture_path(&r->fix, "log"), O_WRONLY | O_APPEND);

		if (dup2(log, STDERR_FILENO) < 0)
			_exit(99);
		_exit(supervisor_run(path));
	}
}

static inline int prepare(void **state)
{
	struct run *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	fixture_make(&r->fix);
	fixture_write(&r->fix, "log", "", 0644);
	open_notify(r);
	*state = r;
	return 0;
}

/* What a sanitizer found in one of the processes. */
static inline void show_findings(struct run *r)
{
	FILE *log = fopen(fixture_path(&r->fix, "log"), "re");
	bool found = false;
	char line[1024];

	while (log != NULL && fgets(line, sizeof(line), log) != NULL) {
		found |= strstr(line, "Sanitizer") != NULL ||
			 strstr(line, "runtime error:") != NULL;
		if (found)
			(void)fputs(line, stderr);
	}
	if (log != NULL)
		(void)fclose(log);
}

static inline int clean_up(void **state)
{
	static const char *const orders[] = {"front.0", "front.1", "core.0",
					     "hsm.0",	"hsm.1",   "notify"};
	struct run *r = *state;

	if (r->pid > 0) {
		(void)kill(r->pid, SIGKILL);
		(void)waitpid(r->pid, NULL, 0);
	}
	show_findings(r);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		(void)unlink(fixture_path(&r->fix, orders[i]));
	(void)close(r->notify);
	fixture_remove(&r->fix);
	free(r);
	return 0;
}

static inline void edit_config(struct run *r, const char *old, const char *new)
{
	char text[FIXTURE_TEXT];
	char edited[FIXTURE_TEXT];

	fixture_config(&r->fix, text);
	fixture_edit(text, old, new, edited);
	fixture_write(&r->fix, "signerd.yaml", edited, 0644);
}

static inline void start(struct run *r)
{
	launch(r);
	wait_for(r, "supervisor ready ", 1);
}

static inline void drain(struct run *r)
{
	assert_int_equal(kill(r->pid, SIGTERM), 0);
	assert_int_equal(wait_end(r), 0);
}

static inline bool is_before(const char *text, const char *a, const char *b)
{
	const char *x = strstr(text, a);
	const char *y = strstr(text, b);

	return x != NULL && y != NULL && x < y;
}

static inline bool connects(const struct run *r)
{
	const struct sockaddr_in a = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)r->fix.port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const bool yes =
		connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;

	(void)close(fd);
	return yes;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, prepare, clean_up)

#endif /* SG_TEST_SUPERVISED_H */
