/* SPDX-License-Identifier: Apache-2.0 */
#include "admission.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/identity.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/request_id.h"
#include "connection.h"
#include "recheck.h"
#include "shares.h"

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

static void refused(struct connection *c, const char *reason)
{
	char name[REQUEST_ID_TEXT];
	uint64_t dropped;

	metric_add(METRIC_HANDSHAKES_FAILED, 1);
	if (!throttle_allows(&c->front->refusals, clock_wall_s(), &dropped))
		return;
	log_event(LOG_INFO, "tls-refused",
		  "connection=%s reason=\"%s\" spki=%s unlogged=%llu",
		  request_id_text(c->host.name, 0, name), reason,
		  tls_fingerprint(c->tls), (unsigned long long)dropped);
}

void connection_handshake_late(struct wheel_timer *t)
{
	struct connection *c = connection_of_deadline(t);

	refused(c, "handshake timed out");
	connection_drop(c);
}

enum sg_err connection_start_http(struct connection *c)
{
	c->host.peer = c->tls != NULL ? &c->peer : NULL;
	if (c->tls != NULL && tls_is_http2(c->tls))
		return http2_create(&c->host, &c->http);
	return http1_create(&c->host, &c->http);
}

/* May the client have this connection, too? */
static bool has_place(struct connection *c)
{
	enum { SHOWN = 8 };
	struct front *f = c->front;
	const size_t max = f->settings.client_connections_max;
	char spki[HEX_TEXT(SHOWN)];
	uint64_t dropped;

	admission_succeeded(f->admission, c->address, f->settings.failures_max,
			    uv_now(f->loop));
	c->client = shares_index(span_of(c->peer.identity, c->peer.identity_n));
	c->entered = admission_enter(f->admission, c->client, max);
	if (c->entered)
		return true;
	metric_add(METRIC_CONNECTIONS_OF_CLIENT, 1);
	if (throttle_allows(&f->limited, clock_wall_s(), &dropped)) {
		/* An identity begins with the hash of its key. */
		(void)hex_encode(c->peer.identity, SHOWN, spki);
		log_event(LOG_WARNING, "client-connections-full",
			  "spki=%s limit=%zu unlogged=%llu", spki, max,
			  (unsigned long long)dropped);
	}
	return false;
}

/* Where each request is told: from here its name leads on. */
static void log_connected(const struct connection *c)
{
	struct identity who;
	char name[REQUEST_ID_TEXT];
	char spki[HEX_TEXT(sizeof(who.spki))] = "-";

	if (!log_has_requests())
		return;
	if (identity_decode(span_of(c->peer.identity, c->peer.identity_n),
			    &who) == SG_OK)
		(void)hex_encode(who.spki, sizeof(who.spki), spki);
	log_event(LOG_INFO, "client-connected", "connection=%s spki=%s http=%s",
		  request_id_text(c->host.name, 0, name), spki,
		  tls_is_http2(c->tls) ? "2" : "1.1");
}

/* False: it goes on when more has come, or it has failed. */
static bool shake_hands(struct connection *c)
{
	const enum tls_result r = tls_handshake(c->tls);

	if (r == TLS_WANT)
		return false;
	if (r != TLS_OK) {
		refused(c, tls_reason(c->tls));
		connection_end(c);
		return false;
	}
	if (tls_peer(c->tls, &c->peer) == SG_OK && !has_place(c)) {
		connection_end(c);
		return false;
	}
	if (c->peer.identity == NULL || connection_start_http(c) != SG_OK) {
		refused(c, "the certificate cannot be read");
		connection_end(c);
		return false;
	}
	metric_add(tls_is_12(c->tls) ? METRIC_HANDSHAKES_12
				     : METRIC_HANDSHAKES_13,
		   1);
	wheel_clear(&c->deadline);
	log_connected(c);
	return true;
}

static void on_eof(struct connection *c)
{
	c->eof = true;
	if (c->http == NULL && !c->ending && c->tls != NULL)
		refused(c, "closed during the handshake");
	/* Else a request that came whole would be cut off for its end. */
	if (c->held.len == 0)
		end_input(c);
}

static void read_records(struct connection *c)
{
	struct front *f = c->front;
	size_t n;

	if (c->http == NULL && !shake_hands(c))
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
		read_records(c);
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

/* HTTP takes no more: libuv would read on, 2 MiB in one go, until the flush. */
static void hold(struct connection *c)
{
	if (c->held.len == 0 || !c->reading)
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
	const bool want = !c->eof && (c->ending || (c->held.len == 0 && !full));

	if (want == c->reading)
		return true;
	c->reading = want;
	if (!want)
		return uv_read_stop(&c->uv.stream) == 0;
	return uv_read_start(&c->uv.stream, on_alloc, on_read) == 0;
}
