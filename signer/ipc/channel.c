/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sendq.h"

enum {
	/* Packets read in one turn of the loop: a busy peer leaves the other
	 * channels their turn. */
	PACKETS_A_TURN = 16,
	/* Send and receive buffer of a pair.  The kernel counts its own
	 * overhead in; a full packet must fit with much to spare, so that the
	 * sender can go on while the reader works. */
	SOCKET_BUFFER_BYTES = 1 << 20,
	HANDLES = 3,
	FLUSH_WAIT_MS = 1000 /* channel_flush(), for a reader that is behind */
};

struct channel {
	uv_poll_t poll;
	/* What waits is written before the loop goes to sleep and after it
	 * woke up: messages may come from I/O callbacks as well as timers. */
	uv_prepare_t prepare;
	uv_check_t check;
	int fd;	      /* -1: closed */
	int handles;  /* that libuv still holds, once closed */
	bool blocked; /* the socket is full: poll for room */
	bool deaf;    /* nothing can be sent any more; reading finds the end */
	bool ended;   /* events.end has been called */
	const struct channel_events *events;
	void *ctx;
	struct sendq out;
	uint8_t in[WIRE_PACKET_MAX]; /* of the packet being given out */
};

static void on_poll(uv_poll_t *handle, int status, int events);

static bool is_live(const struct channel *ch)
{
	return ch->fd >= 0 && !ch->ended;
}

static void watch_socket(struct channel *ch)
{
	const int events = UV_READABLE | (ch->blocked ? UV_WRITABLE : 0);

	/* Fails only for a handle that is closing. */
	(void)uv_poll_start(&ch->poll, events, on_poll);
}

static void stop_writing(struct channel *ch)
{
	(void)uv_prepare_stop(&ch->prepare);
	(void)uv_check_stop(&ch->check);
}

/* Nothing more can be sent.  The end is not told here, for the owner may be
 * in the middle of sending: reading takes what has come and then finds it. */
static void go_deaf(struct channel *ch)
{
	ch->deaf = true;
	/* Never for reading: fronts may not, or they could shut a listener. */
	(void)shutdown(ch->fd, SHUT_WR);
	sendq_clear(&ch->out);
}

static void write_waiting(struct channel *ch)
{
	const bool was_blocked = ch->blocked;

	stop_writing(ch);
	if (!is_live(ch) || ch->deaf)
		return;
	ch->blocked = false;
	switch (sendq_write(&ch->out, ch->fd)) {
	case SENDQ_EMPTY: break;
	case SENDQ_FULL: ch->blocked = true; break;
	case SENDQ_BROKEN: go_deaf(ch); break;
	}
	if (ch->blocked != was_blocked)
		watch_socket(ch);
}

static void end_once(struct channel *ch, bool bad)
{
	if (!is_live(ch))
		return;
	ch->ended = true;
	stop_writing(ch);
	(void)uv_poll_stop(&ch->poll);
	sendq_clear(&ch->out);
	ch->events->end(ch->ctx, bad);
}

static void give_packet(struct channel *ch, const struct received *r)
{
	struct span rest = r->bytes;
	size_t nfds = r->nfds;
	struct wire_msg m;
	enum sg_err e;

	while ((e = wire_next(&rest, &m)) == SG_OK) {
		const bool good = ch->events->message(ch->ctx, &m, r->fd, nfds);

		nfds = 0; /* they are the first message's */
		if (!is_live(ch))
			return;
		if (!good) {
			end_once(ch, true);
			return;
		}
	}
	if (e != SG_NOT_FOUND) {
		receive_close(r->fd, nfds);
		end_once(ch, true);
		return;
	}
	if (ch->events->packet_done != NULL)
		ch->events->packet_done(ch->ctx);
}

/* Returns what stopped it, of receive_packet(); SG_OK: there may be more. */
static enum sg_err read_packets(struct channel *ch)
{
	enum sg_err e = SG_OK;
	struct received r;

	for (int i = 0; i < PACKETS_A_TURN && e == SG_OK; i++) {
		e = receive_packet(ch->fd, ch->in, sizeof(ch->in), &r);
		if (e == SG_OK)
			give_packet(ch, &r);
		if (!is_live(ch))
			return SG_BUSY;
	}
	return e;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct channel *ch = (struct channel *)handle->data;
	enum sg_err e;

