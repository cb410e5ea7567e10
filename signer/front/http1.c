/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/request_id.h"
#include "http.h"
#include "http1_reader.h"

enum {
	/* Around a chunk: its size in hex, two line ends; the last chunk. */
	CHUNK_FRAMING = 8 + 4 + 5,
	/* After a stream's answer the rest of its request is read away so
	 * long: a client that sends all before it reads finds the answer. */
	STREAM_LINGER_MS = 60000
};

/*
 * One request at a time: the next one is read when the answer of the one
 * before has been pulled.  What was pipelined stays with the connection.
 */
struct http1 {
	struct http http; /* first: a struct http * is one to this */
	struct http1_reader *reader;
	struct wheel_timer timer; /* idle, head or body, by its function */
	struct exchange x;
	bool open;	/* X is a request, from its first byte on */
	bool minor0;	/* of HTTP/1.0 */
	bool head_done; /* its head has been read */
	bool ended;	/* its body, too */
	bool close;	/* no request after this one */
	bool finishing; /* the server wants the connection's end */
	bool deaf;	/* nothing more is read */
	bool done;
	bool last_chunk; /* of a stream's answer: it is in OUT */
	struct bytes out;
	struct bytes chunk; /* of a stream's answer: goes after OUT */
};

static struct http1 *http1_of(struct http *h)
{
	return (struct http1 *)h;
}

static struct http1 *http1_of_exchange(struct exchange *x)
{
	return (struct http1 *)((char *)x - offsetof(struct http1, x));
}

static struct http1 *http1_of_timer(struct wheel_timer *t)
{
	return (struct http1 *)((char *)t - offsetof(struct http1, timer));
}

static void wake(struct http1 *h)
{
	h->http.host->wake(h->http.host);
}

static void set_timer(struct http1 *h, uint32_t ms,
		      void (*fire)(struct wheel_timer *t))
{
	wheel_clear(&h->timer);
	h->timer.fire = fire;
	wheel_set(&h->http.host->front->wheel, &h->timer, ms);
}

/* The request has no future, and neither has the connection. */
static void refuse(struct http1 *h, enum sg_err e, const char *detail)
{
	h->close = true;
	h->deaf = true;
	wheel_clear(&h->timer);
	exchange_refuse(&h->x, e, detail);
	wake(h);
}

static void on_idle(struct wheel_timer *t)
{
	struct http1 *h = http1_of_timer(t);

	h->done = true;
	wake(h);
}

static void on_slow(struct wheel_timer *t)
{
	refuse(http1_of_timer(t), SG_SLOW_CLIENT, NULL);
}

/* --- answers -------------------------------------------------------------- */

static enum sg_err add_head(struct http1 *h, const struct http_reply *r)
{
	const struct front *f = h->http.host->front;
	char length[48] = "transfer-encoding: chunked\r\n";
	char line[256];
	int n;

	if (!h->x.streaming)
		(void)snprintf(length, sizeof(length),
			       "content-length: %zu\r\n", r->body.n);
	else if (h->minor0)
		length[0] = '\0'; /* the connection's end is the answer's */
	n = snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\ndate: %s\r\n%s%s",
		     r->status, http_reason(r->status), f->date, length,
		     h->close ? "connection: close\r\n" : "");
	if (n < 0 || (size_t)n >= sizeof(line))
		return SG_INTERNAL;
	return bytes_add(&h->out, span_of(line, (size_t)n));
}

static enum sg_err add_field(struct http1 *h, const char *name,
			     struct span value)
{
	enum sg_err err = bytes_add(&h->out, span_str(name));

	if (err == SG_OK)
		err = bytes_add(&h->out, SPAN_LIT(": "));
	if (err == SG_OK)
		err = bytes_add(&h->out, value);
	if (err == SG_OK)
		err = bytes_add(&h->out, SPAN_LIT("\r\n"));
	return err;
}

static enum sg_err add_reply(struct http1 *h, const struct http_reply *r)
{
	enum sg_err err = add_head(h, r);

	if (err == SG_OK && r->content_type != NULL)
		err = add_field(h, "content-type", span_str(r->content_type));
	for (size_t i = 0; err == SG_OK && i < r->nheaders; i++)
		err = add_field(h, r->header[i].name, r->header[i].value);
	if (err == SG_OK)
		err = bytes_add(&h->out, SPAN_LIT("\r\n"));
	if (err == SG_OK && h->x.request.method != HTTP_HEAD)
		err = bytes_add(&h->out, r->body);
	return err;
}

