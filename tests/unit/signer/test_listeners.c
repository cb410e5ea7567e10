/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "config_read.h"
#include "inherited.h"
#include "listeners.h"

static struct fixture fix;
static struct config config;

static int set_up(void **state)
{
	(void)state;
	fixture_make(&fix);
	config_defaults(&config, fix.dir);
	(void)snprintf(config.run, sizeof(config.run), "%s", fix.dir);
	(void)snprintf(config.address, sizeof(config.address), "127.0.0.1");
	config.port = (uint16_t)fix.port;
	config.fronts = 3;
	(void)snprintf(config.ops, sizeof(config.ops), "127.0.0.1:%u",
		       fix.ops_port);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_remove(&fix);
	return 0;
}

static int connect_to(unsigned port)
{
	const struct sockaddr_in a = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void test_open(void **state)
{
	struct listeners l;
	int fd;

	(void)state;
	assert_int_equal(listeners_open(&l, &config), SG_OK);
	for (uint32_t i = 0; i < config.fronts; i++)
		assert_true(l.tls[i] >= 0);
	assert_int_equal(l.tls[config.fronts], -1);
	fd = connect_to(fix.port);
	assert_true(fd >= 0);
	(void)close(fd);
	fd = connect_to(fix.ops_port);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(l.public, -1);
	listeners_close(&l);
	assert_int_equal(connect_to(fix.port), -1);
	assert_int_equal(connect_to(fix.ops_port), -1);
}

/* How many wait at FD; they are let go. */
static unsigned waiting_at(int fd)
{
	unsigned n = 0;
	int c;

	while ((c = accept(fd, NULL, NULL)) >= 0) {
		char byte;

		n++;
		/* What its client has sent is there to be read. */
		assert_int_equal(recv(c, &byte, 1, 0), 1);
		(void)close(c);
	}
	return n;
}

static void come(unsigned n)
{
	while (n-- > 0) {
		const int fd = connect_to(fix.port);

		assert_true(fd >= 0);
		assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
		(void)close(fd);
	}
}

/* Where a front cannot serve nobody waits for it. */
static void test_shut(void **state)
{
	enum { MANY = 64 };
	struct listeners l;
	unsigned n = 0;

	(void)state;
	assert_int_equal(listeners_open(&l, &config), SG_OK);
	listeners_shut(&l, 0);
	listeners_shut(&l, 2);
	listeners_shut(&l, 2);
	listeners_shut(&l, CONFIG_FRONTS_MAX - 1); /* there is none */
	come(MANY);
	assert_int_equal(waiting_at(l.tls[1]), MANY);
	assert_true(listeners_reopen(&l, 0));
	assert_true(listeners_reopen(&l, 0));
	assert_true(listeners_reopen(&l, 1));
	come(MANY);
	n = waiting_at(l.tls[0]);
	assert_in_range(n, 1, MANY - 1);
	assert_int_equal(waiting_at(l.tls[1]), MANY - n);
	/* What systemd has opened may be another's. */
	assert_true(listeners_reopen(&l, 2));
	l.inherited = true;
	listeners_shut(&l, 2);
	come(MANY);
	assert_in_range(waiting_at(l.tls[2]), 1, MANY - 1);
	listeners_close(&l);
}

static int connect_officer(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	assert_true(fd >= 0);
	assert_true(strlen(path) < sizeof(a.sun_path));
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void test_officers(void **state)
{
	char path[FRONT_PATH_MAX];
	struct listeners l;
	struct stat st;
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/officer.sock", fix.dir);
	/* twice: what an earlier run left is replaced */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(listeners_open(&l, &config), SG_OK);
		assert_string_equal(l.officers_path, path);
		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		fd = connect_officer(path);
		assert_true(fd >= 0);
		(void)close(fd);
		l.officers_path[i > 0 ? FRONT_PATH_MAX - 1 : 0] = '\0';
		listeners_close(&l);
	}
	assert_int_equal(lstat(path, &st), -1);
	/* but not what is no socket */
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(listeners_open(&l, &config), SG_IO);
	assert_int_equal(lstat(path, &st), 0);
	(void)unlink(path);
	/* and where the path is too long, there is none */
	memset(config.run, 'r', 120);
	config.run[0] = '/';
	config.run[120] = '\0';
	assert_int_equal(listeners_open(&l, &config), SG_OK);
	assert_int_equal(l.officers, -1);
	listeners_close(&l);
}

static void test_public(void **state)
{
	const unsigned port = fixture_free_port();
	struct listeners l;
	int fd;

	(void)state;
	(void)snprintf(config.public_listen, sizeof(config.public_listen),
		       "127.0.0.1:%u", port);
	assert_int_equal(listeners_open(&l, &config), SG_OK);
	fd = connect_to(port);
	assert_true(fd >= 0);
	(void)close(fd);
	listeners_close(&l);
	assert_int_equal(l.public, -1);
	assert_int_equal(connect_to(port), -1);
	/* one that is taken ends it, and all is closed again */
	(void)snprintf(config.public_listen, sizeof(config.public_listen),
		       "127.0.0.1:%u", fix.ops_port);
	assert_int_equal(listeners_open(&l, &config), SG_IO);
	assert_int_equal(l.ops, -1);
}

/* Two of ours share a port among their fronts, never with one another. */
static void test_twice(void **state)
{
	struct listeners a;
	struct listeners b;

	(void)state;
	assert_int_equal(listeners_open(&a, &config), SG_OK);
	assert_int_equal(listeners_open(&b, &config), SG_IO);
	(void)snprintf(config.ops, sizeof(config.ops), "127.0.0.1:%u",
		       fixture_free_port());
	assert_int_equal(listeners_open(&b, &config), SG_IO);
	/* And what it had opened is closed again. */
	assert_int_equal(b.ops, -1);
	assert_int_equal(b.tls[0], -1);
	listeners_close(&a);
}

static void test_ipv6(void **state)
{
	struct listeners l;
	int fd;

	(void)state;
	(void)snprintf(config.address, sizeof(config.address), "::");
	(void)snprintf(config.ops, sizeof(config.ops), "[::1]:%u",
		       fix.ops_port);
	if (listeners_open(&l, &config) != SG_OK)
		skip();		   /* a machine without IPv6 */
	fd = connect_to(fix.port); /* by IPv4 */
	assert_true(fd >= 0);
	(void)close(fd);
	listeners_close(&l);
}

static void test_no_such_address(void **state)
{
	struct listeners l;

	(void)state;
	(void)snprintf(config.address, sizeof(config.address), "192.0.2.1");
	assert_int_equal(listeners_open(&l, &config), SG_IO);
}

/* --- sockets of systemd's ------------------------------------------------- */

enum { FIRST = 3 };

static int open_socket(const char *address, unsigned port, bool listening)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)port)};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address, &a.sin_addr), 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listening ? listen(fd, 8) : 0, 0);
	return fd;
}

