/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_API_STREAM_H
#define SG_API_STREAM_H

#include "api.h"
#include "bytes.h"
#include "cutter.h"
#include "record.h"

/*
 * api_stream: a stream of requests and its answers, in their order.  The
 * inside of api_stream.c (what comes, and at which pace) and
 * api_stream_answer.c (what goes).  Loop thread only.
 */
enum {
	/* Records in flight, however many streams share the core. */
	API_STREAM_WINDOW_MIN = 16
};

struct api_stream {
	TAILQ_ENTRY(api_stream) entry; /* of the API's hungry ones */
	struct api_call *call;
	struct exchange *x;
	struct cutter cutter;
	struct bytes in; /* what the API owes the transport */
	uint16_t client; /* shares_index() */
	bool hungry;
	bool begun;    /* the answer's head is out */
	bool ended;    /* the request is in */
	bool finished; /* the answer is out, or broken off */
	enum sg_err cut;
	const char *cut_detail; /* static, or NULL */
	enum wire_language language;
	struct records records; /* in flight */
	uint32_t limit;		/* of them: the core's pace */
	size_t guess;		/* bytes of an answer, lately */
	size_t counted;		/* bytes of the answer, with the API's */
	/* By the wheel's time: */
	uint64_t moved_ms;	 /* when the reader last took something, */
	uint64_t input_ms;	 /* when something came, */
	uint64_t partial_ms;	 /* since when a record is not complete, */
	uint64_t hold_ms;	 /* no record is taken before, */
	uint64_t down_ms;	 /* and since when the core has been down, */
	bool down;		 /* if it is */
	struct wheel_timer tick; /* while the stream is open */
};

uint64_t api_stream_now_ms(const struct api_stream *s);
/* Something has changed that a stream may wait for. */
void api_stream_stir(const struct api_stream *s);
/* What waits of the answer is another amount. */
void api_stream_recount(struct api_stream *s);

/* --- api_stream_answer.c ----------------------------------------------- */

/* The head of the answer, if it is not out yet. */
void api_stream_begin(struct api_stream *s);
/* R's answer is a problem: ERR, and DETAIL unless it is NULL. */
void api_stream_refuse(struct api_stream *s, struct record *r, enum sg_err err,
		       const char *detail);
/* The same with P, but for its id. */
void api_stream_refuse_with(struct api_stream *s, struct record *r,
			    struct problem *p);
/* R's answer has come: a core_answer; ASKER is R. */
void api_stream_answered(void *asker, const struct wire_msg *m,
			 enum sg_err err);
/* The end of the answer, if all is said. */
void api_stream_finish(struct api_stream *s);

#endif /* SG_API_STREAM_H */
