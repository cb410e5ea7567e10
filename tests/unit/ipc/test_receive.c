/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/receive.h"

enum { FDS_SENT_MAX = 8, BUF_BYTES = 16 };

struct ends {
	int here, there;
	uint8_t buf[BUF_BYTES];
};

static int set_up(void **state)
{
	static struct ends e;
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	e.here = pair[0];
	e.there = pair[1];
	*state = &e;
	return 0;
}

static int tear_down(void **state)
{
	const struct ends *e = *state;

	(void)close(e->here);
	if (e->there >= 0)
		(void)close(e->there);
	return 0;
}

/* TEXT, with COUNT times the descriptor FD beside it. */
static void send_beside(const struct ends *e, struct span text, int fd,
			size_t count)
{
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(FDS_SENT_MAX * sizeof(int))] = {0};
	struct iovec iov = {(void *)(uintptr_t)text.p, text.n};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (count > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		for (size_t i = 0; i < count; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd,
			       sizeof(int));
	}
	assert_int_equal(sendmsg(e->there, &msg, 0), text.n);
}

static unsigned open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0 ? 1U : 0U;
	return n;
}

static enum sg_err receive(struct ends *e, struct received *r)
{
	return receive_packet(e->here, e->buf, sizeof(e->buf), r);
}

static void test_packets(void **state)
{
	struct ends *e = *state;
	struct received r;

	assert_int_equal(receive(e, &r), SG_BUSY);
	send_beside(e, SPAN_LIT("one"), -1, 0);
	send_beside(e, SPAN_LIT("exactly 16 bytes"), -1, 0);
	assert_int_equal(receive(e, &r), SG_OK);
	assert_true(span_is(r.bytes, "one"));
	assert_int_equal(r.nfds, 0);
	assert_int_equal(receive(e, &r), SG_OK);
	assert_true(span_is(r.bytes, "exactly 16 bytes"));
	send_beside(e, SPAN_LIT("last"), -1, 0);
	(void)close(e->there);
	e->there = -1;
	assert_int_equal(receive(e, &r), SG_OK);
	assert_true(span_is(r.bytes, "last"));
	assert_int_equal(receive(e, &r), SG_CLOSED);
}

/* What the other end never read does not hide what it had sent. */
static void test_reset(void **state)
{
	struct ends *e = *state;
	struct received r;

	send_beside(e, SPAN_LIT("said"), -1, 0);
	assert_int_equal(send(e->here, "x", 1, 0), 1);
	(void)close(e->there);
	e->there = -1;
	assert_int_equal(receive(e, &r), SG_OK);
	assert_true(span_is(r.bytes, "said"));
	assert_int_equal(receive(e, &r), SG_CLOSED);
}

static void test_descriptors(void **state)
{
	struct ends *e = *state;
	const unsigned before = open_fds();
	struct received r;

	send_beside(e, SPAN_LIT("four"), STDERR_FILENO, RECEIVE_FDS_MAX);
	assert_int_equal(receive(e, &r), SG_OK);
	assert_int_equal(r.nfds, RECEIVE_FDS_MAX);
	assert_int_equal(open_fds(), before + RECEIVE_FDS_MAX);
	for (size_t i = 0; i < r.nfds; i++)
		assert_int_equal(fcntl(r.fd[i], F_GETFD), FD_CLOEXEC);
	receive_close(r.fd, r.nfds);
	assert_int_equal(open_fds(), before);
}

/* Too much of either: refused, and nothing is left open. */
static void test_too_much(void **state)
{
	struct ends *e = *state;
	const unsigned before = open_fds();
	struct received r;

	send_beside(e, SPAN_LIT("five"), STDERR_FILENO, RECEIVE_FDS_MAX + 1);
	assert_int_equal(receive(e, &r), SG_MALFORMED);
	send_beside(e, SPAN_LIT("exactly 16 bytes."), STDERR_FILENO, 2);
	assert_int_equal(receive(e, &r), SG_MALFORMED);
	assert_int_equal(r.nfds, 0);
	assert_int_equal(open_fds(), before);
	assert_int_equal(receive(e, &r), SG_BUSY);
}

/* A packet of no bytes is not the end, and nothing that is ever sent. */
static void test_empty(void **state)
{
	struct ends *e = *state;
	struct received r;

	send_beside(e, SPAN_LIT(""), -1, 0);
	send_beside(e, SPAN_LIT("next"), -1, 0);
	assert_int_equal(receive(e, &r), SG_MALFORMED);
	assert_int_equal(receive(e, &r), SG_OK);
	assert_true(span_is(r.bytes, "next"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_packets, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_reset, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_descriptors, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_too_much, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
