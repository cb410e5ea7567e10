/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"
#include "recheck.h"

enum {
	OUT_WAITING_MAX = 256 * 1024, /* behind a full socket: stop reading */
	/* Read away while ending, so that who sends a large body in one go
	 * hears the answer rather than a reset. */
	LINGER_BYTES = 2 << 20
};

static bool give_http(struct connection *c, struct span s)
{
	recheck_client(c);
	if (c->held.len == 0) {
		const size_t n = c->http->ops->feed(c->http, s);

		s = span_of(s.p + n, s.n - n);
	}
	return bytes_add(&c->held, s) == SG_OK;
}

/* Nothing more comes, and HTTP has all that came. */
static void end_input(struct connection *c)
{
	if (c->http != NULL)
		c->http->ops->finish(c->http, true);
	else
		connection_end(c);
}

void connection_give_held(struct connection *c)
{
	size_t n;

	/* What it takes may add to answers that already wait. */
	if (c->held.len == 0 ||
	    (c->writing != NULL && c->http->ops->queued(c->http) > 0))
		return;
	n = c->http->ops->feed(c->http, bytes_view(&c->held));
	if (n == 0)
		return; /* not yet */
	bytes_drop(&c->held, n);
	if (c->eof && c->held.len == 0)
		end_input(c);
	connection_wake(c);
}

enum sg_err connection_start_http(struct connection *c)
{
	c->host.peer = c->tls != NULL ? &c->peer : NULL;
	if (c->tls != NULL && tls_is_http2(c->tls))
		return http2_create(&c->host, &c->http);
	return http1_create(&c->host, &c->http);
}

static void on_eof(struct connection *c)
{
	c->eof = true;
	if (c->http == NULL && !c->ending && c->tls != NULL)
		connection_refused(c, "closed during the handshake");
	/* Else a request that came whole would be cut off for its end. */
	if (c->held.len == 0)
		end_input(c);
}

void connection_read_records(struct connection *c)
{
	struct front *f = c->front;
	size_t n;

	if (c->http == NULL && !connection_shake_hands(c))
		return;
	while (!c->ending && !c->eof) {
		switch (tls_read(c->tls, f->plain_buf, sizeof(f->plain_buf),
				 &n)) {
		case TLS_OK:
			if (!give_http(c, span_of(f->plain_buf, n)))
				connection_end(c);
			break;
		case TLS_EOF: on_eof(c); break;
		case TLS_WANT: return;
		case TLS_SIGN: /* in a handshake alone */
		case TLS_FAILED: connection_end(c); return;
		}
	}
}

static void read_bytes(struct connection *c, struct span in)
{
	if (c->ending) {
		c->discarded += in.n;
		if (c->discarded > LINGER_BYTES)
			connection_drop(c);
		return;
	}
	if (c->tls == NULL) {
		if (!give_http(c, in))
			connection_end(c);
	} else {
		tls_give(c->tls, in);
		connection_read_records(c);
		tls_give(c->tls, span_of(NULL, 0));
	}
	connection_wake(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	const struct connection *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)c->front->read_buf,
			   sizeof(c->front->read_buf));
}

/* HTTP, or the handshake, takes no more: libuv would read on, 2 MiB in one go,
 * until the flush. */
static void hold(struct connection *c)
{
	if ((c->held.len == 0 && !c->signing) || !c->reading)
		return;
	c->reading = false;
	(void)uv_read_stop(&c->uv.stream); /* cannot fail */
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *c = stream->data;

	if (n == UV_EOF) {
		c->reading = false;
		on_eof(c);
		connection_wake(c);
	} else if (n < 0) {
		connection_drop(c);
	} else if (n > 0) {
		read_bytes(c, span_of(buf->base, (size_t)n));
		hold(c);
	}
}

bool connection_read_on(struct connection *c)
{
	const bool full = c->writing != NULL && c->http != NULL &&
			  c->http->ops->queued(c->http) > OUT_WAITING_MAX;
	const bool want =
		!c->eof &&
		(c->ending || (c->held.len == 0 && !full && !c->signing));

	if (want == c->reading)
		return true;
	c->reading = want;
	if (!want)
		return uv_read_stop(&c->uv.stream) == 0;
	return uv_read_start(&c->uv.stream, on_alloc, on_read) == 0;
}
