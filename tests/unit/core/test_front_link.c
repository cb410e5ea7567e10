/* SPDX-License-Identifier: Apache-2.0 */
/* front_link: what the core says gets through to a front, however large. */
#include "core/front_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum {
	MANY = 100, /* messages: several packets */
	TURNS = 1000
};

/* What the front at the other end has got. */
struct got {
	size_t laters, statuses;
};

static const uint8_t BYTES[8000];

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct got *got = ctx;
	struct wire_later later;
	struct wire_status status;

	(void)fds;
	assert_int_equal(n, 0);
	if (m->type == WIRE_LATER) {
		assert_int_equal(wire_get_later(m, &later), SG_OK);
		assert_int_equal(m->id, got->laters);
		assert_int_equal(later.presented.n, WIRE_PRESENTED_MAX);
		assert_int_equal(later.signature.n, WIRE_SIGNATURE_MAX);
		got->laters++;
	} else if (m->type == WIRE_STATUS) {
		assert_int_equal(wire_get_status(m, &status), SG_OK);
		got->statuses++;
	}
	return true;
}

static void on_end(void *ctx, bool bad)
{
	(void)ctx;
	(void)bad;
	fail_msg("the channel has ended");
}

struct ends {
	uv_loop_t loop;
	struct channel *front;
	struct front_link *link;
	struct got got;
};

static void open_ends(struct ends *e)
{
	static const struct channel_events events = {.message = on_message,
						     .end = on_end};
	static const struct front_link_events above = {0};
	struct front_link_parts parts = {
		.loop = &e->loop, .credit = 1, .events = &above};
	int fd[2];

	memset(e, 0, sizeof(*e));
	assert_int_equal(uv_loop_init(&e->loop), 0);
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(
		channel_open(&e->loop, fd[0], &events, &e->got, &e->front),
		SG_OK);
	parts.fd = fd[1];
	assert_int_equal(front_link_open(&parts, &e->link), SG_OK);
}

static void close_ends(struct ends *e)
{
	channel_close(e->front);
	front_link_close(e->link);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&e->loop), 0);
}

/* A record that comes later goes back with all that came with it, of a client
 * that signs with RSA-4096, too: none is lost at the end of a packet. */
static void test_later(void **state)
{
	struct ends e;
	struct wire_later m = {.wait_ms = 1,
			       .per_second = 1,
			       .presented = span_of(BYTES, WIRE_PRESENTED_MAX),
			       .signature = span_of(BYTES, WIRE_SIGNATURE_MAX)};

	(void)state;
	open_ends(&e);
	for (size_t i = 0; i < MANY; i++) {
		m.request = span_of(BYTES, 1 + i * sizeof(BYTES) / MANY);
		front_link_later(e.link, i, &m);
	}
	for (unsigned i = 0; i < TURNS && e.got.laters < MANY; i++)
		uv_run(&e.loop, UV_RUN_NOWAIT);
	assert_int_equal(e.got.laters, MANY);
	close_ends(&e);
}

static void test_status(void **state)
{
	struct ends e;
	struct wire_status m = {.ready = true};

	(void)state;
	open_ends(&e);
	for (size_t i = 0; i < MANY; i++) {
		m.remark = span_of(BYTES, 400 + i);
		front_link_status(e.link, &m);
	}
	for (unsigned i = 0; i < TURNS && e.got.statuses < MANY; i++)
		uv_run(&e.loop, UV_RUN_NOWAIT);
	assert_int_equal(e.got.statuses, MANY);
	close_ends(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
