/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front_world.h"

/* --- serving -------------------------------------------------------------- */

static void test_serves(void **state)
{
	struct client k;

	(void)state;
	start();
	k = client_open(&child, &good, NULL);
	for (int i = 0; i < 3; i++)
		get(&k);
	assert_true(metric_becomes(METRIC_CONNECTIONS, 1));
	assert_true(metric_becomes(METRIC_HTTP_2XX, 3));
	client_close(&k);
	assert_true(metric_becomes(METRIC_CONNECTIONS, 0));
	assert_int_equal(metric_get(child.page, METRIC_CONNECTIONS_TOTAL), 1);
	child_stop(&child);
}

static void test_ops_is_plain(void **state)
{
	ssize_t n;
	int fd;

	(void)state;
	start();
	fd = client_connect(child.ops_port);
	assert_int_equal(write(fd, GET, strlen(GET)), strlen(GET));
	assert_int_equal(shutdown(fd, SHUT_WR), 0); /* a half is enough */
	n = recv(fd, text, 4096, MSG_WAITALL);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
	(void)close(fd);
	child_stop(&child);
}

/* Read until UNTIL has been seen, or to the end: true. */
static bool read_plain(int fd, const char *until)
{
	size_t n = 0;
	ssize_t got = 1;

	text[0] = '\0';
	while (got > 0 && (until == NULL || strstr(text, until) == NULL)) {
		got = recv(fd, text + n, sizeof(text) - 1 - n, 0);
		n += got > 0 ? (size_t)got : 0;
		text[n] = '\0';
	}
	return got == 0;
}

static void test_public_is_plain(void **state)
{
	int fd;

	(void)state;
	settings.public = true;
	start();
	fd = client_connect(child.public_port);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(write(fd, GET, strlen(GET)), strlen(GET));
		(void)read_plain(fd, "\r\n\r\n");
		assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
	}
	/* Nobody's certificate, and none of the clients' connections. */
	assert_int_equal(metric_get(child.page, METRIC_CONNECTIONS), 0);
	(void)close(fd);
	child_stop(&child);
}

static void test_public_has_a_limit(void **state)
{
	enum { MAX = 8 };
	int fd[MAX + 1];
	struct client k;

	(void)state;
	settings.public = true;
	start();
	for (int i = 0; i < MAX; i++) {
		fd[i] = client_connect(child.public_port);
		assert_int_equal(write(fd[i], GET, strlen(GET)), strlen(GET));
		(void)read_plain(fd[i], "\r\n\r\n");
		assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
	}
	fd[MAX] = client_connect(child.public_port);
	assert_true(read_plain(fd[MAX], NULL)); /* at once */
	assert_string_equal(text, "");
	/* It takes nothing from the clients. */
	k = client_open(&child, &good, NULL);
	get(&k);
	client_close(&k);
	for (int i = 0; i <= MAX; i++)
		(void)close(fd[i]);
	child_stop(&child);
}

/* Who reads has a word with the drain, and does not hold it up. */
static void public_drains(void)
{
	const struct sockaddr_in a = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(child.public_port)};
	struct client busy;
	int fd;

	fd = client_connect(child.public_port);
	assert_int_equal(write(fd, GET, strlen(GET)), strlen(GET));
	(void)read_plain(fd, "\r\n\r\n");
	busy = client_open(&child, &good, NULL);
	get(&busy);
	client_send(&busy, "POST / HTTP/1.1\r\nHost: x\r\n"
			   "Content-Length: 5\r\n\r\nhel");
	(void)usleep(100000); /* it has come */
	send_bare(child.control, WIRE_DRAIN, -1);
	assert_true(read_plain(fd, NULL));
	assert_string_equal(text, "");
	(void)close(fd);
	/* Nobody comes in any more. */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)),
			 -1);
	(void)close(fd);
	client_send(&busy, "lo");
	(void)client_read(&busy, text, sizeof(text), NULL);
	assert_non_null(strstr(text, "hello"));
	client_close(&busy);
	assert_int_equal(child_wait(&child), 0);
	child_stop(&child);
}

static void test_public_drains(void **state)
{
	(void)state;
	settings.public = true;
	start();
	public_drains();
}

