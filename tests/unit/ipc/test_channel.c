/* SPDX-License-Identifier: Apache-2.0 */
#include "channel_ends.h"

static void test_batch(void **state)
{
	struct fixture f;

	(void)state;
	open_ends(&f, false);
	for (uint64_t id = 1; id <= 100; id++)
		assert_true(say(&f.a, id, 10));
	assert_int_equal(f.b.messages, 0);
	settle(&f);
	assert_int_equal(f.b.messages, 100);
	assert_int_equal(f.b.packets, 1); /* all that was ready, at once */
	close_ends(&f);
}

static void test_cut(void **state)
{
	struct fixture f;

	(void)state;
	open_ends(&f, false);
	for (uint64_t id = 1; id <= 10; id++) {
		assert_true(say(&f.a, id, 10));
		channel_cut(f.a.ch);
		channel_cut(f.a.ch); /* twice is once */
	}
	settle(&f);
	assert_int_equal(f.b.messages, 10);
	assert_int_equal(f.b.packets, 10);
	close_ends(&f);
}

static void test_full_packets(void **state)
{
	struct fixture f;

	(void)state;
	open_ends(&f, false);
	/* Three that fit only one by one, and the largest there is. */
	for (uint64_t id = 1; id <= 3; id++)
		assert_true(say(&f.a, id, 70000));
	assert_true(say(&f.a, 4, WIRE_PACKET_MAX - 20));
	settle(&f);
	assert_int_equal(f.b.messages, 4);
	assert_int_equal(f.b.packets, 4);
	assert_int_equal(f.b.bytes, 4 * 4 + 3 * 70000 + WIRE_PACKET_MAX - 20);
	close_ends(&f);
}

static void test_echo(void **state)
{
	struct fixture f;

	(void)state;
	open_ends(&f, false);
	f.b.echo = true;
	for (uint64_t id = 1; id <= 20; id++)
		assert_true(say(&f.a, id, 100));
	settle(&f);
	assert_int_equal(f.a.messages, 20);
	close_ends(&f);
}

static void on_timer(uv_timer_t *t)
{
	assert_true(say((struct end *)t->data, 1, 5));
}

/* What a timer sends must not wait for the next I/O. */
static void test_from_timer(void **state)
{
	struct fixture f;
	uv_timer_t t;

	(void)state;
	open_ends(&f, false);
	assert_int_equal(uv_timer_init(&f.loop, &t), 0);
	t.data = &f.a;
	assert_int_equal(uv_timer_start(&t, on_timer, 1, 0), 0);
	while (f.b.messages == 0)
		(void)uv_run(&f.loop, UV_RUN_ONCE); /* hangs if it waits */
	uv_close((uv_handle_t *)&t, NULL);
	close_ends(&f);
}

/* A reader that does not read: the queue fills, is bounded, and drains. */
static void test_backpressure(void **state)
{
	struct fixture f;
	uint64_t sent = 0;
	size_t got = 0;
	ssize_t n;
	static uint8_t buf[WIRE_PACKET_MAX];

	(void)state;
	open_ends(&f, true);
	while (say(&f.a, sent + 1, 50000)) {
		sent++;
		if (sent % 8 == 0)
			(void)uv_run(&f.loop, UV_RUN_NOWAIT);
		assert_true(sent < 1000);
	}
	assert_true(sent * 50000 >= CHANNEL_QUEUE_MAX);
	assert_true(sent * 50000 < CHANNEL_QUEUE_MAX + (16 << 20));
	for (int i = 0; i < TURNS_MAX && got < sent; i++) {
		while ((n = recv(f.raw, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
			struct span rest = span_of(buf, (size_t)n);
			struct wire_msg m;

			while (wire_next(&rest, &m) == SG_OK)
				assert_int_equal(m.id, ++got);
		}
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(got, sent);
	assert_true(say(&f.a, sent + 1, 10)); /* there is room again */
	close_ends(&f);
}

static void test_fds(void **state)
{
	const struct wire_link link = {.role = WIRE_CORE, .slot = 0};
	uint8_t buf[64];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	struct fixture f;
	struct stat sent;
	struct stat got;
	int fd[2];

	(void)state;
	open_ends(&f, false);
	fd[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd[1] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_true(fd[0] >= 0 && fd[1] >= 0);
	assert_int_equal(fstat(fd[1], &sent), 0);
	assert_int_equal(wire_put_link(&w, &link), SG_OK);
	assert_true(say(&f.a, 7, 10)); /* stays before what follows */
	assert_int_equal(channel_send_fds(f.a.ch, &w, fd, 2), SG_OK);
	settle(&f);
	assert_int_equal(f.b.messages, 2);
	assert_int_equal(f.b.nfds, 2);
	assert_int_equal(fstat(f.b.fd[1], &got), 0);
	assert_true(got.st_rdev == sent.st_rdev);
	assert_true((fcntl(f.b.fd[0], F_GETFD) & FD_CLOEXEC) != 0);
	(void)close(f.b.fd[0]);
	(void)close(f.b.fd[1]);
	errno = 0;
	assert_int_equal(fcntl(fd[0], F_GETFD), -1); /* ours are closed */
	close_ends(&f);
}

/* Descriptors that cannot go out yet wait in the queue. */
static void test_fds_wait(void **state)
{
	const struct wire_link link = {.role = WIRE_CORE, .slot = 0};
	uint8_t small[64];
	struct wire_packet w = {.buf = small, .cap = sizeof(small)};
	static uint8_t buf[WIRE_PACKET_MAX];
	struct fixture f;
	uint64_t sent = 0;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool found = false;

	(void)state;
	open_ends(&f, true);
	while (say(&f.a, ++sent, 50000))
		if (sent % 8 == 0)
			(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	while (recv(f.raw, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	settle(&f); /* there is room in the queue, and the socket is full */
	assert_int_equal(wire_put_link(&w, &link), SG_OK);
	assert_int_equal(channel_send_fds(f.a.ch, &w, &fd, 1), SG_OK);
	for (int i = 0; i < TURNS_MAX && !found; i++) {
		uint8_t control[CMSG_SPACE(sizeof(int))];
		struct iovec iov = {buf, sizeof(buf)};
		struct msghdr msg = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control)};

		const bool got = recvmsg(f.raw, &msg, MSG_DONTWAIT) > 0;
		const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

		if (got && c != NULL) {
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
			(void)close(fd);
			found = true;
		}
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	assert_true(found);
	close_ends(&f);
}

/* The default of the kernel, where nobody may raise it, is enough. */
static void test_default_buffers(void **state)
{
	static uint8_t full[WIRE_PACKET_MAX];
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	assert_int_equal(send(fd[0], full, sizeof(full), MSG_DONTWAIT),
			 sizeof(full));
	(void)close(fd[0]);
	(void)close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_full_packets),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_from_timer),
		cmocka_unit_test(test_backpressure),
		cmocka_unit_test(test_fds),
		cmocka_unit_test(test_fds_wait),
		cmocka_unit_test(test_default_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