/* Half an answer is worse than none: the connection breaks off. */
static void break_off(struct http1 *h)
{
	bytes_free(&h->out);
	bytes_free(&h->chunk);
	h->done = true;
	wake(h);
}

static void http1_reply(struct exchange *x, const struct http_reply *r)
{
	struct http1 *h = http1_of_exchange(x);

	if (r->close)
		h->close = true;
	if (add_reply(h, r) != SG_OK)
		break_off(h);
	wake(h);
}

/* The end of a stream's answer, once all of it is pulled. */
static void end_chunks(struct http1 *h)
{
	if (!h->x.streaming || !h->x.answered || h->chunk.len > 0 ||
	    h->last_chunk)
		return;
	h->last_chunk = true;
	if (!h->minor0 && bytes_add(&h->out, SPAN_LIT("0\r\n\r\n")) != SG_OK)
		break_off(h);
}

static void http1_stream(struct exchange *x)
{
	struct http1 *h = http1_of_exchange(x);

	wheel_clear(&h->timer);
	http1_reader_stream(h->reader);
}

static void http1_took(struct exchange *x, size_t n)
{
	(void)n;
	wake(http1_of_exchange(x)); /* what is held may go on */
}

static void http1_begin(struct exchange *x, const struct http_reply *r)
{
	http1_reply(x, r);
}

static enum sg_err http1_write(struct exchange *x, struct span run)
{
	struct http1 *h = http1_of_exchange(x);
	const enum sg_err err = bytes_add(&h->chunk, run);

	if (err != SG_OK)
		break_off(h);
	wake(h);
	return err;
}

static void http1_end_answer(struct exchange *x)
{
	struct http1 *h = http1_of_exchange(x);

	end_chunks(h);
	if (!h->ended)
		set_timer(h, STREAM_LINGER_MS, on_slow);
	wake(h);
}

static size_t http1_waiting(const struct exchange *x)
{
	const struct http1 *h =
		(const struct http1 *)((const char *)x -
				       offsetof(struct http1, x));

	return h->chunk.len;
}

static const struct exchange_transport TRANSPORT = {
	.reply = http1_reply,
	.stream = http1_stream,
	.took = http1_took,
	.begin = http1_begin,
	.write = http1_write,
	.finish = http1_end_answer,
	.waiting = http1_waiting,
};

/* --- requests ------------------------------------------------------------- */

static void begin(struct http1 *h)
{
	struct http_host *host = h->http.host;
	const struct front_settings *s = &host->front->settings;

	host->name = request_id_next(host->name);
	h->x = (struct exchange){
		.door = host->door,
		.name = host->name,
		.peer = host->peer,
		.front = host->front,
		.opened_us = clock_mono_us(),
		.transport = &TRANSPORT,
	};
	h->open = true;
	h->head_done = false;
	h->ended = false;
	h->last_chunk = false;
	/* As much framing as there may be body: 1-byte chunks are not for us.
	 */
	http1_reader_next(h->reader, s->header_bytes_max,
			  s->body_bytes_max + s->header_bytes_max);
	set_timer(h, s->header_ms, on_slow);
}

/* The answer is out and the request read to its end, or given up: the
 * exchange is over. */
static void settle(struct http1 *h)
{
	if (!h->open || !h->x.answered || h->out.len > 0 || h->chunk.len > 0)
		return;
	if (!h->ended && !h->close)
		return; /* the rest of the body is read away first */
	exchange_gone(&h->x);
	h->open = false;
	if (h->close) {
		h->done = true;
		wheel_clear(&h->timer);
		return;
	}
	http1_reader_next(h->reader, 0, 0); /* frees the head */
	set_timer(h, h->http.host->front->settings.idle_ms, on_idle);
}

/* The server goes: a stream comes to its end. */
static void cut_stream(struct http1 *h)
{
	if (h->x.streaming && !h->x.answered)
		api_cut(&h->x, SG_CLOSED, NULL);
}

static enum sg_err on_head(void *ctx, const struct http1_head *head)
{
	struct http1 *h = ctx;
	struct exchange *x = &h->x;
	const struct front_settings *s = &x->front->settings;

	h->head_done = true;
	h->minor0 = head->minor0;
	if (head->minor0 || !head->keep_alive)
		h->close = true;
	if (head_request(head->fields, &x->request) != SG_OK)
		return SG_MALFORMED;
	x->request.has_length = head->has_length;
	x->request.length = head->length;
	if (head->has_body)
		set_timer(h, s->body_ms, on_slow);
	else
		wheel_clear(&h->timer);
	(void)exchange_open(x); /* the refusal closes */
	if (h->finishing)
		cut_stream(h); /* which came too late to be told */
	if (head->length > s->body_bytes_max && !x->streaming)
		return SG_TOO_BIG;
	if (!head->expect || !head->has_body)
		return SG_OK;
	if (x->answered) {
		/* Nobody can say whether the body comes now. */
		h->close = true;
		h->deaf = true;
		return SG_OK;
	}
	wake(h);
	return bytes_add(&h->out, SPAN_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
}

static enum sg_err on_body(void *ctx, struct span data)
{
	struct http1 *h = ctx;