static void test_http2_is_offered(void **state)
{
	static const char bytes[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				    "\0\0\0\4\0\0\0\0\0";
	struct client k;

	(void)state;
	start();
	k = client_open(&child, &good, "\x02h2");
	assert_int_equal(SSL_write(k.ssl, bytes, sizeof(bytes) - 1),
			 sizeof(bytes) - 1);
	assert_true(SSL_read(k.ssl, text, sizeof(text)) >= 9);
	assert_int_equal(text[3], 4); /* SETTINGS */
	client_close(&k);
	child_stop(&child);
}

static void test_pipeline(void **state)
{
	enum { REQUESTS = 500 };
	struct client k;
	size_t n = 0;
	unsigned answers = 0;

	(void)state;
	for (int i = 0; i < REQUESTS; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%s",
			i + 1 < REQUESTS ? GET : "GET /a HTTP/1.0\r\n\r\n");
	start();
	k = client_open(&child, &good, NULL);
	client_send(&k, text);
	(void)client_read(&k, text, sizeof(text), NULL);
	for (const char *p = text; (p = strstr(p, " 200 OK")) != NULL; p++)
		answers++;
	assert_int_equal(answers, REQUESTS);
	client_close(&k);
	child_stop(&child);
}

/* The socket fills up; all comes, when it is read at last. */
static void test_slow_reader_gets_all(void **state)
{
	struct client k;
	size_t n;

	(void)state;
	fake.mode = FAKE_LARGE;
	fake.large = 12 << 20; /* more than the sockets hold */
	start();
	k = client_open(&child, &good, NULL);
	client_send(&k, "GET /a HTTP/1.0\r\n\r\n");
	(void)usleep(300000);
	n = client_read(&k, text, sizeof(text), NULL);
	assert_true(n > fake.large);
	assert_int_equal(strlen(strstr(text, "\r\n\r\n") + 4), fake.large);
	client_close(&k);
	child_stop(&child);
}

/* The client is still sending when it is refused: it sees the answer, not a
 * reset. */
static void test_refusal_is_seen_while_sending(void **state)
{
	static char body[80000];
	struct client k;

	(void)state;
	memset(body, 'a', sizeof(body) - 1);
	start();
	k = client_open(&child, &good, NULL);
	client_send(&k, "POST / HTTP/1.1\r\nHost: x\r\n"
			"Content-Length: 1000000\r\n\r\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(SSL_write(k.ssl, body, sizeof(body)),
				 sizeof(body));
		(void)usleep(100000);
	}
	(void)client_read(&k, text, sizeof(text), NULL);
	assert_non_null(strstr(text, "HTTP/1.1 413 "));
	client_close(&k);
	child_stop(&child);
}

/* In TLS 1.3 the client believes itself connected, and has sent its request
 * when the alert comes. */
static void test_alert_is_seen(void **state)
{
	struct client k;
	char buf[64];

	(void)state;
	start();
	k = client_open(&child, &expired, NULL);
	client_send(&k, GET);
	ERR_clear_error();
	assert_true(SSL_read(k.ssl, buf, sizeof(buf)) <= 0);
	assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()),
			 SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED);
	client_close(&k);
	assert_true(metric_becomes(METRIC_HANDSHAKES_FAILED, 1));
	assert_true(metric_becomes(METRIC_CONNECTIONS, 0));
	child_stop(&child);
}

static void test_connections_have_a_limit(void **state)
{
	struct client k[3];

	(void)state;
	settings.connections_max = 2;
	start();
	for (int i = 0; i < 3; i++)
		k[i] = client_open(&child, &good, NULL);
	get(&k[0]);
	get(&k[1]);
	assert_int_equal(SSL_is_init_finished(k[2].ssl), 0);
	for (int i = 0; i < 3; i++)
		client_close(&k[i]);
	child_stop(&child);
}

static void test_a_client_has_a_limit(void **state)
{
	struct client k[4];

	(void)state;
	settings.client_connections_max = 2;
	start();
	for (int i = 0; i < 2; i++) {
		k[i] = client_open(&child, &good, NULL);
		get(&k[i]);
	}
	k[2] = client_open(&child, &good, NULL);
	assert_true(metric_becomes(METRIC_CONNECTIONS_OF_CLIENT, 1));
	get(&k[0]); /* those that are open do not mind */
	client_close(&k[0]);
	client_close(&k[2]);
	assert_true(metric_becomes(METRIC_CONNECTIONS, 1));
	k[3] = client_open(&child, &good, NULL);
	get(&k[3]);
	client_close(&k[1]);
	client_close(&k[3]);
	child_stop(&child);
}

