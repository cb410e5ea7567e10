/* SPDX-License-Identifier: Apache-2.0 */
#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http2_stream.h"

enum {
	CONNECTION_WINDOW = 1 << 20, /* request bytes in flight */
	/* What RFC 9113, section 10.5 warns of: frames that cost us more than
	 * the peer.  A burst, and so many a second afterwards. */
	RESETS_BURST = 500,
	RESETS_RATE = 50,
	CONTROLS_BURST = 2000,
	CONTROLS_RATE = 100,
	ACKS_QUEUED_MAX = 256,
	GOODBYE_MS = 1000 /* between announcing the end and the end */
};

static struct http2 *http2_of(struct http *h)
{
	return (struct http2 *)h;
}

static struct http2 *http2_of_timer(struct wheel_timer *t)
{
	return (struct http2 *)((char *)t - offsetof(struct http2, timer));
}

static void wake(struct http2 *h)
{
	h->http.host->wake(h->http.host);
}

static const struct front_settings *settings_of(const struct http2 *h)
{
	return &h->http.host->front->settings;
}

static void on_idle(struct wheel_timer *t)
{
	http2_terminate(http2_of_timer(t), NGHTTP2_NO_ERROR);
}

static void set_idle(struct http2 *h)
{
	h->timer.fire = on_idle;
	wheel_set(&h->http.host->front->wheel, &h->timer,
		  settings_of(h)->idle_ms);
}

/* --- what the session reports --------------------------------------------- */

