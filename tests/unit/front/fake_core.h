/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TESTS_FAKE_CORE_H
#define SG_TESTS_FAKE_CORE_H

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "front/core_link.h"
#include "ipc/channel.h"

/*
 * fake_core: a core at the other end of a front's channel, driven by hand: it
 * reads and writes whole packets, each send followed by some turns of the
 * front's loop.  For tests of one file each; needs cmocka.h before it.
 */
struct fake_core {
	uv_loop_t *loop;
	int fd;
	struct span rest; /* of the packet in IN */
	uint8_t in[WIRE_PACKET_MAX], out[WIRE_PACKET_MAX];
};

static struct fake_core core;

static inline void turn(void)
{
	for (int i = 0; i < 8; i++)
		(void)uv_run(core.loop, UV_RUN_NOWAIT);
}

/* Give LINK a new channel with the fake core at its end. */
static inline void core_connect(uv_loop_t *loop, struct core_link *link)
{
	int fd[2];

	assert_int_equal(channel_pair(fd), 0);
	core.loop = loop;
	core.fd = fd[0];
	core.rest = span_of(NULL, 0);
	assert_int_equal(fcntl(core.fd, F_SETFL, O_NONBLOCK), 0);
	core_link_attach(link, fd[1]);
}

/* The core's process ends. */
static inline void core_dies(void)
{
	(void)close(core.fd);
	core.fd = -1;
	turn();
}

static inline struct wire_packet core_packet(void)
{
	return (struct wire_packet){.buf = core.out, .cap = sizeof(core.out)};
}

static inline void core_send(const struct wire_packet *w)
{
	assert_int_equal(send(core.fd, w->buf, w->len, MSG_NOSIGNAL), w->len);
	turn();
}

/* The next message that the front has sent; false when there is none. */
static inline bool core_next(struct wire_msg *m)
{
	ssize_t n;

	turn();
	while (wire_next(&core.rest, m) != SG_OK) {
		n = recv(core.fd, core.in, sizeof(core.in), 0);
		if (n <= 0)
			return false;
		core.rest = span_of(core.in, (size_t)n);
	}
	return true;
}

static inline struct wire_msg core_takes(enum wire_type type)
{
	struct wire_msg m;

	assert_true(core_next(&m));
	assert_int_equal(m.type, type);
	return m;
}

static inline void core_credit(uint32_t credit)
{
	struct wire_packet w = core_packet();
	const struct wire_credit m = {.credit = credit};

	assert_int_equal(wire_put_credit(&w, &m), SG_OK);
	core_send(&w);
}

/* A status with a policy hash that begins with HASH, and REMARK. */
static inline void core_status_remarks(bool ready, uint8_t hash,
				       struct span remark)
{
	struct wire_packet w = core_packet();
	struct wire_status m = {.ready = ready,
				.reason = SPAN_LIT("no signing key"),
				.ledger_origin = SPAN_LIT("log.example"),
				.remark = remark};

	m.policy_hash[0] = hash;
	assert_int_equal(wire_put_status(&w, &m), SG_OK);
	core_send(&w);
}

static inline void core_status_is(bool ready, uint8_t hash)
{
	core_status_remarks(ready, hash, SPAN_LIT(""));
}

static inline void core_issues(uint64_t id, const struct wire_issued *m)
{
	struct wire_packet w = core_packet();

	assert_int_equal(wire_put_issued(&w, id, m), SG_OK);
	core_send(&w);
}

static inline void core_puts_off(uint64_t id, uint32_t wait_ms,
				 uint32_t per_second, struct span request,
				 struct span presented)
{
	struct wire_packet w = core_packet();
	const struct wire_later m = {.wait_ms = wait_ms,
				     .per_second = per_second,
				     .request = request,
				     .presented = presented};

	assert_int_equal(wire_put_later(&w, id, &m), SG_OK);
	core_send(&w);
}

static inline void core_tells(uint64_t id, struct span document)
{
	struct wire_packet w = core_packet();
	const struct wire_answer m = {.document = document};

	assert_int_equal(wire_put_answer(&w, id, &m), SG_OK);
	core_send(&w);
}

static inline size_t one_violation(uint8_t *list, size_t cap, bool warning)
{
	const struct wire_violation v = {.warning = warning,
					 .pointer = SPAN_LIT("/dcc/dob"),
					 .code = SPAN_LIT("bad-format"),
					 .detail = SPAN_LIT("sai \"kiểu\"")};
	size_t n = 0;

	assert_int_equal(wire_violation_put(list, cap, &n, &v), SG_OK);
	return n;
}

static inline void core_refuses(uint64_t id, enum sg_err err,
				uint32_t retry_after_s)
{
	uint8_t list[256];
	const size_t n = one_violation(list, sizeof(list), false);
	struct wire_packet w = core_packet();
	const struct wire_problem m = {.err = (uint16_t)err,
				       .retry_after_s = retry_after_s,
				       .violations = span_of(list, n)};

	assert_int_equal(wire_put_problem(&w, id, &m), SG_OK);
	core_send(&w);
}

#endif /* SG_TESTS_FAKE_CORE_H */
