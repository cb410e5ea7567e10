/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HTTP_H
#define SG_HTTP_H

#include "front/exchange.h"
#include "front/front_state.h"

/*
 * http: what HTTP/1.1 and HTTP/2 look like to the connection below them.
 * Bytes in by feed, bytes out by pull; neither knows of sockets or TLS, and
 * neither ends a connection: it says that it is done.
 */
struct http_host {
	struct front *front;
	enum door door;
	const struct peer *peer; /* NULL but for DOOR_CLIENTS */
	/* Of the newest request, or the connection before the first: names in
	 * the log, base/request_id.h. */
	uint64_t name;
	/* There is something to pull, or it is done.  May be called
	 * from anywhere, also from inside feed and pull. */
	void (*wake)(struct http_host *host);
};

struct http; /* the protocol's own */

struct http_ops {
	/* Take from IN; less than all when answers have to leave first. */
	size_t (*feed)(struct http *h, struct span in);
	/* Write at most CAP bytes of output; 0: nothing for now. */
	size_t (*pull)(struct http *h, uint8_t *out, size_t cap);
	/* Close the connection, now that all is pulled (pull gave 0). */
	bool (*done)(const struct http *h);
	/* Bytes of answers that wait to be pulled, streams left out: their
	 * input is held up by themselves. */
	size_t (*queued)(const struct http *h);
	/* A stream is open: the connection is given its patience. */
	bool (*streaming)(const struct http *h);
	/* Come to an end: what is in flight is finished.  When NOW, only
	 * what has come completely. */
	void (*finish)(struct http *h, bool now);
	/* Calls exchange_gone() for what is in flight. */
	void (*free)(struct http *h);
};

struct http {
	const struct http_ops *ops;
	struct http_host *host;
};

/* Owns: *OUT: (*OUT)->ops->free().  HOST outlives it.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err http1_create(struct http_host *host, struct http **out);
SG_MUST_USE enum sg_err http2_create(struct http_host *host, struct http **out);

/* IMF-fixdate of RFC 9110, section 5.6.7. */
void http_date(int64_t seconds, char out[HTTP_DATE_BYTES]);
/* Reason phrase; "Status" for one that is not in the list. */
const char *http_reason(int status);

#endif /* SG_HTTP_H */
