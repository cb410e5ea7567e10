/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_STREAM_H
#define SG_BENCH_STREAM_H

#include "answers.h"
#include "bulk.h"
#include "link.h"

/*
 * stream: one connection with one request of any length on it.  The engine
 * (bulk.c) decides what is sent and counts what comes back; a protocol
 * (stream_h1.c, stream_h2.c) frames it.
 */
struct bulk;

struct stream_protocol;

struct stream {
	struct link link;
	struct bulk *bulk;
	const struct bulk_settings *settings;
	unsigned index;
	bool ready;		 /* session made */
	bool held;		 /* sends nothing yet */
	bool ended;		 /* the request's end has been sent */
	bool done;		 /* the answer's end has come */
	bool broken;		 /* or will not come */
	int status;		 /* of the answer; 0: not known yet */
	unsigned window;	 /* records in flight at most; 0: no limit */
	uint64_t sent, answered; /* records */
	/* What is left to send of a record. */
	size_t rest_at, rest_n;
	char record[RECORDS_BODY_MAX + 1];
	void *session; /* the protocol's */
	struct answers answers;
};

struct bulk {
	const struct bulk_settings *settings;
	const struct stream_protocol *protocol;
	struct bulk_result *result;
	enum bulk_phase phase;
	uint64_t phase_us;    /* when it began */
	uint64_t answered_us; /* when the last answer came */
	uint64_t sample_cpu_us;
	size_t nstreams;
	struct stream *stream;
	struct stream *deaf; /* one of them, or NULL */
	struct link_loop loop;
};

struct stream_protocol {
	/* Make S->session, which hears what the server says from now on. */
	enum sg_err (*open)(struct stream *s);
	/* Begin the request.  SG_NO_MEMORY, SG_TOO_BIG. */
	enum sg_err (*begin)(struct stream *s);
	void (*close)(struct stream *s);
	/* Take decrypted bytes; calls stream_data() and stream_done(). */
	enum sg_err (*input)(struct stream *s, struct span plain);
	/* Append what is to be sent to the link, as far as it fits. */
	enum sg_err (*output)(struct stream *s);
};

extern const struct stream_protocol STREAM_H1;
extern const struct stream_protocol STREAM_H2;

/* --- what the engine and the streams share --- */

/* CPU time of this thread. */
uint64_t stream_cpu_us(void);
/* Is what comes back counted now? */
bool bulk_measuring(const struct bulk *b);

/* --- what the protocols call --- */

/* Records' bytes to TO; 0: none now.  Sets S->ended with the last. */
size_t stream_fill(struct stream *s, uint8_t *to, size_t cap);
/* Would stream_fill() give anything, or set S->ended? */
bool stream_wants(const struct stream *s);
/* A run of the answer's body.  Errors: SG_MALFORMED, SG_TOO_BIG. */
SG_MUST_USE enum sg_err stream_data(struct stream *s, struct span run);
/* The answer is complete, or was broken off when not WHOLE. */
void stream_done(struct stream *s, bool whole);

/* "/v1/certificates"; "application/x-ndjson".  Static. */
const char *stream_path(const struct stream *s);
const char *stream_type(const struct stream *s);

#endif /* SG_BENCH_STREAM_H */
