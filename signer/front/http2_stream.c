/* SPDX-License-Identifier: Apache-2.0 */
#include "http2_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/request_id.h"

enum {
	FIELD_OVERHEAD = 32, /* RFC 9113, section 6.5.2 */
	HEAD_FACTOR_MAX = 4, /* over the limit, before the connection ends */
	SEND_MS = 30000,     /* a client has this long to take its answer */
	/* Some clients lose an answer when their request is cut off by a reset,
	 * so a part of what is still to come is read away. */
	LINGER_MS = 2000,
	LINGER_BYTES = 1 << 20,
	/* The same for a stream: its client may have sent all before it reads,
	 * and finds up to 4 MiB of answers. */
	STREAM_SEND_MS = 120000,
	STREAM_LINGER_MS = 60000,
	/* Of a stream's request on its way: enough for a long line. */
	STREAM_WINDOW = 256 * 1024
};

static struct stream *stream_of(struct exchange *x)
{
	return (struct stream *)x; /* its first member */
}

static struct stream *stream_of_timer(struct wheel_timer *t)
{
	return (struct stream *)((char *)t - offsetof(struct stream, timer));
}

static const struct front_settings *settings_of(const struct stream *s)
{
	return &s->x.front->settings;
}

static void wake(struct http2 *h)
{
	h->http.host->wake(h->http.host);
}

void http2_terminate(struct http2 *h, uint32_t code)
{
	if (nghttp2_session_terminate_session(h->session, code) != 0)
		h->done = true;
	wake(h);
}

static void set_timer(struct stream *s, uint32_t ms,
		      void (*fire)(struct wheel_timer *t))
{
	wheel_clear(&s->timer);
	s->timer.fire = fire;
	wheel_set(&s->x.front->wheel, &s->timer, ms);
}