/* Its own client does not pay for it. */
static void test_failures_of_an_address(void **state)
{
	enum { BURST = 50 };
	struct client k;

	(void)state;
	settings.failures_max = 1;
	settings.connections_max = 1000;
	start();
	for (int i = 0; i < 2 * BURST; i++) {
		k = client_open(&child, &good, NULL);
		get(&k);
		client_close(&k);
	}
	assert_int_equal(metric_get(child.page, METRIC_CONNECTIONS_OF_ADDRESS),
			 0);
	for (int i = 0; i < 2 * BURST; i++) {
		k = client_open(&child, NULL, NULL);
		client_close(&k);
	}
	/* The last one waited to be closed. */
	assert_in_range(metric_get(child.page, METRIC_CONNECTIONS_OF_ADDRESS),
			1, BURST);
	assert_in_range(metric_get(child.page, METRIC_HANDSHAKES_FAILED), BURST,
			2 * BURST - 1);
	child_stop(&child);
}

/* Nor can a client have the server sign without end. */
static void test_handshakes_of_an_address(void **state)
{
	enum { BURST = 50 };
	struct client k;

	(void)state;
	settings.address_handshakes_max = 1;
	settings.connections_max = 1000;
	start();
	for (int i = 0; i < BURST; i++) {
		k = client_open(&child, &good, NULL);
		get(&k);
		client_close(&k);
	}
	assert_int_equal(metric_get(child.page, METRIC_CONNECTIONS_TOO_OFTEN),
			 0);
	for (int i = 0; i < BURST; i++) {
		k = client_open(&child, NULL, NULL);
		client_close(&k);
	}
	assert_in_range(metric_get(child.page, METRIC_CONNECTIONS_TOO_OFTEN), 1,
			BURST);
	assert_int_equal(metric_get(child.page, METRIC_CONNECTIONS_OF_ADDRESS),
			 0);
	child_stop(&child);
}

static void test_handshake_has_a_limit(void **state)
{
	char c;
	int fd;

	(void)state;
	settings.handshake_ms = 500;
	start();
	fd = client_connect(child.port);
	assert_int_equal(recv(fd, &c, 1, 0), 0);
	assert_true(metric_becomes(METRIC_HANDSHAKES_FAILED, 1));
	(void)close(fd);
	child_stop(&child);
}

/* --- the end -------------------------------------------------------------- */

static void test_drain(void **state)
{
	struct client idle;
	struct client busy;

	(void)state;
	start();
	idle = client_open(&child, &good, NULL);
	busy = client_open(&child, &good, NULL);
	get(&idle);
	client_send(&busy, "POST / HTTP/1.1\r\nHost: x\r\n"
			   "Content-Length: 5\r\n\r\nhel");
	get(&idle); /* by now the other has come, too */
	send_bare(child.control, WIRE_DRAIN, -1);
	assert_true(client_is_closed(&idle));
	client_send(&busy, "lo");
	(void)client_read(&busy, text, sizeof(text), NULL);
	assert_non_null(strstr(text, "connection: close\r\n"));
	assert_non_null(strstr(text, "hello"));
	client_close(&idle);
	client_close(&busy);
	assert_int_equal(child_wait(&child), 0);
	child_stop(&child);
}

static void test_exits_with_its_supervisor(void **state)
{
	struct client a;

	(void)state;
	start();
	a = client_open(&child, &good, NULL);
	get(&a);
	(void)close(child.control);
	child.control = -1;
	assert_int_equal(child_wait(&child), 1);
	client_close(&a);
}

static void test_nonsense_of_the_supervisor(void **state)
{
	(void)state;
	start();
	send_bare(child.control, WIRE_UP, -1);
	assert_int_equal(child_wait(&child), 1);
	child_stop(&child);
}

static void test_bad_certificate_does_not_start(void **state)
{
	(void)state;
	(void)pki_path(settings.key, "ca.pem");
	child = child_start(&settings);
	assert_int_equal(child_wait(&child), 1);
	child_stop(&child);
}

#define CASE(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_serves),
		CASE(test_ops_is_plain),
		CASE(test_public_is_plain),
		CASE(test_public_has_a_limit),
		CASE(test_public_drains),
		CASE(test_http2_is_offered),
		CASE(test_pipeline),
		CASE(test_slow_reader_gets_all),
		CASE(test_refusal_is_seen_while_sending),
		CASE(test_alert_is_seen),
		CASE(test_connections_have_a_limit),
		CASE(test_a_client_has_a_limit),
		CASE(test_failures_of_an_address),
		CASE(test_handshakes_of_an_address),
		CASE(test_handshake_has_a_limit),
		CASE(test_drain),
		CASE(test_exits_with_its_supervisor),
		CASE(test_nonsense_of_the_supervisor),
		CASE(test_bad_certificate_does_not_start),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
