/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HTTP1_READER_H
#define SG_HTTP1_READER_H

#include "front/http_head.h"

/*
 * http1_reader: one HTTP/1.x request after the other from a run of bytes
 * (RFC 9112).  Strict: what two readers could take differently is refused,
 * for behind such differences requests are smuggled: bare CR or LF, folded
 * fields, two lengths, a length and chunks, any coding but "chunked".  Pure.
 */
struct http1_reader; /* opaque */

struct http1_head {
	const struct http_head *fields; /* until http1_reader_next() */
	bool minor0;			/* HTTP/1.0 */
	bool keep_alive;
	bool expect;	 /* 100-continue */
	bool has_length; /* Content-Length */
	uint64_t length;
	bool has_body; /* LENGTH > 0, or chunks */
};

/* Anything but SG_OK from these stops the reader for good with that error. */
struct http1_events {
	enum sg_err (*head)(void *ctx, const struct http1_head *head);
	enum sg_err (*body)(void *ctx, struct span data);
};

/* EVENTS and CTX outlive it.  http1_reader_next() comes first.
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err http1_reader_create(const struct http1_events *events,
					    void *ctx,
					    struct http1_reader **out);
/* Begin the next request, with these limits in bytes: HEAD_MAX of the head as
 * sent, FRAMING_MAX of what chunks and trailers add to the body. */
void http1_reader_next(struct http1_reader *r, size_t head_max,
		       size_t framing_max);
/* The request being read is a stream: what its chunks add grows with it. */
void http1_reader_stream(struct http1_reader *r);
/*
 * Read from IN up to the end of the request, *USED bytes; *ENDED says that
 * it was met.
 * Errors: SG_MALFORMED, SG_BAD_METHOD (a request line whose method is none that
 * HTTP has), SG_TOO_BIG (the head, or the framing), SG_NO_MEMORY,
 * or an event's own.
 */
SG_MUST_USE enum sg_err http1_reader_feed(struct http1_reader *r,
					  struct span in, size_t *used,
					  bool *ended);
void http1_reader_free(struct http1_reader *r);

#endif /* SG_HTTP1_READER_H */
