/* SPDX-License-Identifier: Apache-2.0 */
#include "supervised.h"

/* Until systemd has heard WORD; TOLD is all that it has heard meanwhile. */
static void hear(struct run *r, const char *word, char *told, size_t cap)
{
	size_t n = 0;

	told[0] = '\0';
	for (long ms = 0; ms < WAIT_MS; ms += POLL_MS) {
		heard(r, told + n, cap - n);
		if (strstr(told, word) != NULL)
			return;
		n = strlen(told);
		sleep_ms(POLL_MS);
	}
	fail_msg("\"%s\" not heard in: %s", word, told);
}

static void test_life(void **state)
{
	struct run *r = *state;
	char told[4096];

	start(r);
	/* The core is linked with all, each link has two ends. */
	wait_for(r, "fake-link peer=core/0", FRONTS + HSMS);
	wait_for(r, "core/0 fake-link", FRONTS + HSMS);
	/* Each front has the page of every process, the supervisor's too, and
	 * that of the HSM. */
	wait_for(r, "fake-page n=7", FRONTS);
	assert_int_equal(seen(r, "fake-page n=8"), 0);
	assert_true(is_before(r->log, "process-up process=hsm/0",
			      "process-started process=hsm/1"));
	assert_int_equal(count(r->log, "process-started"), 1 + FRONTS + HSMS);
	assert_true(connects(r));
	assert_int_equal(access(fixture_path(&r->fix, "run/signerd.pid"), F_OK),
			 0);
	hear(r, "STATUS=Serving|", told, sizeof(told));
	assert_memory_equal(told, "READY=1\nSTATUS=Serving", 22);
	assert_int_equal(count(told, "READY=1"), 1);
	assert_int_equal(count(told, "not up: core"), 0);
	drain(r);
	read_log(r);
	assert_true(is_before(r->log, "process-ended process=front/1",
			      "core/0 fake-drain"));
	assert_true(is_before(r->log, "process-ended process=core/0",
			      "hsm/0 fake-drain"));
	assert_int_equal(count(r->log, "process-killed"), 0);
	assert_false(connects(r));
	assert_int_equal(access(fixture_path(&r->fix, "run/signerd.pid"), F_OK),
			 -1);
	heard(r, told, sizeof(told));
	assert_string_equal(told, "STOPPING=1\nSTATUS=Draining|");
}

static void test_deaths(void **state)
{
	struct run *r = *state;

	start(r);
	assert_int_equal(kill(pid_of(r, "front/1"), SIGKILL), 0);
	assert_true(connects(r)); /* the listener is not the front's alone */
	wait_for(r, "process-up process=front/1", 2);
	wait_for(r, "core/0 fake-link peer=front/1", 2);
	assert_int_equal(kill(pid_of(r, "hsm/0"), SIGKILL), 0);
	wait_for(r, "process-up process=hsm/0", 2);
	wait_for(r, "core/0 fake-link peer=hsm/0", 2);
	assert_int_equal(kill(pid_of(r, "core/0"), SIGKILL), 0);
	wait_for(r, "process-up process=core/0", 2);
	wait_for(r, "front/0 fake-link peer=core/0", 2);
	wait_for(r, "hsm/1 fake-link peer=core/0", 2);
	wait_for(r, "core/0 fake-link peer=hsm/1", 2);
	drain(r);
}

/* Neither dead nor alive: nobody would be told but its clients. */
static void test_stopped(void **state)
{
	struct run *r = *state;

	start(r);
	assert_int_equal(kill(pid_of(r, "front/1"), SIGSTOP), 0);
	wait_for(r, "process-killed process=front/1", 1);
	wait_for(r, "process-up process=front/1", 2);
	/* All the others were lively. */
	assert_int_equal(seen(r, "process-killed"), 1);
	drain(r);
}

static void test_back_off(void **state)
{
	struct run *r = *state;
	char told[4096];

	order(r, "hsm.0", "die");
	launch(r);
	/* Told once, and not by each process that dies of it. */
	wait_for(r, "hsm-down hsm=\"demo\"", 1);
	wait_for(r, "hsm-up hsm=\"demo\"", 1);
	assert_true(seen(r, "process=hsm/0 likely=") < 4);
	/* Its turn passes to the next one meanwhile. */
	wait_for(r, "process-up process=hsm/1", 1);
	assert_int_equal(seen(r, "supervisor ready "), 0);
	/* Nor would it help to have the others ended by systemd. */
	hear(r, "STATUS=Serving, but not up: hsm/0|", told, sizeof(told));
	assert_int_equal(count(told, "READY=1"), 1);
	order(r, "hsm.0", "");
	wait_for(r, "supervisor ready ", 1);
	hear(r, "STATUS=Serving|", told, sizeof(told));
	assert_int_equal(count(told, "READY=1"), 0);
	drain(r);
}

