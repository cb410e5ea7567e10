/* SPDX-License-Identifier: Apache-2.0 */
/* How a channel ends: orderly, by an error, by what makes no sense. */
#include "channel_ends.h"

static void test_end(void **state)
{
	struct fixture f;

	(void)state;
	open_ends(&f, false);
	assert_true(say(&f.a, 1, 10)); /* the last word is heard */
	channel_flush(f.a.ch);
	channel_close(f.a.ch);
	f.a.ch = NULL;
	settle(&f);
	assert_int_equal(f.b.messages, 1);
	assert_int_equal(f.b.ends, 1);
	assert_false(f.b.bad);
	close_ends(&f);
}

/* The other end is gone while something waits for it: the end comes once,
 * from the loop, and what it had sent before is read. */
static void test_end_while_sending(void **state)
{
	static uint8_t up[16] = {16, 0, 0, 0, WIRE_UP};
	struct fixture f;

	(void)state;
	open_ends(&f, true);
	assert_true(say(&f.a, 1, 10));
	settle(&f);
	assert_int_equal(send(f.raw, up, sizeof(up), 0), sizeof(up));
	(void)close(f.raw); /* with a packet unread: ECONNRESET */
	f.raw = -1;
	assert_true(say(&f.a, 2, 10));
	channel_flush(f.a.ch);
	assert_int_equal(f.a.ends, 0); /* not from inside the call */
	assert_null(channel_room(f.a.ch, 10));
	settle(&f);
	assert_int_equal(f.a.messages, 1);
	assert_int_equal(f.a.ends, 1);
	assert_false(f.a.bad);
	close_ends(&f);
}

/* The peer goes without reading what we sent: the kernel tells of that before
 * it gives what the peer had said. */
static void test_last_word_before_reset(void **state)
{
	static uint8_t up[16] = {16, 0, 0, 0, WIRE_UP};
	struct fixture f;

	(void)state;
	open_ends(&f, true);
	assert_true(say(&f.a, 1, 10));
	settle(&f);
	assert_int_equal(send(f.raw, up, sizeof(up), 0), sizeof(up));
	(void)close(f.raw);
	f.raw = -1;
	settle(&f);
	assert_int_equal(f.a.messages, 1);
	assert_int_equal(f.a.ends, 1);
	assert_false(f.a.bad);
	close_ends(&f);
}

static void test_bad_packet(void **state)
{
	static const uint8_t junk[24] = {0xff};
	struct fixture f;

	(void)state;
	open_ends(&f, true);
	assert_int_equal(send(f.raw, junk, sizeof(junk), 0), sizeof(junk));
	settle(&f);
	assert_int_equal(f.a.messages, 0);
	assert_int_equal(f.a.ends, 1);
	assert_true(f.a.bad);
	close_ends(&f);
}

static void test_refused_message(void **state)
{
	struct fixture f;

	(void)state;
	open_ends(&f, false);
	f.b.refuse = true;
	assert_true(say(&f.a, 1, 10));
	assert_true(say(&f.a, 2, 10));
	settle(&f);
	assert_int_equal(f.b.messages, 1);
	assert_int_equal(f.b.ends, 1);
	assert_true(f.b.bad);
	close_ends(&f);
}

static void test_close_inside(void **state)
{
	struct fixture f;

	(void)state;
	open_ends(&f, false);
	f.b.close_in_message = true;
	assert_true(say(&f.a, 1, 10));
	assert_true(say(&f.a, 2, 10));
	settle(&f);
	assert_int_equal(f.b.messages, 1);
	assert_int_equal(f.b.ends, 0); /* its owner knows */
	assert_int_equal(f.a.ends, 1);
	close_ends(&f);
}

/* More than a packet can be: truncated by the kernel, never half read. */
static void test_oversized(void **state)
{
	static uint8_t huge[WIRE_PACKET_MAX + 8];
	struct fixture f;

	(void)state;
	open_ends(&f, true);
	assert_int_equal(send(f.raw, huge, sizeof(huge), 0), sizeof(huge));
	settle(&f);
	assert_int_equal(f.a.ends, 1);
	assert_true(f.a.bad);
	close_ends(&f);
}

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			n++;
	return n;
}

/* More descriptors than any message has: none is left open. */
static void test_too_many_fds(void **state)
{
	static uint8_t up[16] = {16, 0, 0, 0, WIRE_UP};
	enum { MANY = CHANNEL_FDS_MAX + 1 };
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(MANY * sizeof(int))] = {0};
	struct iovec iov = {up, sizeof(up)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct fixture f;
	int before;

	(void)state;
	open_ends(&f, true);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(MANY * sizeof(int));
	for (size_t i = 0; i < MANY; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &(int){STDIN_FILENO},
		       sizeof(int));
	before = open_descriptors();
	assert_int_equal(sendmsg(f.raw, &msg, 0), sizeof(up));
	settle(&f);
	assert_int_equal(f.a.messages, 0);
	assert_true(f.a.bad);
	/* The channel itself is closed, and nothing was added. */
	assert_int_equal(open_descriptors(), before - 1);
	close_ends(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_end_while_sending),
		cmocka_unit_test(test_last_word_before_reset),
		cmocka_unit_test(test_bad_packet),
		cmocka_unit_test(test_refused_message),
		cmocka_unit_test(test_close_inside),
		cmocka_unit_test(test_oversized),
		cmocka_unit_test(test_too_many_fds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
