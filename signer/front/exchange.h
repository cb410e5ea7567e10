/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_EXCHANGE_H
#define SG_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/*
 * exchange: one HTTP request and its response, the same for HTTP/1.1 and
 * HTTP/2.  The transport (http1, http2) owns it and calls the api_*
 * functions; the API answers by exchange_*.  Loop thread only.
 *
 *	api_open	headers are in; may answer already
 *	api_data	a run of the body, 0 or more times
 *	api_end		the body has ended
 *	api_gone	last call: the exchange is over or its peer is gone;
 *			the API forgets it (and frees x->api)
 *
 * Once answered, the API still gets api_gone, but no more api_data/api_end.
 */
struct peer; /* who is at the other end: see peer.h */
struct front;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

struct http_request {
	enum http_method method;
	struct span path;  /* without query, as sent: no decoding is done */
	struct span query; /* without '?' */
	/* Headers that the API reads; n is 0 when absent.  Spans are valid
	 * until api_gone. */
	struct span content_type, accept, accept_language, content_encoding;
	bool has_length;
	uint64_t length; /* Content-Length */
};

struct exchange {
	struct http_request request;
	const struct peer *peer; /* NULL on the plain ops listener */
	struct front *front;
	uint64_t opened_us;  /* CLOCK_MONOTONIC: first byte of the request */
	void *api;	     /* the API's own state for this exchange */
	bool answered;
	const struct exchange_transport *transport;
};

struct http_header {
	const char *name; /* lower case */
	struct span value;
};

enum { REPLY_HEADERS_MAX = 8 };

struct http_reply {
	int status;
	const char *content_type; /* NULL: no body */
	size_t nheaders;
	struct http_header header[REPLY_HEADERS_MAX];
	struct span body; /* borrowed for the call */
	bool close;	  /* HTTP/1.1: close afterwards */
};

struct exchange_transport {
	void (*reply)(struct exchange *x, const struct http_reply *r);
};

/* Answer X, once, from inside an api_* call or any time later.  The transport
 * adds date, content-length, connection; HEAD bodies are dropped.  Records
 * the metrics of the response. */
void exchange_reply(struct exchange *x, const struct http_reply *r);

/* --- implemented by the API (api.c), called by the transport ------------- */
void api_open(struct exchange *x);
void api_data(struct exchange *x, struct span data);
void api_end(struct exchange *x);
void api_gone(struct exchange *x);
/* A problem found by the transport itself (bad framing, too large headers,
 * slow sender) where an exchange exists or could be made: the body of a
 * problem+json for E with DETAIL, into OUT.  Returns its length. */
size_t api_problem_body(enum sg_err e, const char *detail, char *out,
			size_t cap);

#endif /* SG_EXCHANGE_H */