/* What is not known yet is waited for. */
static void test_ready_waits(void **state)
{
	struct run *r = *state;
	char told[4096];

	order(r, "hsm.0", "mute");
	launch(r);
	wait_for(r, "process-up process=front/0", 1);
	wait_for(r, "process-up process=front/1", 1);
	wait_for(r, "process-up process=core/0", 1);
	sleep_ms(300);
	heard(r, told, sizeof(told));
	assert_string_equal(told, "");
	order(r, "hsm.0", "die");
	assert_int_equal(kill(pid_of(r, "hsm/0"), SIGKILL), 0);
	hear(r, "READY=1", told, sizeof(told));
	assert_int_equal(seen(r, "hsm-down hsm=\"demo\""), 1);
	drain(r);
}

static void test_pin_refused(void **state)
{
	struct run *r = *state;
	char told[4096];

	order(r, "hsm.0", "pin");
	launch(r);
	wait_for(r, "pin-refused", 1);
	wait_for(r, "process-up process=front/1", 1);
	wait_for(r, "process-up process=core/0", 1);
	sleep_ms(500);
	hear(r, "STATUS=Serving, but not up: hsm/0 hsm/1|", told, sizeof(told));
	/* Neither it nor the other one of the same HSM has tried again. */
	assert_int_equal(seen(r, "process-started process=hsm/"), 1);
	order(r, "hsm.0", "");
	assert_int_equal(kill(r->pid, SIGHUP), 0);
	wait_for(r, "supervisor ready ", 1);
	drain(r);
}

static void test_bad_peer(void **state)
{
	struct run *r = *state;

	order(r, "core.0", "accuse");
	launch(r);
	wait_for(r, "peer-bad process=front/0 accuser=core/0", 1);
	wait_for(r, "process-started process=front/0", 2);
	assert_int_equal(kill(r->pid, SIGTERM), 0);
	assert_int_equal(wait_end(r), 0);
}

/* A front has no link to an hsm, and so nothing to say about one. */
static void test_slander(void **state)
{
	struct run *r = *state;

	order(r, "front.1", "slander");
	launch(r);
	wait_for(r, "process-killed process=front/1", 1);
	order(r, "front.1", "");
	wait_for(r, "supervisor ready ", 1);
	assert_int_equal(seen(r, "peer-bad"), 0);
	assert_int_equal(seen(r, "process-started process=hsm/0"), 1);
	drain(r);
}

/* One front's word ends the front, again and again, and never the core. */
static void test_front_accuses_core(void **state)
{
	struct run *r = *state;

	order(r, "front.1", "accuse core");
	launch(r);
	wait_for(r, "process-killed process=front/1", 3);
	order(r, "front.1", "");
	wait_for(r, "supervisor ready ", 1);
	assert_int_equal(seen(r, "process-started process=core/0"), 1);
	assert_int_equal(seen(r, "process-started process=front/0"), 1);
	drain(r);
}

static void test_two_fronts_accuse_core(void **state)
{
	struct run *r = *state;

	order(r, "front.1", "accuse core");
	order(r, "front.0", "accuse core");
	launch(r);
	wait_for(r, "process-killed process=core/0", 1);
	/* They go on, and have no second one killed so soon. */
	wait_for(r, "core-kept process=core/0", 1);
	order(r, "front.0", "");
	order(r, "front.1", "");
	wait_for(r, "process-started process=core/0", 2);
	wait_for(r, "supervisor ready ", 1);
	assert_int_equal(seen(r, "process-killed process=core/0"), 1);
	assert_int_equal(seen(r, "process-started process=core/0"), 2);
	drain(r);
}

static void front_says(struct run *r, const char *what)
{
	order(r, "front.1", what);
	launch(r);
	wait_for(r, "process-killed process=front/1", 1);
	order(r, "front.1", "");
	wait_for(r, "supervisor ready ", 1);
	assert_int_equal(seen(r, "peer-bad"), 0);
	assert_int_equal(seen(r, "process-started process=core/0"), 1);
	drain(r);
}

/* Nor has it anything to say about a core that there is not: it would be for
 * ever. */
static void test_accuses_nobody(void **state)
{
	front_says(*state, "accuse nobody");
}

static void test_up_twice(void **state)
{
	front_says(*state, "up twice");
}

/* A front that has closed its link and stays is of no use; one that has come
 * since is another one. */
static void test_left(void **state)
{
	struct run *r = *state;

	order(r, "core.0", "left");
	launch(r);
	wait_for(r, "process-killed process=front/0", 1);
	wait_for(r, "it has left the core", 1);
	order(r, "core.0", "");
	wait_for(r, "supervisor ready ", 1);
	drain(r);
}

static void test_left_long_ago(void **state)
{
	struct run *r = *state;

	order(r, "core.0", "left long ago");
	launch(r);
	wait_for(r, "supervisor ready ", 1);
	sleep_ms(1500);
	assert_int_equal(seen(r, "process-killed"), 0);
	drain(r);
}

static void test_bad_messages(void **state)
{
	struct run *r = *state;

	order(r, "front.1", "junk");
	launch(r);
	wait_for(r, "reason=\"its messages make no sense\"", 1);
	order(r, "front.1", "");
	wait_for(r, "supervisor ready ", 1);
	drain(r);
}

