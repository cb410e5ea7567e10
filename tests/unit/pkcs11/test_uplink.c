/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkcs11/uplink.h"

static struct uplink *u;

static int make(void **state)
{
	(void)state;
	return uplink_create(&u) == SG_OK ? 0 : -1;
}

static int cleanup(void **state)
{
	(void)state;
	uplink_free(u);
	return 0;
}

/* A new link; returns the other end. */
static int put_link(uint16_t slot)
{
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(uplink_replace(u, pair[1], slot), SG_OK);
	return pair[0];
}

static bool at_end(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static void test_old_link_stays_with_its_holder(void **state)
{
	const int first = put_link(1);
	struct link_end *a = uplink_get(u, 0);
	int second;
	struct link_end *b;

	(void)state;
	assert_int_equal(a->slot, 1);
	assert_int_equal(a->generation, 1);
	second = put_link(2);
	b = uplink_get(u, a->generation);
	assert_int_equal(b->slot, 2);
	assert_int_not_equal(a->fd, b->fd);
	/* The old one is shut down in both directions, but not yet closed. */
	assert_true(at_end(first));
	assert_true(at_end(a->fd));
	assert_int_equal(send(a->fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(send(b->fd, "x", 1, MSG_NOSIGNAL), 1);
	assert_false(at_end(second));
	uplink_put(u, a);
	uplink_put(u, b);
	(void)close(first);
	(void)close(second);
}

static void *get_second(void *arg)
{
	struct link_end **out = arg;

	*out = uplink_get(u, 1);
	return NULL;
}

static void test_waits_for_the_next(void **state)
{
	const int first = put_link(1);
	struct link_end *got = NULL;
	pthread_t thread;
	int second;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, get_second, &got), 0);
	(void)usleep(20000);
	second = put_link(7);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_non_null(got);
	assert_int_equal(got->slot, 7);
	uplink_put(u, got);
	(void)close(first);
	(void)close(second);
}

static void test_drop_is_told_once(void **state)
{
	const int other = put_link(0);
	struct link_end *a = uplink_get(u, 0);
	struct link_end *b = uplink_get(u, 0);

	(void)state;
	assert_ptr_equal(a, b);
	assert_true(uplink_drop(u, a));
	assert_false(uplink_drop(u, b));
	assert_true(at_end(other));
	uplink_put(u, a);
	uplink_put(u, b);
	(void)close(other);
}

static void test_drain(void **state)
{
	const int other = put_link(0);
	struct link_end *a = uplink_get(u, 0);
	struct link_end *got = a;
	pthread_t thread;
	int pair[2];
	char c;

	(void)state;
	assert_int_equal(send(other, "x", 1, 0), 1);
	assert_int_equal(pthread_create(&thread, NULL, get_second, &got), 0);
	uplink_drain(u);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_null(got);
	/* What was sent before is still there, and can be answered. */
	assert_int_equal(recv(a->fd, &c, 1, 0), 1);
	assert_int_equal(recv(a->fd, &c, 1, 0), 0);
	assert_int_equal(send(a->fd, "y", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recv(other, &c, 1, 0), 1);
	uplink_put(u, a);
	/* Who comes late finds the link, to take what is in it. */
	a = uplink_get(u, 0);
	assert_non_null(a);
	assert_null(uplink_get(u, a->generation));
	uplink_put(u, a);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(uplink_replace(u, pair[1], 0), SG_CLOSED);
	assert_true(at_end(pair[0])); /* closed all the same */
	(void)close(pair[0]);
	(void)close(other);
}

#define UPLINK_TEST(f) cmocka_unit_test_setup_teardown(f, make, cleanup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UPLINK_TEST(test_old_link_stays_with_its_holder),
		UPLINK_TEST(test_waits_for_the_next),
		UPLINK_TEST(test_drop_is_told_once),
		UPLINK_TEST(test_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
