/* SPDX-License-Identifier: Apache-2.0 */
/* connection: what is read of a client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake_api.h"
#include "front/connection.h"
#include "front/recheck.h"

enum { BACKLOG = 1, TURNS_MAX = 100 };

static const char HEAD[] = "POST / HTTP/1.1\r\nHost: x\r\n"
			   "Content-Length: 100000000\r\n\r\n";

static uv_loop_t loop;
static uv_pipe_t listener;
static char directory[] = "/tmp/test_connection.XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int client;

/* --- of front.c --------------------------------------------------------- */

void front_stay_awake(struct front *f)
{
	(void)f;
}

void front_stop(struct front *f, int code)
{
	(void)f;
	fail_msg("the front stops with %d", code);
}

/* ------------------------------------------------------------------------ */

static void on_client(uv_stream_t *stream, int status)
{
	assert_int_equal(status, 0);
	connection_accept(fake_front, stream, DOOR_OPS);
}

static int setup(void **state)
{
	(void)state;
	fake_setup();
	fake_front->loop = &loop;
	assert_int_equal(recheck_create(&fake_front->recheck), SG_OK);
	TAILQ_INIT(&fake_front->connections);
	TAILQ_INIT(&fake_front->flushing);
	assert_non_null(mkdtemp(directory));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s",
		       directory);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(uv_pipe_init(&loop, &listener, 0), 0);
	assert_int_equal(uv_pipe_bind(&listener, address.sun_path), 0);
	assert_int_equal(
		uv_listen((uv_stream_t *)&listener, BACKLOG, on_client), 0);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(client >= 0);
	assert_int_equal(
		connect(client, (struct sockaddr *)&address, sizeof(address)),
		0);
	assert_int_equal(fcntl(client, F_SETFL, O_NONBLOCK), 0);
	return 0;
}

static int teardown(void **state)
{
	struct connection *c = TAILQ_FIRST(&fake_front->connections);

	(void)state;
	if (c != NULL)
		connection_drop(c);
	uv_close((uv_handle_t *)&listener, NULL);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	(void)close(client);
	(void)unlink(address.sun_path);
	(void)rmdir(directory);
	recheck_free(fake_front->recheck);
	fake_teardown();
	return 0;
}

/* A turn of the loop, as the front's. */
static void turn(void)
{
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	connection_flush_all(fake_front);
}

/* As much of a body as the socket takes; returns how much. */
static size_t send_all_it_takes(void)
{
	static const char body[32768];
	size_t sent = 0;
	ssize_t n;

	while ((n = write(client, body, sizeof(body))) > 0)
		sent += (size_t)n;
	return sent;
}

/* While HTTP takes nothing, one buffer is read and held, whatever the client
 * has sent; and all of it arrives once HTTP takes it. */
static void test_held_is_little(void **state)
{
	struct connection *c;
	size_t sent = 0;

	(void)state;
	fake.mode = FAKE_STREAM;
	fake.keep = true;
	assert_int_equal(write(client, HEAD, strlen(HEAD)), strlen(HEAD));
	while (fake.last == NULL)
		turn();
	c = TAILQ_FIRST(&fake_front->connections);
	for (int i = 0; i < TURNS_MAX; i++) {
		sent += send_all_it_takes();
		turn();
	}
	assert_true(c->held.len > 0);
	assert_true(c->held.len <= FRONT_READ_BYTES);
	assert_true(fake.last->owed < EXCHANGE_BACKLOG_MAX + FRONT_READ_BYTES);
	assert_true(sent > fake.last->owed + c->held.len);
	/* It is taken: the rest comes. */
	fake.keep = false;
	exchange_took(fake.last, fake.last->owed);
	for (int i = 0; i < TURNS_MAX; i++)
		turn();
	assert_int_equal(c->held.len, 0);
	assert_int_equal(((struct fake_call *)fake.last->api)->body.len, sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_held_is_little, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
