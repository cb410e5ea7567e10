/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_STREAM_H
#define SG_TOOLS_STREAM_H

#include <curl/curl.h>

#include "issuer.h"

/*
 * stream: one NDJSON request to the server and its answers, both flowing at the
 * same time, by libcurl.  The Nth line that comes answers the Nth record that
 * went.  What is under way is bounded in records and bytes.  It may be started
 * again and again; between that, libcurl keeps the connection if it can.
 */
struct stream; /* opaque */

enum { STREAM_BYTES_MAX = 4 << 20 /* of records under way */ };

struct stream_hooks {
	void *ctx;
	/* The next record to send, with its line feed; false: none now.  The
	 * text is copied. */
	bool (*next)(void *ctx, uint64_t *seq, struct span *text);
	/* May there be one later? */
	bool (*more)(void *ctx);
	/* The answer to SEQ.  SG_MALFORMED: it is none, break the stream off
	 * and report SEQ as lost; any other error: break it off. */
	enum sg_err (*answer)(void *ctx, uint64_t seq, struct span line,
			      const struct stream *from);
	/* SEQ was sent, and will not be answered.  Lowest first. */
	void (*lost)(void *ctx, uint64_t seq);
};

/* How a stream ended. */
struct stream_end {
	int status; /* of HTTP; 0: there was no answer */
	CURLcode code;
	bool whole;	      /* all that was sent is answered */
	uint64_t answers;     /* lines */
	uint32_t retry_after; /* seconds; 0: not said */
	bool hopeless;	      /* something is to be mended first */
	char why[WHY_MAX];    /* with the request's name in the server's log */
};

enum { STREAM_NAME = HTTPS_TEXT_MAX + 24 /* bytes of a record's name */ };

/* Streams go over H, at most N records under way on each.
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err stream_create(struct https *h, const char *path,
				      size_t n,
				      const struct stream_hooks *hooks,
				      struct stream **out);
/* Not while it is active. */
void stream_free(struct stream *s);
/* Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err stream_start(struct stream *s, CURLM *multi,
				     uint64_t now_us);
bool stream_active(const struct stream *s);
/* Records under way. */
size_t stream_flying(const struct stream *s);
/* It waits for records: go on, there are some, or there will be none. */
void stream_resume(struct stream *s);
/*
 * If it waits, let the request end here; what is under way is still answered.
 * While a request waits, libcurl does not say that the response has ended.
 */
void stream_end_request(struct stream *s);
/* Has the server said, with nothing under way, that it ends the stream? */
bool stream_is_dismissed(const struct stream *s);
/* Of hooks->answer(): what the server calls this record in its log, into OUT;
 * empty if it did not tell the stream's name. */
void stream_name(const struct stream *s, char out[STREAM_NAME]);
/* Does it wait, with room for more? */
bool stream_is_hungry(const struct stream *s);
/* When the last byte came, or the first record under way went out. */
uint64_t stream_heard_us(const struct stream *s);
/* The clock, for stream_heard_us(). */
void stream_tick(struct stream *s, uint64_t now_us);
/* It is over, with CODE, or is broken off: hooks->lost() for all that flies. */
void stream_finish(struct stream *s, CURLM *multi, CURLcode code,
		   struct stream_end *out);

#endif /* SG_TOOLS_STREAM_H */
