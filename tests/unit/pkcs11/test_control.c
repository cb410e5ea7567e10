/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkcs11/control.h"

static int pair[2];
static struct {
	size_t n;
	enum wire_type type[8];
	int fd[8];
	enum sg_err answer;
} got;

static int make(void **state)
{
	(void)state;
	memset(&got, 0, sizeof(got));
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int cleanup(void **state)
{
	(void)state;
	(void)close(pair[0]);
	if (pair[1] >= 0)
		(void)close(pair[1]);
	return 0;
}

static enum sg_err take(void *ctx, const struct wire_msg *m, int fd)
{
	assert_ptr_equal(ctx, &got);
	got.type[got.n] = m->type;
	got.fd[got.n++] = fd;
	return got.answer;
}

static enum sg_err read_one(void)
{
	return control_read(pair[0], take, &got);
}

static void send_with_fds(const struct wire_packet *w, const int *fds, size_t n)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} beside = {0};
	struct iovec iov = {w->buf, w->len};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = beside.bytes,
			     .msg_controllen = CMSG_SPACE(n * sizeof(int))};

	beside.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(n * sizeof(int)),
				       .cmsg_level = SOL_SOCKET,
				       .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&beside.head), fds, n * sizeof(int));
	assert_int_equal(sendmsg(pair[1], &msg, 0), w->len);
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Two messages in a packet; the descriptors are the first one's, and all but
 * the first of them are closed. */
static void test_descriptors(void **state)
{
	_Alignas(8) uint8_t buf[128];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const struct wire_link link = {.role = WIRE_CORE, .slot = 3};
	const int fds[] = {0, 1, 2};
	const int before = open_fds();

	(void)state;
	assert_int_equal(wire_put_link(&w, &link), SG_OK);
	assert_int_equal(wire_put_bare(&w, WIRE_DRAIN), SG_OK);
	send_with_fds(&w, fds, 3);
	assert_int_equal(read_one(), SG_OK);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.type[0], WIRE_LINK);
	assert_int_equal(got.type[1], WIRE_DRAIN);
	assert_true(got.fd[0] > 2);
	assert_true((fcntl(got.fd[0], F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(got.fd[1], -1);
	assert_int_equal(open_fds(), before + 1);
	(void)close(got.fd[0]);
	assert_int_equal(read_one(), SG_BUSY);
}

static void test_too_many_descriptors(void **state)
{
	_Alignas(8) uint8_t buf[64];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const int fds[] = {0, 1, 2, 0, 1, 2, 0};
	const int before = open_fds();

	(void)state;
	assert_int_equal(wire_put_bare(&w, WIRE_RELOAD), SG_OK);
	send_with_fds(&w, fds, 7);
	assert_int_equal(read_one(), SG_MALFORMED);
	assert_int_equal(got.n, 0);
	assert_int_equal(open_fds(), before);
}

static void test_malformed(void **state)
{
	static uint8_t big[8192];
	_Alignas(8) uint8_t buf[64];
	struct wire_packet w = {buf, sizeof(buf), 0};

	(void)state;
	assert_int_equal(send(pair[1], "nonsense", 8, 0), 8);
	assert_int_equal(read_one(), SG_MALFORMED);
	assert_int_equal(send(pair[1], big, sizeof(big), 0), sizeof(big));
	assert_int_equal(read_one(), SG_MALFORMED);
	/* well-formed, but the role has no use for it */
	got.answer = SG_MALFORMED;
	assert_int_equal(wire_put_bare(&w, WIRE_UP), SG_OK);
	assert_int_equal(send(pair[1], w.buf, w.len, 0), w.len);
	assert_int_equal(read_one(), SG_MALFORMED);
}

static void test_end(void **state)
{
	(void)state;
	(void)close(pair[1]);
	pair[1] = -1;
	assert_int_equal(read_one(), SG_CLOSED);
	assert_int_equal(control_send_bare(pair[0], WIRE_UP), SG_IO);
}

static void test_sends(void **state)
{
	_Alignas(8) uint8_t buf[128];
	struct wire_peer_bad bad;
	struct wire_reloaded reloaded;
	struct wire_msg m;
	struct span rest;

	(void)state;
	assert_int_equal(control_send_bare(pair[0], WIRE_UP), SG_OK);
	assert_int_equal(control_send_peer_bad(pair[0], 9), SG_OK);
	assert_int_equal(control_send_reloaded(pair[0]), SG_OK);
	rest = span_of(buf, (size_t)recv(pair[1], buf, sizeof(buf), 0));
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(m.type, WIRE_UP);
	rest = span_of(buf, (size_t)recv(pair[1], buf, sizeof(buf), 0));
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(wire_get_peer_bad(&m, &bad), SG_OK);
	assert_int_equal(bad.role, WIRE_CORE);
	assert_int_equal(bad.slot, 9);
	rest = span_of(buf, (size_t)recv(pair[1], buf, sizeof(buf), 0));
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(wire_get_reloaded(&m, &reloaded), SG_OK);
	assert_true(reloaded.ok);
}

#define CONTROL_TEST(f) cmocka_unit_test_setup_teardown(f, make, cleanup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(test_descriptors),
		CONTROL_TEST(test_too_many_descriptors),
		CONTROL_TEST(test_malformed),
		CONTROL_TEST(test_end),
		CONTROL_TEST(test_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