/* Within a head no other frame may come: the whole connection waits for it. */
static void on_slow_head(struct wheel_timer *t)
{
	http2_terminate(stream_of_timer(t)->h, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void on_slow_body(struct wheel_timer *t)
{
	exchange_refuse(&stream_of_timer(t)->x, SG_SLOW_CLIENT, NULL);
}

static void reset(struct stream *s, uint32_t code)
{
	wheel_clear(&s->timer);
	if (nghttp2_submit_rst_stream(s->h->session, NGHTTP2_FLAG_NONE, s->id,
				      code) != 0)
		s->h->done = true;
	wake(s->h);
}

static void on_slow_reader(struct wheel_timer *t)
{
	reset(stream_of_timer(t), NGHTTP2_CANCEL);
}

/* It still sends a request that is answered: RFC 9113, section 8.1. */
static void on_lingered(struct wheel_timer *t)
{
	reset(stream_of_timer(t), NGHTTP2_NO_ERROR);
}

/* --- answers -------------------------------------------------------------- */

static nghttp2_nv nv_of(const char *name, struct span value)
{
	/* The library copies both; its type has no const.
	 * NOLINTBEGIN(performance-no-int-to-ptr) */
	return (nghttp2_nv){
		.name = (uint8_t *)(uintptr_t)name,
		.namelen = strlen(name),
		.value = (uint8_t *)(uintptr_t)value.p,
		.valuelen = value.n,
	};
	/* NOLINTEND(performance-no-int-to-ptr) */
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static ssize_t on_reply_read(nghttp2_session *session, int32_t id, uint8_t *buf,
			     size_t cap, uint32_t *flags,
			     nghttp2_data_source *source, void *ctx)
{
	struct stream *s = source->ptr;
	const size_t n = bytes_take(&s->reply, buf, cap);

	(void)session;
	(void)id;
	(void)ctx;
	if (!s->x.streaming)
		s->h->queued -= n;
	else if (n > 0 && !s->x.answered)
		api_room(&s->x);
	if (s->reply.len == 0 && s->x.answered)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	else if (n == 0)
		return NGHTTP2_ERR_DEFERRED;
	return (ssize_t)n;
}

static int submit(struct stream *s, const struct http_reply *r)
{
	enum { OWN_FIELDS = 4, NUMBER_BYTES = 24 };
	const struct front *f = s->x.front;
	nghttp2_nv nv[OWN_FIELDS + REPLY_HEADERS_MAX];
	char status[NUMBER_BYTES];
	char length[NUMBER_BYTES];
	nghttp2_data_provider data = {.source.ptr = s,
				      .read_callback = on_reply_read};
	size_t n = 0;

	(void)snprintf(status, sizeof(status), "%03d", r->status);
	(void)snprintf(length, sizeof(length), "%zu", r->body.n);
	nv[n++] = nv_of(":status", span_str(status));
	nv[n++] = nv_of("date", span_str(f->date));
	if (!s->x.streaming)
		nv[n++] = nv_of("content-length", span_str(length));
	if (r->content_type != NULL)
		nv[n++] = nv_of("content-type", span_str(r->content_type));
	for (size_t i = 0; i < r->nheaders; i++) {
		nv[n] = nv_of(r->header[i].name, r->header[i].value);
		/* Another one each time: not worth a place in HPACK's table. */
		if (strcmp(r->header[i].name, EXCHANGE_NAME_HEADER) == 0)
			nv[n].flags = NGHTTP2_NV_FLAG_NO_INDEX;
		n++;
	}
	return nghttp2_submit_response(
		s->h->session, s->id, nv, n,
		s->reply.len > 0 || s->x.streaming ? &data : NULL);
}

static void http2_reply(struct exchange *x, const struct http_reply *r)
{
	struct stream *s = stream_of(x);
	struct http2 *h = s->h;
	const bool with_body = x->request.method != HTTP_HEAD;

	if (with_body && bytes_add(&s->reply, r->body) != SG_OK)
		h->done = true;
	h->queued += s->reply.len;
	if (submit(s, r) != 0)
		h->done = true;
	set_timer(s, SEND_MS, on_slow_reader);
	wake(h);
}

static void http2_stream(struct exchange *x)
{
	struct stream *s = stream_of(x);

	wheel_clear(&s->timer);
	s->h->streaming++;
	if (nghttp2_session_set_local_window_size(s->h->session,
						  NGHTTP2_FLAG_NONE, s->id,
						  STREAM_WINDOW) != 0)
		s->h->done = true;
}

static void http2_took(struct exchange *x, size_t n)
{
	const struct stream *s = stream_of(x);

	if (nghttp2_session_consume_stream(s->h->session, s->id, n) != 0)
		s->h->done = true;
	wake(s->h);
}

static void http2_begin(struct exchange *x, const struct http_reply *r)
{
	struct stream *s = stream_of(x);

	if (submit(s, r) != 0)
		s->h->done = true;
	wake(s->h);
}

/* There is more of the answer, or its end. */
static void resume(struct stream *s)
{
	/* That it has not asked for more yet is no fault. */
	(void)nghttp2_session_resume_data(s->h->session, s->id);
	wake(s->h);
}

static enum sg_err http2_write(struct exchange *x, struct span run)
{
	struct stream *s = stream_of(x);
	const enum sg_err err = bytes_add(&s->reply, run);

	if (err != SG_OK)
		s->h->done = true;
	resume(s);
	return err;
}

static void http2_end_answer(struct exchange *x)
{
	struct stream *s = stream_of(x);

	set_timer(s, STREAM_SEND_MS, on_slow_reader);
	resume(s);
}

static size_t http2_waiting(const struct exchange *x)
{
	return ((const struct stream *)x)->reply.len;
}

static const struct exchange_transport TRANSPORT = {
	.reply = http2_reply,
	.stream = http2_stream,
	.took = http2_took,
	.begin = http2_begin,
	.write = http2_write,
	.finish = http2_end_answer,
	.waiting = http2_waiting,
};

/* --- the request ---------------------------------------------------------- */

struct stream *stream_create(struct http2 *h, int32_t id)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	h->http.host->name = request_id_next(h->http.host->name);
	s->x = (struct exchange){
		.name = h->http.host->name,
		.door = h->http.host->door,
		.peer = h->http.host->peer,
		.front = h->http.host->front,
		.opened_us = clock_mono_us(),
		.transport = &TRANSPORT,
	};
	s->h = h;
	s->id = id;
	s->next = h->first;
	if (s->next != NULL)
		s->next->prev = s;
	h->first = s;
	set_timer(s, settings_of(s)->header_ms, on_slow_head);
	return s;
}

void stream_free(struct stream *s)
{
	struct http2 *h = s->h;

	wheel_clear(&s->timer);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		h->first = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (s->x.streaming)
		h->streaming--;
	else
		h->queued -= s->reply.len;
	bytes_free(&s->reply);
	exchange_gone(&s->x);
	head_clear(&s->head);
	free(s);
}

static enum head_field field_of(struct span name)
{
	if (span_is(name, ":authority"))
		return HEAD_HOST;
	/* "host" beside it would be a second one; nobody reads either. */
	return span_is(name, "host") ? HEAD_IGNORED : head_field_of(name);
}

enum sg_err stream_field(struct stream *s, struct span name, struct span value)
{
	const size_t max = settings_of(s)->header_bytes_max;

	s->head_bytes += name.n + value.n + FIELD_OVERHEAD;
	/* A small frame can unfold to a very large head. */
	if (s->head_bytes > HEAD_FACTOR_MAX * max)
		return SG_TOO_BIG;
	if (s->head_bytes > max)
		s->fault = SG_TOO_BIG;
	if (s->fault == SG_OK)
		s->fault = head_put(&s->head, field_of(name), value);
	return SG_OK;
}

static bool read_length(const struct http_head *head, struct http_request *r)
{
	const struct span text = head_get(head, HEAD_CONTENT_LENGTH);

	r->has_length = head_has(head, HEAD_CONTENT_LENGTH);
	for (size_t i = 0; i < text.n; i++) {
		const uint8_t c = text.p[i];

		if (c < '0' || c > '9' || r->length > UINT64_MAX / 10 - 1)
			return false;
		r->length = r->length * 10 + (uint64_t)(c - '0');
	}
	return !r->has_length || text.n > 0;
}

static void open_exchange(struct stream *s)
{
	/* A client that is none any more takes its connection with it. */
	if (!exchange_open(&s->x))
		s->h->http.ops->finish(&s->h->http, true);
}

void stream_head(struct stream *s)
{
	struct http_request *r = &s->x.request;
	char text[EXCHANGE_DETAIL_MAX];

	s->head_done = true;
	set_timer(s, settings_of(s)->body_ms, on_slow_body);
	if (s->fault == SG_OK &&
	    (head_request(&s->head, r) != SG_OK || !read_length(&s->head, r)))
		s->fault = SG_MALFORMED;
	if (s->fault != SG_OK) {
		exchange_refuse(&s->x, s->fault,
				s->fault == SG_TOO_BIG
					? "the headers are too large"
					: "not a well-formed HTTP request");
		return;
	}
	open_exchange(s);
	if (r->length > settings_of(s)->body_bytes_max && !s->x.streaming)
		exchange_refuse(&s->x, SG_TOO_BIG,
				exchange_too_large(&s->x, text));
}

/* The window opens again as data is taken: of a stream when the API has used
 * it, so that its sender cannot fill our memory; the connection's at once, so
 * that one stream does not hold up the others. */
static void give_window(struct stream *s, size_t n)
{
	nghttp2_session *session = s->h->session;
	const bool later = s->x.streaming && !s->x.answered;

	if (nghttp2_session_consume_connection(session, n) != 0 ||
	    (!later && nghttp2_session_consume_stream(session, s->id, n) != 0))
		s->h->done = true;
}

void stream_data(struct stream *s, struct span data)
{
	give_window(s, data.n);
	if (!s->x.answered) {
		exchange_data(&s->x, data);
		return;
	}
	if (!s->x.streaming && s->discarded <= LINGER_BYTES &&
	    data.n > LINGER_BYTES - s->discarded)
		reset(s, NGHTTP2_NO_ERROR);
	s->discarded += data.n;
}

static void linger(struct stream *s)
{
	const bool patient = s->x.streaming && !s->h->finishing;

	set_timer(s, patient ? STREAM_LINGER_MS : LINGER_MS, on_lingered);
}

void stream_sent(struct stream *s)
{
	if (!s->ended)
		linger(s);
}

void stream_finish(struct stream *s)
{
	if (s->x.streaming && !s->x.answered)
		api_cut(&s->x, SG_CLOSED, NULL);
	else if (s->timer.fire == on_lingered)
		linger(s);
}

void stream_end(struct stream *s)
{
	s->ended = true;
	if (s->x.answered)
		return; /* the timer is the answer's */
	wheel_clear(&s->timer);
	exchange_end(&s->x);
}
