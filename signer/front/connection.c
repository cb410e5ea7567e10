/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "admission.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/request_id.h"
#include "recheck.h"

enum {
	OPS_CONNECTIONS_MAX = 64,
	PUBLIC_CONNECTIONS_MAX = 1024, /* anybody's; no more than clients' */
	PULLS_MAX = 4,		       /* of gather_buf, in one turn */
	STALL_MS = 30000,	       /* without a byte leaving */
	/* With a stream open: the API gives up on a reader after two minutes,
	 * and its last words have to leave. */
	STREAM_STALL_MS = 180000,
	/* A client that still sends when it is answered for good must not
	 * lose the answer to a reset: RFC 9112, section 9.6. */
	LINGER_MS = 1000
};

struct connection_write {
	uv_write_t req;
	struct connection *c;
	struct bytes bytes;
};

struct connection *connection_of_deadline(struct wheel_timer *t)
{
	return (struct connection *)((char *)t -
				     offsetof(struct connection, deadline));
}

static struct connection *connection_of_host(struct http_host *h)
{
	return (struct connection *)((char *)h -
				     offsetof(struct connection, host));
}

void connection_deadline(struct connection *c, uint32_t ms,
			 void (*fire)(struct wheel_timer *t))
{
	wheel_clear(&c->deadline);
	c->deadline.fire = fire;
	wheel_set(&c->front->wheel, &c->deadline, ms);
}

/* --- the end -------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void connection_drop(struct connection *c)
{
	struct front *f = c->front;

	if (uv_is_closing(&c->uv.handle))
		return;
	wheel_clear(&c->deadline);
	connection_sign_no_more(c);
	recheck_forget(c);
	if (c->http != NULL)
		c->http->ops->free(c->http);
	c->http = NULL;
	tls_free(c->tls);
	c->tls = NULL;
	bytes_free(&c->held);
	bytes_free(&c->out);
	peer_clear(&c->peer);
	TAILQ_REMOVE(&f->connections, c, all);
	if (c->flush_queued)
		TAILQ_REMOVE(&f->flushing, c, flush);
	f->connections_of[c->door]--;
	if (c->entered)
		admission_leave(f->admission, c->client);
	if (c->door == DOOR_CLIENTS)
		metric_sub(METRIC_CONNECTIONS, 1);
	uv_close(&c->uv.handle, on_closed);
}

static void on_late(struct wheel_timer *t)
{
	connection_drop(connection_of_deadline(t));
}

void connection_end(struct connection *c)
{
	if (c->ending)
		return;
	c->ending = true;
	connection_sign_no_more(c);
	if (c->http != NULL)
		c->http->ops->free(c->http);
	c->http = NULL;
	bytes_free(&c->held);
	if (c->tls != NULL)
		tls_close(c->tls);
	connection_deadline(c, STALL_MS, on_late);
	connection_wake(c);
}

void connection_finish(struct connection *c, bool now)
{
	if (c->http != NULL)
		c->http->ops->finish(c->http, now);
	else
		connection_end(
			c); /* a handshake, if it is not ending already */
}

/* --- output --------------------------------------------------------------- */

static uint32_t stall_ms(const struct connection *c)
{
	return c->http != NULL && c->http->ops->streaming(c->http)
		       ? STREAM_STALL_MS
		       : STALL_MS;
}

static void on_stalled(struct wheel_timer *t)
{
	struct connection *c = connection_of_deadline(t);
	const size_t left = uv_stream_get_write_queue_size(&c->uv.stream);

	if (left == c->writing_left) {
		connection_drop(c);
		return;
	}
	c->writing_left = left;
	connection_deadline(c, stall_ms(c), on_stalled);
}

static void on_written(uv_write_t *req, int status)
{
	struct connection_write *w =
		(struct connection_write *)((char *)req -
					    offsetof(struct connection_write,
						     req));
	struct connection *c = w->c;

	bytes_free(&w->bytes);
	free(w);
	c->writing = NULL;
	if (uv_is_closing(&c->uv.handle))
		return;
	if (status != 0) {
		connection_drop(c);
		return;
	}
	if (c->http != NULL)
		wheel_clear(&c->deadline);
	connection_wake(c);
}

