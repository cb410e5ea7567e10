/* SPDX-License-Identifier: Apache-2.0 */
/* child: a process that has stopped before it was up is not waited for for
 * ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "child.h"

static const uint64_t MS = 1000; /* microseconds */

struct one {
	struct child child;
	uv_process_t process;
	pid_t pid;
};

/* A role that is starting: it works, or waits. */
static void start(struct one *o, bool works)
{
	const int fd = metrics_memfd();

	memset(o, 0, sizeof(*o));
	o->child.role = WIRE_CORE;
	o->child.page = metrics_map(fd, 1);
	assert_non_null(o->child.page);
	(void)close(fd);
	o->pid = fork();
	assert_true(o->pid >= 0);
	if (o->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		while (works)
			(void)getppid();
		for (;;)
			(void)pause();
	}
	o->process.pid = o->pid;
	o->child.process = &o->process;
}

static void end(struct one *o)
{
	(void)kill(o->pid, SIGKILL);
	assert_int_equal(waitpid(o->pid, NULL, 0), o->pid);
	assert_int_equal(munmap(o->child.page, metrics_page_bytes()), 0);
}

static uint64_t cpu_ns(pid_t pid)
{
	struct timespec t;
	clockid_t cpu;

	assert_int_equal(clock_getcpuclockid(pid, &cpu), 0);
	assert_int_equal(clock_gettime(cpu, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Once it has worked on, as long as the machine may take for that. */
static void look(struct one *o, uint64_t now)
{
	const struct timespec t = {0, 1000000};
	const uint64_t before = cpu_ns(o->pid);

	while (cpu_ns(o->pid) == before)
		(void)nanosleep(&t, NULL);
	child_look(&o->child, now);
}

static void test_stopped(void **state)
{
	struct one o;
	uint64_t now = 1000 * MS;
	int status;

	(void)state;
	start(&o, true);
	look(&o, now);
	assert_int_equal(kill(o.pid, SIGSTOP), 0);
	assert_int_equal(waitpid(o.pid, &status, WUNTRACED), o.pid);
	child_look(&o.child, now);
	child_look(&o.child, now + CHILD_STILL_MS * MS);
	assert_false(o.child.killed);
	child_look(&o.child, now + (CHILD_STILL_MS + 1) * MS);
	assert_true(o.child.killed);
	end(&o);
}

static void test_at_work(void **state)
{
	struct one o;
	uint64_t now = 1000 * MS;

	(void)state;
	start(&o, true);
	for (int i = 0; i < 5; i++) {
		look(&o, now);
		assert_false(o.child.killed);
		now += 2 * CHILD_STILL_MS * MS;
	}
	end(&o);
}

/* One that is up has less time, and its CPU time does not count. */
static void test_up(void **state)
{
	struct one o;
	const uint64_t now = 1000 * MS;

	(void)state;
	start(&o, true);
	o.child.up = true;
	o.child.lively_us = now;
	look(&o, now + CHILD_SILENT_MS * MS);
	assert_false(o.child.killed);
	look(&o, now + (CHILD_SILENT_MS + 1) * MS);
	assert_true(o.child.killed);
	end(&o);
}

/* Between two lives there is nothing to look at. */
static void test_none(void **state)
{
	struct one o;

	(void)state;
	start(&o, false);
	o.child.process = NULL;
	child_look(&o.child, 1);
	child_look(&o.child, 1 + 2 * CHILD_STILL_MS * MS);
	assert_false(o.child.killed);
	end(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stopped), cmocka_unit_test(test_at_work),
		cmocka_unit_test(test_up), cmocka_unit_test(test_none)};

	log_limit(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
