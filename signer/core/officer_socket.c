/* SPDX-License-Identifier: Apache-2.0 */
#include "officer_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/throttle.h"
#include "fds.h"
#include "ipc/channel.h"

enum {
	LOOK_MS = 1000,	   /* between two looks at who is idle */
	MESSAGE_ROOM = 192 /* bytes of a message beside its byte runs */
};

static const uint64_t IDLE_US = OFFICER_SOCKET_IDLE_S * UINT64_C(1000000);

/* One who has connected. */
struct officer_link {
	struct officer_socket *socket;
	struct channel *channel; /* NULL: free */
	bool asked;		 /* its request ID is not answered yet */
	bool operates;		 /* and is at the ceremony's */
	uint64_t id;
	uint64_t since_us; /* CLOCK_MONOTONIC: of the last packet or answer */
};

struct officer_socket {
	uv_poll_t poll;
	uv_timer_t look; /* the last to be closed frees all */
	int fd;
	int handles; /* that are not closed yet */
	struct ceremony *ceremony;
	struct officer_link link[OFFICER_SOCKET_LINKS];
};

static void drop(struct officer_link *l)
{
	if (l->channel == NULL)
		return;
	if (l->operates)
		ceremony_forget(l->socket->ceremony, l);
	channel_close(l->channel);
	l->channel = NULL;
	l->asked = l->operates = false;
}

/* --- answers -------------------------------------------------------------- */

static void answer(struct officer_link *l, enum sg_err err, struct span text)
{
	const struct wire_answer good = {.document = text};
	const struct wire_problem bad = {.err = (uint16_t)err,
					 .retry_after_s =
						 err_retry(err) ? 1 : 0,
					 .detail = text};
	struct wire_packet *w = channel_room(l->channel, MESSAGE_ROOM + text.n);
	enum sg_err put = SG_BUSY;

	l->asked = l->operates = false;
	l->since_us = clock_mono_us();
	if (w != NULL)
		put = err == SG_OK ? wire_put_answer(w, l->id, &good)
				   : wire_put_problem(w, l->id, &bad);
	if (put != SG_OK)
		log_event(LOG_WARNING, "officer-answer-dropped",
			  "reason=" LOG_Q, err_text(put));
}

static void on_operated(void *link, uint64_t id, enum sg_err err,
			struct span text)
{
	struct officer_link *l = link;

	if (l->operates && l->id == id)
		answer(l, err, text);
}

/* --- questions ------------------------------------------------------------ */

static bool on_ask(struct officer_link *l, const struct wire_msg *m)
{
	struct ceremony *ceremony = l->socket->ceremony;
	enum sg_err err = SG_NOT_FOUND;
	struct wire_ask ask;
	uint8_t *document;
	size_t n = 0;

	if (wire_get_ask(m, &ask) != SG_OK ||
	    ask.question != WIRE_ASK_CEREMONY || ask.identity.n > 0)
		return false;
	document = malloc(CEREMONY_DOCUMENT_MAX);
	if (document == NULL)
		err = SG_NO_MEMORY;
	else if (ceremony != NULL)
		err = ceremony_document(ceremony, document,
					CEREMONY_DOCUMENT_MAX, &n);
	answer(l, err, span_of(document, err == SG_OK ? n : 0));
	free(document);
	return true;
}

static bool on_operate(struct officer_link *l, const struct wire_msg *m)
{
	const struct ceremony_caller who = {
		.link = l, .id = m->id, .answer = on_operated};
	static struct throttle throttle;
	struct wire_operate operate;
	uint64_t dropped;

	if (wire_get_operate(m, &operate) != SG_OK || operate.identity.n > 0 ||
	    operate.operation.n > WIRE_OPERATION_MAX)
		return false;
	if (throttle_allows(&throttle, clock_wall_s(), &dropped))
		log_event(LOG_INFO, "operation-brought",
			  "socket=officer bytes=%zu unlogged=%llu",
			  operate.operation.n, (unsigned long long)dropped);
	if (l->socket->ceremony == NULL) {
		answer(l, SG_NOT_FOUND, span_of(NULL, 0));
		return true;
	}
	l->operates = true;
	ceremony_operate(l->socket->ceremony, operate.operation, &who);
	return true;
}

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct officer_link *l = ctx;

	fds_close(fds, n);
	if (n > 0 || l->asked)
		return false;
	l->since_us = clock_mono_us();
	l->asked = true;
	l->id = m->id;
	switch (m->type) {
	case WIRE_ASK: return on_ask(l, m);
	case WIRE_OPERATE: return on_operate(l, m);
	default: return false;
	}
}