static void test_drain_time(void **state)
{
	struct run *r = *state;

	edit_config(r, "drain: 5s", "drain: 200ms");
	order(r, "front.0", "deaf");
	start(r);
	drain(r);
	assert_int_equal(seen(r, "its time to drain is over"), 1);
}

static void test_second_signal(void **state)
{
	struct run *r = *state;

	order(r, "front.0", "deaf");
	start(r);
	assert_int_equal(kill(r->pid, SIGTERM), 0);
	wait_for(r, "front/0 fake-drain", 1);
	assert_int_equal(kill(r->pid, SIGINT), 0);
	assert_int_equal(wait_end(r), 1);
}

static void test_only_one(void **state)
{
	struct run *r = *state;
	pid_t first;

	start(r);
	first = r->pid;
	launch(r);
	assert_int_equal(wait_end(r), 2);
	assert_int_equal(seen(r, "already-running"), 1);
	r->pid = first;
	assert_true(connects(r));
	drain(r);
}

static void test_port_taken(void **state)
{
	struct run *r = *state;
	const struct sockaddr_in a = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)r->fix.port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const int on = 1;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	/* Even by one that would share it. */
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	launch(r);
	assert_int_equal(wait_end(r), 2);
	assert_int_equal(seen(r, "listen-failed"), 1);
	assert_int_equal(seen(r, "process-started"), 0);
	(void)close(fd);
}

/* By processes that are about to end. */
static void test_port_taken_for_a_moment(void **state)
{
	struct run *r = *state;
	const uint16_t ports[] = {(uint16_t)r->fix.port,
				  (uint16_t)r->fix.ops_port};
	int fds[2];

	for (size_t i = 0; i < 2; i++) {
		const struct sockaddr_in a = {
			.sin_family = AF_INET,
			.sin_port = htons(ports[i]),
			.sin_addr = {htonl(INADDR_LOOPBACK)}};
		const int on = 1;

		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(setsockopt(fds[i], SOL_SOCKET, SO_REUSEADDR,
					    &on, sizeof(on)),
				 0);
		assert_int_equal(
			bind(fds[i], (const struct sockaddr *)&a, sizeof(a)),
			0);
		assert_int_equal(listen(fds[i], 1), 0);
	}
	launch(r);
	for (size_t i = 0; i < 2; i++) {
		(void)usleep(300000);
		(void)close(fds[i]);
	}
	wait_for(r, "supervisor ready ", 1);
	assert_int_equal(seen(r, "listen-failed"), 0);
	drain(r);
}

static void test_ops_socket(void **state)
{
	struct run *r = *state;
	char tcp[64];
	struct stat st;

	(void)snprintf(tcp, sizeof(tcp), "127.0.0.1:%u", r->fix.ops_port);
	edit_config(r, tcp, "unix:run/ops.sock");
	start(r);
	assert_int_equal(stat(fixture_path(&r->fix, "run/ops.sock"), &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0660);
	/* Killed, it leaves its socket; the next one takes its place. */
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	assert_int_equal(waitpid(r->pid, NULL, 0), r->pid);
	launch(r);
	wait_for(r, "supervisor ready ", 2);
	drain(r);
	assert_int_equal(stat(fixture_path(&r->fix, "run/ops.sock"), &st), -1);
	/* What is no socket stays, and is an error. */
	fixture_write(&r->fix, "run/ops.sock", "precious", 0644);
	launch(r);
	assert_int_equal(wait_end(r), 2);
	assert_int_equal(stat(fixture_path(&r->fix, "run/ops.sock"), &st), 0);
}

/* When the supervisor is gone, so are its roles. */
static void test_supervisor_killed(void **state)
{
	struct run *r = *state;
	pid_t front;

	start(r);
	front = pid_of(r, "front/0");
	assert_int_equal(kill(front, 0), 0);
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	assert_int_equal(waitpid(r->pid, NULL, 0), r->pid);
	r->pid = 0;
	for (int i = 0; i < 500 && connects(r); i++)
		sleep_ms(POLL_MS);
	assert_false(connects(r));
}

static void test_bad_config(void **state)
{
	struct run *r = *state;

	edit_config(r, "fronts: 2", "fronts: two");
	launch(r);
	assert_int_equal(wait_end(r), 2);
	assert_int_equal(seen(r, "signerd.yaml:5: listen.fronts: "), 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stopped),
		TEST(test_life),
		TEST(test_deaths),
		TEST(test_back_off),
		TEST(test_ready_waits),
		TEST(test_pin_refused),
		TEST(test_bad_peer),
		TEST(test_slander),
		TEST(test_front_accuses_core),
		TEST(test_two_fronts_accuse_core),
		TEST(test_accuses_nobody),
		TEST(test_up_twice),
		TEST(test_left),
		TEST(test_left_long_ago),
		TEST(test_bad_messages),
		TEST(test_drain_time),
		TEST(test_second_signal),
		TEST(test_only_one),
		TEST(test_port_taken),
		TEST(test_port_taken_for_a_moment),
		TEST(test_ops_socket),
		TEST(test_supervisor_killed),
		TEST(test_bad_config),
	};

	if (argc >= 5 && strcmp(argv[1], "--role") == 0)
		return fake_role(argv[2], argv[4]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