	exchange_data(&h->x, data);
	return SG_OK;
}

static const struct http1_events EVENTS = {.head = on_head, .body = on_body};

static void end_request(struct http1 *h)
{
	h->ended = true;
	wheel_clear(&h->timer);
	exchange_end(&h->x);
}

static const char *detail_of(const struct http1 *h, enum sg_err err)
{
	if (err == SG_TOO_BIG)
		return h->head_done
			       ? "the body is too large"
			       : "the request line and headers are too large";
	return err == SG_MALFORMED ? "not a well-formed HTTP request" : NULL;
}

static size_t http1_feed(struct http *http, struct span in)
{
	struct http1 *h = http1_of(http);
	size_t used;
	bool ended;
	enum sg_err err;

	if (h->done || h->deaf)
		return in.n;
	if (h->open &&
	    (h->ended || (!h->x.answered && h->x.owed >= EXCHANGE_BACKLOG_MAX)))
		return 0;
	if (!h->open)
		begin(h);
	err = http1_reader_feed(h->reader, in, &used, &ended);
	if (err != SG_OK) {
		refuse(h, err, detail_of(h, err));
		return in.n;
	}
	if (ended)
		end_request(h);
	settle(h);
	return h->deaf ? in.n : used;
}

/* A chunk of a stream's answer: as much as there is and fits (RFC 9112,
 * section 7.1). */
static size_t pull_chunk(struct http1 *h, uint8_t *out, size_t cap)
{
	size_t len = h->chunk.len;
	size_t n = 0;

	if (cap <= CHUNK_FRAMING)
		return 0;
	if (len > cap - CHUNK_FRAMING)
		len = cap - CHUNK_FRAMING;
	if (!h->minor0)
		n = (size_t)snprintf((char *)out, CHUNK_FRAMING, "%zx\r\n",
				     len);
	n += bytes_take(&h->chunk, out + n, len);
	if (!h->minor0) {
		out[n++] = '\r';
		out[n++] = '\n';
	}
	if (!h->x.answered)
		api_room(&h->x);
	end_chunks(h);
	return n + bytes_take(&h->out, out + n, cap - n);
}

static size_t http1_pull(struct http *http, uint8_t *out, size_t cap)
{
	struct http1 *h = http1_of(http);
	size_t n = bytes_take(&h->out, out, cap);

	if (h->out.len == 0 && h->chunk.len > 0)
		n += pull_chunk(h, out + n, cap - n);
	settle(h);
	return n;
}

static bool http1_done(const struct http *http)
{
	return ((const struct http1 *)http)->done;
}

static size_t http1_queued(const struct http *http)
{
	return ((const struct http1 *)http)->out.len;
}

static bool http1_streaming(const struct http *http)
{
	const struct http1 *h = (const struct http1 *)http;

	return h->open && h->x.streaming;
}

static void http1_finish(struct http *http, bool now)
{
	struct http1 *h = http1_of(http);

	h->close = true;
	h->finishing = true;
	if (!h->open || (now && !h->ended && !h->x.answered))
		h->done = true;
	else if (!now)
		cut_stream(h);
	wake(h);
}

static void http1_free(struct http *http)
{
	struct http1 *h = http1_of(http);

	wheel_clear(&h->timer);
	if (h->open)
		exchange_gone(&h->x);
	bytes_free(&h->out);
	bytes_free(&h->chunk);
	http1_reader_free(h->reader);
	free(h);
}

static const struct http_ops OPS = {
	.feed = http1_feed,
	.pull = http1_pull,
	.done = http1_done,
	.queued = http1_queued,
	.streaming = http1_streaming,
	.finish = http1_finish,
	.free = http1_free,
};

enum sg_err http1_create(struct http_host *host, struct http **out)
{
	struct http1 *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return SG_NO_MEMORY;
	h->http = (struct http){.ops = &OPS, .host = host};
	if (http1_reader_create(&EVENTS, h, &h->reader) != SG_OK) {
		free(h);
		return SG_NO_MEMORY;
	}
	set_timer(h, host->front->settings.idle_ms, on_idle);
	*out = &h->http;
	return SG_OK;
}
