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
 *
 * A stream (exchange_stream(), from inside api_open) is a request of any
 * length whose answer flows while it comes: exchange_begin(), exchange_write()
 * any number of times, exchange_finish(), after which it is answered.  What
 * the API was given it pays back with exchange_took() when it is done with it;
 * with EXCHANGE_BACKLOG_MAX bytes owed the transport reads no further.  The
 * API looks after a stream's patience by itself, and has:
 *
 *	api_room	some of the answer has left
 *	api_cut		no more of the request will come, for the reason given:
 *			in place of api_end; or the answer should come to its
 *			end (SG_CLOSED: the server is going)
 *
 * The transport may answer by itself after api_open (a body that is too large
 * or too slow): then api_gone comes first, and the API must not answer any
 * more.  Body limits and timeouts are the transport's work.
 *
 * Unit tests of the transport define the api_* functions themselves.
 */
struct peer; /* who is at the other end: see peer.h */
struct front;

/* Which listener a request came in by. */
enum door {
	DOOR_CLIENTS, /* TLS, with a client's certificate */
	DOOR_OPS,     /* plain, for the operators */
	DOOR_PUBLIC,  /* plain, for anybody */
	DOOR_COUNT
};

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
	const struct peer *peer; /* NULL but for DOOR_CLIENTS */
	struct front *front;
	uint64_t opened_us; /* CLOCK_MONOTONIC: first byte of the request */
	uint64_t name;	    /* in the log: base/request_id.h */
	void *api;	    /* the API's own state for this exchange */
	const char *route;  /* the API's: where it goes; static, or NULL */
	enum door door;
	bool answered; /* a stream: wholly */
	bool streaming;
	bool given; /* the transport's: api_open was called, api_gone not yet */
	size_t owed; /* bytes of a stream's request that the API works on */
	const struct exchange_transport *transport;
	size_t body_bytes; /* the transport's: of the body, so far */
};

/* The request's name, for its client. */
#define EXCHANGE_NAME_HEADER "signer-request"

struct http_header {
	const char *name; /* lower case */
	struct span value;
};

enum { REPLY_HEADERS_MAX = 8, REPLY_HEADERS_ADDED = 3 };

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
	/* Of a stream: */
	void (*stream)(struct exchange *x); /* its body has no limits */
	void (*took)(struct exchange *x, size_t n);
	void (*begin)(struct exchange *x, const struct http_reply *r);
	enum sg_err (*write)(struct exchange *x, struct span run);
	void (*finish)(struct exchange *x);
	size_t (*waiting)(const struct exchange *x);
};

enum {
	/* Of one stream, in the API: then its sender has to wait. */
	EXCHANGE_BACKLOG_MAX = 128 * 1024
};

/* Answer X, once, from inside an api_* call or any time later.  The transport
 * adds date, content-length, connection; HEAD bodies are dropped.  A client
 * with a certificate gets vary and signer-request; but for what was read with
 * GET, everybody but the operators gets cache-control: no-store;
 * REPLY_HEADERS_ADDED of them. Records the metrics of the response. */
void exchange_reply(struct exchange *x, const struct http_reply *r);

/* X is a stream, whatever its length. */
void exchange_stream(struct exchange *x);
/* N bytes of X's request need no more room. */
void exchange_took(struct exchange *x, size_t n);
/* The head of a stream's answer; R has no body. */
void exchange_begin(struct exchange *x, const struct http_reply *r);
/* A run of it.  Errors: SG_NO_MEMORY: the answer is broken off. */
SG_MUST_USE enum sg_err exchange_write(struct exchange *x, struct span run);
/* Its end.  What still comes of the request is read away for a while. */
void exchange_finish(struct exchange *x);
/* Bytes of a stream's answer that wait for their reader. */
size_t exchange_waiting(const struct exchange *x);

/* --- implemented by the API (api.c), called by the transport ------------- */
/*
 * The API's working memory; front_run() makes it, once, as front->api, before
 * the first exchange, and frees it after the last one.
 * Errors: SG_NO_MEMORY.
 */
struct api;
SG_MUST_USE enum sg_err api_create(struct api **out);
void api_free(struct api *a); /* NULL is allowed */
void api_open(struct exchange *x);
void api_data(struct exchange *x, struct span data);
void api_end(struct exchange *x);
void api_gone(struct exchange *x);
void api_room(struct exchange *x);
/* DETAIL may be NULL. */
void api_cut(struct exchange *x, enum sg_err e, const char *detail);
/* Once a turn of the loop, after its I/O: streams go on with what has come. */
void api_turn(struct api *a);
/* There is work for api_turn() already. */
bool api_turn_due(const struct api *a);
/* A problem found by the transport itself (bad framing, too large headers,
 * slow sender) where an exchange exists or could be made: the body of a
 * problem+json for E with DETAIL, into OUT.  Returns its length. */
size_t api_problem_body(enum sg_err e, const char *detail, char *out,
			size_t cap);

/* --- for the transport ---------------------------------------------------- */

/* The request is complete up to its body: give X to the API.  False: the
 * client's certificate has run out meanwhile; X is answered 401, and the
 * connection has to go. */
bool exchange_open(struct exchange *x);
/* A run of the body.  Answers 413 beyond the limit of one request, 503 beyond
 * what all bodies together may take; an answered exchange drops it.  A stream
 * has no limit of its own. */
void exchange_data(struct exchange *x, struct span data);
void exchange_end(struct exchange *x);
/* The response has left, or its reader: no more calls for X. */
void exchange_gone(struct exchange *x);
/* The transport's own answer, in place of the API's: a problem for E, after
 * which the connection (HTTP/1.1) closes.  A stream that has begun is cut: the
 * API tells its client.  Nothing if X is answered. */
void exchange_refuse(struct exchange *x, enum sg_err e, const char *detail);
/* Write to TEXT that a body is larger than the limit of X's front, for its
 * client.  Returns TEXT. */
enum { EXCHANGE_DETAIL_MAX = 96 };
const char *exchange_too_large(const struct exchange *x,
			       char text[EXCHANGE_DETAIL_MAX]);

#endif /* SG_EXCHANGE_H */