	if ((events & UV_WRITABLE) != 0)
		write_waiting(ch);
	if (!is_live(ch))
		return;
	if (ch->events->turn != NULL)
		ch->events->turn(ch->ctx);
	/* An error of the socket (STATUS < 0) stops the handle, but what came
	 * before it is still there to be read. */
	do {
		e = read_packets(ch);
	} while (status < 0 && e == SG_OK && is_live(ch));
	if ((e != SG_OK && e != SG_BUSY) || status < 0)
		end_once(ch, e == SG_MALFORMED);
}

static void on_prepare(uv_prepare_t *handle)
{
	write_waiting((struct channel *)handle->data);
}

static void on_check(uv_check_t *handle)
{
	write_waiting((struct channel *)handle->data);
}

static int set_nonblocking(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

enum sg_err channel_open(uv_loop_t *loop, int fd,
			 const struct channel_events *events, void *ctx,
			 struct channel **out)
{
	struct channel *ch;

	*out = NULL;
	if (set_nonblocking(fd) != 0)
		return SG_IO;
	/* calloc: pages of the buffers that are never used stay away. */
	ch = (struct channel *)calloc(1, sizeof(*ch));
	if (ch == NULL)
		return SG_NO_MEMORY;
	if (uv_poll_init(loop, &ch->poll, fd) != 0) {
		free(ch);
		return SG_IO;
	}
	(void)uv_prepare_init(loop, &ch->prepare); /* cannot fail */
	(void)uv_check_init(loop, &ch->check);
	ch->poll.data = ch->prepare.data = ch->check.data = ch;
	ch->fd = fd;
	ch->events = events;
	ch->ctx = ctx;
	watch_socket(ch);
	*out = ch;
	return SG_OK;
}

struct wire_packet *channel_room(struct channel *ch, size_t bytes)
{
	if (!is_live(ch) || ch->deaf)
		return NULL;
	if (sendq_bytes(&ch->out) >= CHANNEL_QUEUE_MAX)
		return NULL;
	if (!ch->blocked) {
		(void)uv_prepare_start(&ch->prepare, on_prepare);
		(void)uv_check_start(&ch->check, on_check);
	}
	return sendq_room(&ch->out, bytes);
}

void channel_cut(struct channel *ch)
{
	sendq_cut(&ch->out);
}

enum sg_err channel_send_fds(struct channel *ch, const struct wire_packet *w,
			     const int *fds, size_t n)
{
	enum sg_err e = SG_IO;

	assert(n <= CHANNEL_FDS_MAX);
	if (!is_live(ch) || ch->deaf)
		goto fail;
	e = SG_BUSY;
	if (sendq_bytes(&ch->out) >= CHANNEL_QUEUE_MAX ||
	    !sendq_append(&ch->out, span_of(w->buf, w->len), fds, n))
		goto fail;
	if (!ch->blocked)
		write_waiting(ch);
	return ch->deaf ? SG_IO : SG_OK;
fail:
	receive_close(fds, n);
	return e;
}

void channel_flush(struct channel *ch)
{
	if (!is_live(ch) || ch->deaf)
		return;
	write_waiting(ch);
	while (ch->blocked && sendq_wait(ch->fd, FLUSH_WAIT_MS))
		write_waiting(ch);
}

static void on_closed(uv_handle_t *handle)
{
	struct channel *ch = (struct channel *)handle->data;

	if (--ch->handles == 0)
		free(ch);
}

void channel_close(struct channel *ch)
{
	if (ch == NULL || ch->fd < 0)
		return;
	ch->handles = HANDLES;
	uv_close((uv_handle_t *)&ch->poll, on_closed);
	uv_close((uv_handle_t *)&ch->prepare, on_closed);
	uv_close((uv_handle_t *)&ch->check, on_closed);
	(void)close(ch->fd);
	ch->fd = -1;
	sendq_free(&ch->out);
}

/* The forced form passes net.core.wmem_max, for who may; the default suffices
 * for a full packet, just for fewer of them. */
static void widen(int fd)
{
	const int n = SOCKET_BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &n, sizeof(n)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n, sizeof(n)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n));
}

int channel_pair(int fd[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return -1;
	widen(fd[0]);
	widen(fd[1]);
	return 0;
}
