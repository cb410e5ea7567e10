/* SPDX-License-Identifier: Apache-2.0 */
/* A channel with both ends on one loop, or with one raw end. */
#ifndef SG_TEST_CHANNEL_ENDS_H
#define SG_TEST_CHANNEL_ENDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/channel.h"

enum { TURNS_MAX = 100000 };

/* One end, and what it has seen. */
struct end {
	struct channel *ch;
	size_t messages;
	size_t packets;
	size_t bytes;
	uint64_t last_id;
	size_t nfds;
	int fd[CHANNEL_FDS_MAX];
	int ends;
	bool bad;
	bool refuse;	       /* say that the next message makes no sense */
	bool close_in_message; /* close the channel from inside */
	bool echo;
};

struct fixture {
	uv_loop_t loop;
	struct end a;
	struct end b;
	int raw; /* b's descriptor where b is no channel, else -1 */
};

static inline bool on_message(void *ctx, const struct wire_msg *m,
			      const int *fds, size_t n)
{
	struct end *e = ctx;

	e->messages++;
	e->bytes += m->body.n;
	assert_true(m->id == 0 || m->id > e->last_id); /* in order */
	e->last_id = m->id;
	for (size_t i = 0; i < n; i++)
		e->fd[e->nfds++] = fds[i];
	if (e->echo) {
		const struct wire_answer answer = {.document = m->body};
		struct wire_packet *w = channel_room(e->ch, m->body.n);

		assert_non_null(w);
		assert_int_equal(wire_put_answer(w, m->id, &answer), SG_OK);
	}
	if (e->close_in_message) {
		channel_close(e->ch);
		e->ch = NULL;
	}
	return !e->refuse;
}

static inline void on_packet(void *ctx)
{
	((struct end *)ctx)->packets++;
}

static inline void on_end(void *ctx, bool bad)
{
	struct end *e = ctx;

	e->ends++;
	e->bad = bad;
	channel_close(e->ch);
	e->ch = NULL;
}

static const struct channel_events EVENTS = {
	.message = on_message, .packet_done = on_packet, .end = on_end};

static inline void open_ends(struct fixture *f, bool raw)
{
	int fd[2];

	memset(f, 0, sizeof(*f));
	f->raw = -1;
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(
		channel_open(&f->loop, fd[0], &EVENTS, &f->a, &f->a.ch), SG_OK);
	if (raw)
		f->raw = fd[1];
	else
		assert_int_equal(
			channel_open(&f->loop, fd[1], &EVENTS, &f->b, &f->b.ch),
			SG_OK);
}

static inline void close_ends(struct fixture *f)
{
	channel_close(f->a.ch);
	channel_close(f->b.ch);
	if (f->raw >= 0)
		(void)close(f->raw);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

/* Turn the loop until nothing more happens. */
static inline void settle(struct fixture *f)
{
	for (int i = 0; i < 50; i++)
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static inline bool say(struct end *e, uint64_t id, size_t n)
{
	static uint8_t zeros[WIRE_PACKET_MAX];
	const struct wire_answer m = {.document = span_of(zeros, n)};
	struct wire_packet *w = channel_room(e->ch, n);

	if (w == NULL)
		return false;
	assert_int_equal(wire_put_answer(w, id, &m), SG_OK);
	return true;
}

#endif /* SG_TEST_CHANNEL_ENDS_H */