static struct stream *find(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin_headers(nghttp2_session *session,
			    const nghttp2_frame *frame, void *ctx)
{
	struct http2 *h = ctx;
	struct stream *s;

	/* Trailers come on a stream that has its head. */
	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	/* One that came with the bytes before the client could know. */
	if (h->said_goodbye)
		return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE,
						 frame->hd.stream_id,
						 NGHTTP2_REFUSED_STREAM);
	s = stream_create(h, frame->hd.stream_id);
	if (s == NULL)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	if (!h->finishing)
		wheel_clear(&h->timer); /* not idle */
	return nghttp2_session_set_stream_user_data(session,
						    frame->hd.stream_id, s);
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_len, const uint8_t *value,
		     size_t value_len, uint8_t flags, void *ctx)
{
	struct stream *s = find(session, frame->hd.stream_id);

	(void)flags;
	if (s == NULL || s->head_done)
		return 0;
	if (stream_field(s, span_of(name, name_len),
			 span_of(value, value_len)) == SG_OK)
		return 0;
	http2_terminate(ctx, NGHTTP2_ENHANCE_YOUR_CALM);
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Frames that ask for nothing. */
static bool is_control(const nghttp2_frame *frame)
{
	switch (frame->hd.type) {
	case NGHTTP2_DATA:
		return frame->hd.length == 0 &&
		       (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0;
	case NGHTTP2_PRIORITY:
	case NGHTTP2_SETTINGS:
	case NGHTTP2_PING:
	case NGHTTP2_GOAWAY:
	case NGHTTP2_PRIORITY_UPDATE: return true;
	default: return false;
	}
}

/* One more into B, which leaks RATE a second: is that beyond BURST? */
static bool overflows(struct http2_bucket *b, uint64_t rate, uint64_t burst)
{
	const uint64_t now = clock_mono_us();
	const uint64_t leaked = (now - b->at_us) * rate / 1000000;

	if (leaked > 0) {
		b->n -= leaked < b->n ? leaked : b->n;
		b->at_us = now;
	}
	b->n++;
	return b->n > burst;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame,
		    void *ctx)
{
	struct http2 *h = ctx;
	struct stream *s;

	if (is_control(frame) &&
	    overflows(&h->controls, CONTROLS_RATE, CONTROLS_BURST)) {
		http2_terminate(h, NGHTTP2_ENHANCE_YOUR_CALM);
		return 0;
	}
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	s = find(session, frame->hd.stream_id);
	if (s == NULL)
		return 0;
	if (!s->head_done)
		stream_head(s);
	if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
		stream_end(s);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
		   const uint8_t *data, size_t n, void *ctx)
{
	struct stream *s = find(session, id);
	struct http2 *h = ctx;

	(void)flags;
	if (s != NULL)
		stream_data(s, span_of(data, n));
	else if (nghttp2_session_consume(session, id, n) != 0)
		h->done = true;
	return 0;
}

/* A frame of the client's that makes no sense has us reset its stream, which
 * frees the place but not the core: to us it is a reset of the client's. */
static bool is_provoked_reset(const nghttp2_frame *frame)
{
	return frame->hd.type == NGHTTP2_RST_STREAM &&
	       frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
	       frame->rst_stream.error_code != NGHTTP2_REFUSED_STREAM;
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame,
		   void *ctx)
{
	struct http2 *h = ctx;
	struct stream *s;

	if (is_provoked_reset(frame) &&
	    overflows(&h->resets, RESETS_RATE, RESETS_BURST))
		http2_terminate(h, NGHTTP2_ENHANCE_YOUR_CALM);
	if ((frame->hd.type != NGHTTP2_HEADERS &&
	     frame->hd.type != NGHTTP2_DATA) ||
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
		return 0;
	s = find(session, frame->hd.stream_id);
	if (s != NULL)
		stream_sent(s);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code,
		    void *ctx)
{
	struct http2 *h = ctx;
	struct stream *s = find(session, id);

	(void)code;
	if (s == NULL)
		return 0;
	(void)nghttp2_session_set_stream_user_data(session, id, NULL);
	stream_free(s);
	if (h->first == NULL && !h->finishing)
		set_idle(h);
	return 0;
}

/* --- the whole ------------------------------------------------------------ */

static void finish_streams(struct http2 *h)
{
	for (struct stream *s = h->first; s != NULL; s = s->next)
		stream_finish(s);
}

static void say_goodbye(struct http2 *h)
{
	if (nghttp2_submit_goaway(
		    h->session, NGHTTP2_FLAG_NONE,
		    nghttp2_session_get_last_proc_stream_id(h->session),
		    NGHTTP2_NO_ERROR, NULL, 0) != 0)
		h->done = true;
	h->said_goodbye = true;
	wake(h);
}

static void on_goodbye(struct wheel_timer *t)
{
	struct http2 *h = http2_of_timer(t);

	finish_streams(h); /* those that crossed the first notice */
	say_goodbye(h);
}

static void refuse_incomplete(struct http2 *h)
{
	for (struct stream *s = h->first; s != NULL; s = s->next) {
		if (s->x.answered)
			stream_finish(s); /* nothing is waited for */
		else if (!s->ended &&
			 nghttp2_submit_rst_stream(h->session,
						   NGHTTP2_FLAG_NONE, s->id,
						   NGHTTP2_REFUSED_STREAM) != 0)
			h->done = true;
	}
}

static void http2_finish(struct http *http, bool now)
{
	struct http2 *h = http2_of(http);

	if (h->done || h->said_goodbye)
		return;
	if (now) {
		h->finishing = true;
		wheel_clear(&h->timer);
		refuse_incomplete(h);
		say_goodbye(h);
		return;
	}
	if (h->finishing)
		return;
	h->finishing = true;
	finish_streams(h);
	/* Requests that cross the first notice are still taken: RFC 9113,
	 * section 6.8. */
	if (nghttp2_submit_shutdown_notice(h->session) != 0)
		h->done = true;
	h->timer.fire = on_goodbye;
	wheel_set(&h->http.host->front->wheel, &h->timer, GOODBYE_MS);
	wake(h);
}

static size_t http2_feed(struct http *http, struct span in)
{
	struct http2 *h = http2_of(http);

	if (h->done)
		return in.n;
	if (nghttp2_session_mem_recv(h->session, in.p, in.n) < 0)
		h->done = true;
	wake(h);
	return in.n;
}

static size_t http2_pull(struct http *http, uint8_t *out, size_t cap)
{
	struct http2 *h = http2_of(http);
	size_t len = 0;

	while (len < cap && !h->done) {
		size_t n;

		if (h->frame.n == 0) {
			const uint8_t *p;
			const ssize_t got =
				nghttp2_session_mem_send(h->session, &p);

			if (got < 0)
				h->done = true;
			if (got <= 0)
				break;
			h->frame = span_of(p, (size_t)got);
		}
		n = h->frame.n < cap - len ? h->frame.n : cap - len;
		memcpy(out + len, h->frame.p, n);
		h->frame.p += n;
		h->frame.n -= n;
		len += n;
	}
	return len;
}

static bool http2_done(const struct http *http)
{
	const struct http2 *h = (const struct http2 *)http;

	if (h->done)
		return true;
	if (h->frame.n > 0 || nghttp2_session_want_write(h->session) != 0)
		return false;
	return nghttp2_session_want_read(h->session) == 0 ||
	       (h->said_goodbye && h->first == NULL);
}

static size_t http2_queued(const struct http *http)
{
	return ((const struct http2 *)http)->queued;
}

static bool http2_streaming(const struct http *http)
{
	return ((const struct http2 *)http)->streaming > 0;
}

static void http2_free(struct http *http)
{
	struct http2 *h = http2_of(http);
	struct stream *s;

	h->finishing = true;
	while ((s = h->first) != NULL)
		stream_free(s);
	wheel_clear(&h->timer);
	nghttp2_session_del(h->session);
	free(h);
}

static const struct http_ops OPS = {
	.feed = http2_feed,
	.pull = http2_pull,
	.done = http2_done,
	.queued = http2_queued,
	.streaming = http2_streaming,
	.finish = http2_finish,
	.free = http2_free,
};

static int session_new(struct http2 *h, nghttp2_session_callbacks *cb,
		       nghttp2_option *opt)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(
		cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
	nghttp2_option_set_no_closed_streams(opt, 1);
	nghttp2_option_set_no_auto_window_update(opt, 1);
	nghttp2_option_set_max_outbound_ack(opt, ACKS_QUEUED_MAX);
	nghttp2_option_set_stream_reset_rate_limit(opt, RESETS_BURST,
						   RESETS_RATE);
	return nghttp2_session_server_new2(&h->session, cb, h, opt);
}

static int session_start(struct http2 *h)
{
	const struct front_settings *s = settings_of(h);
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, s->streams_max},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
		 (uint32_t)s->header_bytes_max},
		{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
	};
	int rv =
		nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
					sizeof(settings) / sizeof(settings[0]));

	if (rv == 0)
		rv = nghttp2_session_set_local_window_size(
			h->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
	return rv;
}

enum sg_err http2_create(struct http_host *host, struct http **out)
{
	struct http2 *h = calloc(1, sizeof(*h));
	nghttp2_session_callbacks *cb = NULL;
	nghttp2_option *opt = NULL;
	int rv = -1;

	if (h == NULL)
		return SG_NO_MEMORY;
	h->http = (struct http){.ops = &OPS, .host = host};
	if (nghttp2_session_callbacks_new(&cb) == 0 &&
	    nghttp2_option_new(&opt) == 0)
		rv = session_new(h, cb, opt);
	nghttp2_session_callbacks_del(cb);
	nghttp2_option_del(opt);
	if (rv != 0) {
		free(h);
		return SG_NO_MEMORY;
	}
	if (session_start(h) != 0) {
		http2_free(&h->http);
		return SG_NO_MEMORY;
	}
	set_idle(h);
	*out = &h->http;
	return SG_OK;
}
