/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HTTP2_STREAM_H
#define SG_HTTP2_STREAM_H

#include <nghttp2/nghttp2.h>

#include "front/bytes.h"
#include "front/http.h"
#include "front/http_head.h"

/*
 * http2_stream: one request and its answer in an HTTP/2 connection; the inside
 * of http2.c, which drives it by what the session reports.
 */
struct http2_bucket { /* leaks */
	uint64_t at_us, n;
};

struct http2 {
	struct http http; /* first: a struct http * is one to this */
	nghttp2_session *session;
	struct wheel_timer timer; /* without streams: idle; or goodbye */
	struct stream *first;
	size_t queued;		      /* bytes of answers not pulled yet */
	unsigned streaming;	      /* exchanges that are streams */
	struct http2_bucket controls; /* frames that ask for nothing */
	struct http2_bucket resets;   /* that the client brought us to */
	struct span frame; /* pulled from the session, not copied yet */
	bool finishing, said_goodbye, done;
};

struct stream {
	struct exchange x;
	struct http2 *h;
	struct stream *prev, *next;
	int32_t id;
	bool head_done, ended;
	enum sg_err fault; /* found while the head was read */
	size_t head_bytes;
	size_t discarded; /* of the body, after the answer */
	struct http_head head;
	struct bytes reply;
	struct wheel_timer timer; /* head, body or answer, by its function */
};

/* The stream's head begins.  NULL: out of memory. */
struct stream *stream_create(struct http2 *h, int32_t id);
/* A field of the head.  Errors: SG_TOO_BIG: the connection is not worth to be
 * kept; what is wrong with this request alone is kept for stream_head(). */
SG_MUST_USE enum sg_err stream_field(struct stream *s, struct span name,
				     struct span value);
/* The head is complete. */
void stream_head(struct stream *s);
/* The request is. */
void stream_end(struct stream *s);
/* A run of the body. */
void stream_data(struct stream *s, struct span data);
/* The answer is out; the request may not be in. */
void stream_sent(struct stream *s);
/* The connection comes to its end: so does a stream of requests, and nothing
 * is waited for that is answered. */
void stream_finish(struct stream *s);
void stream_free(struct stream *s);

/* End the connection with GOAWAY, whatever is in flight. */
void http2_terminate(struct http2 *h, uint32_t code);

#endif /* SG_HTTP2_STREAM_H */