static void on_end(void *ctx, bool bad)
{
	struct officer_link *l = ctx;

	if (bad) {
		metric_add(METRIC_BAD_MESSAGES, 1);
		log_event(LOG_WARNING, "officer-refused",
			  "reason=\"what came makes no sense here\"");
	}
	drop(l);
}

/* --- connections ---------------------------------------------------------- */

static struct officer_link *free_link(struct officer_socket *s)
{
	for (size_t i = 0; i < OFFICER_SOCKET_LINKS; i++)
		if (s->link[i].channel == NULL)
			return &s->link[i];
	return NULL;
}

static void take(struct officer_socket *s, int fd)
{
	static const struct channel_events events = {.message = on_message,
						     .end = on_end};
	struct officer_link *l = free_link(s);
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t n = sizeof(peer);
	enum sg_err err = SG_BUSY;

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n);
	if (l != NULL)
		err = channel_open(s->poll.loop, fd, &events, l, &l->channel);
	log_event(err == SG_OK ? LOG_INFO : LOG_WARNING,
		  err == SG_OK ? "officer-connected" : "officer-turned-away",
		  "uid=%ld pid=%ld reason=" LOG_Q, (long)peer.uid,
		  (long)peer.pid, err == SG_OK ? "" : err_text(err));
	if (err != SG_OK) {
		if (l != NULL)
			l->channel = NULL;
		(void)close(fd);
		return;
	}
	l->since_us = clock_mono_us();
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct officer_socket *s = poll->data;
	int fd;

	(void)status;
	(void)events;
	fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		take(s, fd);
	} else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
		/* It would be said to be ready again at once: rest. */
		log_event(LOG_WARNING, "officer-accept-failed", "reason=" LOG_Q,
			  strerrordesc_np(errno));
		(void)uv_poll_stop(&s->poll);
	}
}

static void listen_on(struct officer_socket *s)
{
	if (!uv_is_active((const uv_handle_t *)&s->poll))
		(void)uv_poll_start(&s->poll, UV_READABLE, on_poll);
}

static void on_look(uv_timer_t *timer)
{
	struct officer_socket *s = timer->data;
	const uint64_t now = clock_mono_us();

	for (size_t i = 0; i < OFFICER_SOCKET_LINKS; i++) {
		struct officer_link *l = &s->link[i];

		if (l->channel != NULL && !l->asked &&
		    now - l->since_us > IDLE_US)
			drop(l);
	}
	listen_on(s);
}

/* --- life ----------------------------------------------------------------- */

enum sg_err officer_socket_create(uv_loop_t *loop, int fd,
				  struct ceremony *ceremony,
				  struct officer_socket **out)
{
	struct officer_socket *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return SG_NO_MEMORY;
	if (uv_poll_init(loop, &s->poll, fd) != 0) {
		free(s);
		return SG_INTERNAL;
	}
	(void)uv_timer_init(loop, &s->look); /* cannot fail */
	s->handles = 2;
	s->poll.data = s->look.data = s;
	s->fd = fd;
	s->ceremony = ceremony;
	for (size_t i = 0; i < OFFICER_SOCKET_LINKS; i++)
		s->link[i].socket = s;
	listen_on(s);
	(void)uv_timer_start(&s->look, on_look, LOOK_MS, LOOK_MS);
	*out = s;
	return SG_OK;
}

static void on_closed(uv_handle_t *handle)
{
	struct officer_socket *s = handle->data;

	if (--s->handles == 0)
		free(s);
}

void officer_socket_free(struct officer_socket *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < OFFICER_SOCKET_LINKS; i++)
		drop(&s->link[i]);
	uv_close((uv_handle_t *)&s->poll, on_closed);
	uv_close((uv_handle_t *)&s->look, on_closed);
	(void)close(s->fd);
}