/* The socket is full: wait for it with what is left of the output. */
static bool queue_out(struct connection *c)
{
	struct connection_write *w = calloc(1, sizeof(*w));
	uv_buf_t buf;

	if (w == NULL)
		return false;
	w->c = c;
	w->bytes = c->out;
	c->out = (struct bytes){0};
	buf = uv_buf_init((char *)w->bytes.p + w->bytes.off,
			  (unsigned)w->bytes.len);
	if (uv_write(&w->req, &c->uv.stream, &buf, 1, on_written) != 0) {
		bytes_free(&w->bytes);
		free(w);
		return false;
	}
	c->writing = w;
	c->writing_left = uv_stream_get_write_queue_size(&c->uv.stream);
	/* A handshake keeps its own deadline. */
	if (c->http != NULL || c->ending)
		connection_deadline(c, stall_ms(c), on_stalled);
	return true;
}

/* False: the connection is broken. */
static bool send_out(struct connection *c)
{
	uv_buf_t buf;
	int n;

	if (c->writing != NULL || c->out.len == 0)
		return true;
	buf = uv_buf_init((char *)c->out.p + c->out.off, (unsigned)c->out.len);
	n = uv_try_write(&c->uv.stream, &buf, 1);
	if (n < 0 && n != UV_EAGAIN)
		return false;
	if (n > 0)
		bytes_drop(&c->out, (size_t)n);
	return c->out.len == 0 || queue_out(c);
}

static enum sg_err put_out(struct connection *c, struct span plain)
{
	return c->tls != NULL ? tls_write(c->tls, plain)
			      : bytes_add(&c->out, plain);
}

/* All answers of this turn in one record, one write.  False: broken. */
static bool send_http(struct connection *c)
{
	struct front *f = c->front;

	for (int i = 0; i < PULLS_MAX && c->writing == NULL; i++) {
		const size_t n = c->http->ops->pull(c->http, f->gather_buf,
						    sizeof(f->gather_buf));

		if (n == 0)
			return true;
		if (put_out(c, span_of(f->gather_buf, n)) != SG_OK ||
		    !send_out(c))
			return false;
	}
	/* Others want their turn. */
	if (c->writing == NULL)
		connection_wake(c);
	return true;
}

static bool all_is_sent(const struct connection *c)
{
	return c->out.len == 0 && c->writing == NULL;
}

/* All is with the kernel: close our half, and leave the peer a moment to read
 * it.  False: broken. */
static bool shut(struct connection *c)
{
	uv_os_fd_t fd;

	if (uv_fileno(&c->uv.handle, &fd) != 0 || shutdown(fd, SHUT_WR) != 0)
		return false;
	c->shut = true;
	connection_deadline(c, LINGER_MS, on_late);
	return true;
}

/* --- the flush list ------------------------------------------------------- */

void connection_wake(struct connection *c)
{
	struct front *f = c->front;

	if (c->flush_queued || uv_is_closing(&c->uv.handle))
		return;
	c->flush_queued = true;
	TAILQ_INSERT_TAIL(&f->flushing, c, flush);
	front_stay_awake(f);
}

static void on_http_wake(struct http_host *host)
{
	connection_wake(connection_of_host(host));
}

/* False: broken, or both sides are done. */
static bool flush(struct connection *c)
{
	if (!send_out(c))
		return false;
	if (c->http != NULL) {
		if (!send_http(c))
			return false;
		connection_give_held(c);
		if (all_is_sent(c) && c->http->ops->done(c->http))
			connection_end(c);
	}
	if (c->ending) {
		if (!send_out(c))
			return false;
		if (all_is_sent(c) && (c->eof || (!c->shut && !shut(c))))
			return false;
	}
	return connection_read_on(c);
}

void connection_flush_all(struct front *f)
{
	struct connection *last = TAILQ_LAST(&f->flushing, connection_list);
	struct connection *c = NULL;

	/* What wakes meanwhile goes behind LAST, and has the next turn. */
	while (c != last) {
		c = TAILQ_FIRST(&f->flushing);
		TAILQ_REMOVE(&f->flushing, c, flush);
		c->flush_queued = false;
		if (!flush(c))
			connection_drop(c);
	}
}

/* --- the beginning -------------------------------------------------------- */

static size_t connections_max(const struct front *f, enum door door)
{
	const size_t clients = f->settings.connections_max;

	if (door == DOOR_OPS)
		return OPS_CONNECTIONS_MAX;
	return door == DOOR_PUBLIC && clients > PUBLIC_CONNECTIONS_MAX
		       ? PUBLIC_CONNECTIONS_MAX
		       : clients;
}