/* As systemd leaves them: FD from 3 on, NAMES with colons between. */
static void inherit(const int *fd, int n, const char *names)
{
	int high[4];
	char text[24];

	assert_true(n <= 4);
	for (int i = 0; i < n; i++) {
		high[i] = fcntl(fd[i], F_DUPFD, 64);
		assert_true(high[i] >= 0);
		(void)close(fd[i]);
	}
	for (int i = 0; i < n; i++) {
		assert_int_equal(dup2(high[i], FIRST + i), FIRST + i);
		(void)close(high[i]);
	}
	(void)snprintf(text, sizeof(text), "%ld", (long)getpid());
	assert_int_equal(setenv("LISTEN_PID", text, 1), 0);
	(void)snprintf(text, sizeof(text), "%d", n);
	assert_int_equal(setenv("LISTEN_FDS", text, 1), 0);
	assert_int_equal(setenv("LISTEN_FDNAMES", names, 1), 0);
}

static void expect_taken(int n)
{
	assert_null(getenv("LISTEN_FDS"));
	for (int i = 0; i < n; i++)
		assert_int_equal(fcntl(FIRST + i, F_GETFD), -1);
}

static void expect_open(unsigned port, bool open)
{
	const int fd = connect_to(port);

	assert_int_equal(fd >= 0, open);
	if (fd >= 0)
		(void)close(fd);
}

static void test_inherited(void **state)
{
	const unsigned tls = fixture_free_port();
	const unsigned ops = fixture_free_port();
	const int fd[] = {open_socket("127.0.0.1", tls, true),
			  open_socket("127.0.0.1", ops, true)};
	struct listeners l;

	(void)state;
	inherit(fd, 2, "tls:ops");
	assert_int_equal(inherited_count(), 2);
	assert_int_equal(listeners_open(&l, &config), SG_OK);
	assert_null(getenv("LISTEN_FDS"));
	/* in place of what the configuration says */
	expect_open(tls, true);
	expect_open(ops, true);
	expect_open(fix.port, false);
	expect_open(fix.ops_port, false);
	for (uint32_t i = 0; i < config.fronts; i++) {
		assert_true(l.tls[i] >= 0);
		assert_true(fcntl(l.tls[i], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(l.tls[i], F_GETFD) & FD_CLOEXEC);
	}
	listeners_close(&l);
	expect_taken(2);
	expect_open(tls, false);
	/* and once only */
	assert_int_equal(inherited_count(), 0);
	assert_int_equal(listeners_open(&l, &config), SG_OK);
	expect_open(fix.port, true);
	listeners_close(&l);
}

static void refuse(int fd, const char *name)
{
	struct listeners l;

	inherit(&fd, 1, name);
	assert_int_not_equal(listeners_open(&l, &config), SG_OK);
	expect_taken(1);
	assert_int_equal(l.ops, -1);
	assert_int_equal(l.tls[0], -1);
}

static void test_inherited_wrong(void **state)
{
	int fd[] = {-1, -1};
	struct listeners l;

	(void)state;
	refuse(open_socket("127.0.0.1", fixture_free_port(), true), "http");
	refuse(open_socket("127.0.0.1", fixture_free_port(), false), "tls");
	refuse(open("/dev/null", O_RDONLY | O_CLOEXEC), "tls");
	/* one that nobody would serve */
	refuse(open_socket("127.0.0.1", fixture_free_port(), true), "public");
	/* metrics for the network */
	refuse(open_socket("0.0.0.0", fixture_free_port(), true), "ops");
	/* more than there are fronts */
	config.fronts = 1;
	fd[0] = open_socket("127.0.0.1", fixture_free_port(), true);
	fd[1] = open_socket("127.0.0.1", fixture_free_port(), true);
	inherit(fd, 2, "tls:tls");
	assert_int_not_equal(listeners_open(&l, &config), SG_OK);
	expect_taken(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_officers, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_public, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ipv6, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_such_address, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_inherited, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_inherited_wrong, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
