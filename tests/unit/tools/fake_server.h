/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_FAKE_SERVER_H
#define SG_TEST_FAKE_SERVER_H

/*
 * fake_server: the other end of one stream, without a socket: it takes the
 * bytes that the stream would send, keeps the request's body, and gives the
 * bytes of an answer.  In HTTP/1.1 and HTTP/2.
 */
#include <cmocka.h>

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/stream.h"

enum { FAKE_MAX = 1 << 20 };

struct fake_server {
	bool http2;
	bool ended; /* the request has */
	size_t body_n, head_n, out_n;
	uint8_t head[4096]; /* HTTP/1.1: as it came; HTTP/2: "name: value\n" */
	uint8_t body[FAKE_MAX];
	uint8_t out[FAKE_MAX]; /* for the stream */
	/* HTTP/1.1 */
	size_t raw_n;
	uint8_t raw[FAKE_MAX];
	/* HTTP/2 */
	nghttp2_session *h2;
	int32_t id;
	size_t wait_n; /* bytes of the answer's body not taken yet */
	uint8_t wait[FAKE_MAX];
	bool last;
};

static inline void fake_append(uint8_t *to, size_t *n, const void *p,
			       size_t more)
{
	assert_true(*n + more <= FAKE_MAX);
	memcpy(to + *n, p, more);
	*n += more;
}

static inline int fake_header(nghttp2_session *h2, const nghttp2_frame *frame,
			      const uint8_t *name, size_t name_n,
			      const uint8_t *value, size_t value_n,
			      uint8_t flags, void *ctx)
{
	struct fake_server *f = ctx;

	(void)h2;
	(void)flags;
	f->id = frame->hd.stream_id;
	f->head_n += (size_t)snprintf(
		(char *)f->head + f->head_n, sizeof(f->head) - f->head_n,
		"%.*s: %.*s\n", (int)name_n, (const char *)name, (int)value_n,
		(const char *)value);
	return 0;
}

static inline int fake_data(nghttp2_session *h2, uint8_t flags, int32_t id,
			    const uint8_t *data, size_t n, void *ctx)
{
	struct fake_server *f = ctx;

	(void)h2;
	(void)flags;
	(void)id;
	fake_append(f->body, &f->body_n, data, n);
	return 0;
}

static inline int fake_frame(nghttp2_session *h2, const nghttp2_frame *frame,
			     void *ctx)
{
	struct fake_server *f = ctx;

	(void)h2;
	if (frame->hd.stream_id != 0 &&
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
		f->ended = true;
	return 0;
}

static inline ssize_t fake_read(nghttp2_session *h2, int32_t id, uint8_t *to,
				size_t cap, uint32_t *flags,
				nghttp2_data_source *source, void *ctx)
{
	struct fake_server *f = ctx;
	const size_t n = f->wait_n < cap ? f->wait_n : cap;

	(void)h2;
	(void)id;
	(void)source;
	memcpy(to, f->wait, n);
	memmove(f->wait, f->wait + n, f->wait_n - n);
	f->wait_n -= n;
	if (f->last && f->wait_n == 0)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	else if (n == 0)
		return NGHTTP2_ERR_DEFERRED;
	return (ssize_t)n;
}

static inline struct fake_server *fake_server(bool http2)
{
	struct fake_server *f = calloc(1, sizeof(*f));
	nghttp2_session_callbacks *c;

	assert_non_null(f);
	f->http2 = http2;
	if (!http2)
		return f;
	assert_int_equal(nghttp2_session_callbacks_new(&c), 0);
	nghttp2_session_callbacks_set_on_header_callback(c, fake_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, fake_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, fake_frame);
	assert_int_equal(nghttp2_session_server_new(&f->h2, c, f), 0);
	nghttp2_session_callbacks_del(c);
	assert_int_equal(
		nghttp2_submit_settings(f->h2, NGHTTP2_FLAG_NONE, NULL, 0), 0);
	return f;
}

static inline void fake_free(struct fake_server *f)
{
	nghttp2_session_del(f->h2);
	free(f);
}

/* All whole chunks of RAW. */
static inline void fake_chunks(struct fake_server *f)
{
	size_t at = 0;

	if (f->head_n == 0) {
		const uint8_t *end = memmem(f->raw, f->raw_n, "\r\n\r\n", 4);

		if (end == NULL)
			return;
		f->head_n = (size_t)(end - f->raw) + 4;
		assert_true(f->head_n < sizeof(f->head));
		memcpy(f->head, f->raw, f->head_n);
		at = f->head_n;
	}
	while (!f->ended) {
		const uint8_t *line =
			memmem(f->raw + at, f->raw_n - at, "\r\n", 2);
		size_t n;
		size_t begin;

		if (line == NULL)
			break;
		n = strtoul((const char *)f->raw + at, NULL, 16);
		begin = (size_t)(line - f->raw) + 2;
		if (begin + n + 2 > f->raw_n)
			break;
		assert_memory_equal(f->raw + begin + n, "\r\n", 2);
		fake_append(f->body, &f->body_n, f->raw + begin, n);
		f->ended = n == 0;
		at = begin + n + 2;
	}
	memmove(f->raw, f->raw + at, f->raw_n - at);
	f->raw_n -= at;
}

/* Take what the stream sends. */
static inline void fake_take(struct fake_server *f, const uint8_t *p, size_t n)
{
	if (!f->http2) {
		fake_append(f->raw, &f->raw_n, p, n);
		fake_chunks(f);
		return;
	}
	assert_int_equal(nghttp2_session_mem_recv(f->h2, p, n), n);
}

/* Begin the answer. */
static inline void fake_answer(struct fake_server *f, int status)
{
	char text[128];
	const int n = snprintf(text, sizeof(text),
			       "HTTP/1.1 %d X\r\ntransfer-encoding: "
			       "chunked\r\n\r\n",
			       status);
	const nghttp2_data_provider body = {.read_callback = fake_read};
	uint8_t name[] = ":status";
	char digits[4];
	nghttp2_nv nv = {.name = name,
			 .namelen = 7,
			 .value = (uint8_t *)digits,
			 .valuelen = 3};

	(void)snprintf(digits, sizeof(digits), "%03u", (unsigned)status % 1000);
	if (!f->http2)
		fake_append(f->out, &f->out_n, text, (size_t)n);
	else
		assert_int_equal(
			nghttp2_submit_response(f->h2, f->id, &nv, 1, &body),
			0);
}

/* More of its body; LAST: the end. */
static inline void fake_send(struct fake_server *f, struct span run, bool last)
{
	char head[16];

	if (f->http2) {
		fake_append(f->wait, &f->wait_n, run.p, run.n);
		f->last = f->last || last;
		(void)nghttp2_session_resume_data(f->h2, f->id);
		return;
	}
	if (run.n > 0) {
		fake_append(
			f->out, &f->out_n, head,
			(size_t)snprintf(head, sizeof(head), "%zx\r\n", run.n));
		fake_append(f->out, &f->out_n, run.p, run.n);
		fake_append(f->out, &f->out_n, "\r\n", 2);
	}
	if (last)
		fake_append(f->out, &f->out_n, "0\r\n\r\n", 5);
}

/* What it has for the stream, in OUT. */
static inline void fake_flush(struct fake_server *f)
{
	const uint8_t *p;
	ssize_t n;

	while (f->http2 && (n = nghttp2_session_mem_send(f->h2, &p)) > 0)
		fake_append(f->out, &f->out_n, p, (size_t)n);
}

#endif /* SG_TEST_FAKE_SERVER_H */