static bool has_room(struct front *f, enum door door)
{
	const size_t max = connections_max(f, door);
	uint64_t dropped;

	if (f->connections_of[door] <= max)
		return true;
	if (door == DOOR_CLIENTS)
		metric_add(METRIC_CONNECTIONS_FULL, 1);
	if (throttle_allows(&f->overflows, clock_wall_s(), &dropped))
		log_event(LOG_WARNING, "connections-full",
			  "limit=%zu unlogged=%llu", max,
			  (unsigned long long)dropped);
	return false;
}

static uint64_t address_of(const struct connection *c)
{
	struct sockaddr_storage peer;
	int n = sizeof(peer);

	if (c->uv.handle.type != UV_TCP ||
	    uv_tcp_getpeername(&c->uv.tcp, (struct sockaddr *)&peer, &n) != 0)
		return 0;
	return admission_address((const struct sockaddr *)&peer);
}

/* EVENT: too many handshakes of C's address, with LIMIT a second. */
static void log_limited(const struct connection *c, const char *event,
			uint32_t limit)
{
	char text[ADMISSION_ADDRESS_TEXT];
	uint64_t dropped;

	if (!throttle_allows(&c->front->limited, clock_wall_s(), &dropped))
		return;
	admission_address_text(c->address, text);
	log_event(LOG_WARNING, event, "address=%s limit=%u unlogged=%llu", text,
		  (unsigned)limit, (unsigned long long)dropped);
}

/* Has its address failed too often, or come too often? */
static bool is_limited(struct connection *c)
{
	struct front *f = c->front;
	const uint32_t failures = f->settings.failures_max;
	const uint32_t handshakes = f->settings.address_handshakes_max;
	const uint64_t now_ms = uv_now(f->loop);

	c->address = address_of(c);
	if (!admission_begin(f->admission, c->address, failures, now_ms)) {
		metric_add(METRIC_CONNECTIONS_OF_ADDRESS, 1);
		log_limited(c, "handshakes-limited", failures);
		return true;
	}
	if (!admission_handshake(f->admission, c->address, handshakes,
				 now_ms)) {
		/* It has not even begun. */
		admission_succeeded(f->admission, c->address, failures, now_ms);
		metric_add(METRIC_CONNECTIONS_TOO_OFTEN, 1);
		log_limited(c, "handshakes-many", handshakes);
		return true;
	}
	return false;
}

static enum sg_err start(struct connection *c)
{
	struct front *f = c->front;

	if (!has_room(f, c->door))
		return SG_BUSY;
	if (c->door != DOOR_CLIENTS)
		return connection_start_http(c);
	if (is_limited(c))
		return SG_BUSY;
	connection_handshake_begin(c);
	return tls_create(f->tls, &c->out, &c->tls);
}

static void count(struct connection *c)
{
	struct front *f = c->front;

	TAILQ_INSERT_HEAD(&f->connections, c, all);
	f->connections_of[c->door]++;
	if (c->door != DOOR_CLIENTS)
		return;
	metric_add(METRIC_CONNECTIONS, 1);
	metric_add(METRIC_CONNECTIONS_TOTAL, 1);
}

void connection_accept(struct front *f, uv_stream_t *listener, enum door door)
{
	const bool is_tcp = listener->type == UV_TCP;
	struct connection *c = calloc(1, sizeof(*c));
	int rv;

	if (c == NULL) {
		/* Nobody would be told of this connection again. */
		front_stop(f, 1);
		return;
	}
	c->front = f;
	c->door = door;
	f->name = request_id_next_connection(f->name);
	c->host = (struct http_host){.front = f,
				     .door = door,
				     .wake = on_http_wake,
				     .name = f->name};
	c->verified = f->reloads;
	c->asked = f->walks;
	rv = is_tcp ? uv_tcp_init(f->loop, &c->uv.tcp)
		    : uv_pipe_init(f->loop, &c->uv.pipe, 0);
	if (rv != 0) {
		free(c);
		return;
	}
	c->uv.handle.data = c;
	count(c);
	if (uv_accept(listener, &c->uv.stream) != 0 || start(c) != SG_OK ||
	    !connection_read_on(c)) {
		connection_drop(c);
		return;
	}
	/* Answers are written whole: nothing is gained by waiting. */
	if (is_tcp)
		(void)uv_tcp_nodelay(&c->uv.tcp, 1);
}
