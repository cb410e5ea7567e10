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
	uint64_t moved_ms;   /* when the reader last took something, */
	uint64_t input_ms;   /* when something came, */
	uint64_t partial_ms; /* since when a record is not complete, */
	uint64_t hold_ms;    /* no record is taken before, */
	uint64_t down_ms;    /* and since when the core has been down, */
	bool down;	     /* if it is */
	/* Of a client that is over its rate: api_stream_pace.c */
	bool paced;	     /* and not yet as slow as it must be */
	bool resting;	     /* nothing is asked until the tick */
	bool told;	     /* "later", since it rested last */
	uint32_t pace;	     /* records that may be asked until it rests, */
	uint32_t allowance;  /* of so many */
	uint32_t per_second; /* the client's rate */
	uint64_t rest_ms;    /* when it began to rest */
	size_t put_off, put_off_bytes; /* records that are to be asked again */
	struct wheel_timer tick;       /* while the stream is open */
};

uint64_t api_stream_now_ms(const struct api_stream *s);
/* Something has changed that a stream may wait for. */
void api_stream_stir(const struct api_stream *s);
/* What waits of the answer is another amount. */
void api_stream_recount(struct api_stream *s);

/* S waits for its turn, or does not. */
void api_stream_hunger(struct api_stream *s);
void api_stream_sate(struct api_stream *s);
/* May N bytes more of S's client be kept?  Then they are counted. */
bool api_stream_hold_input(struct api_stream *s, size_t n);
void api_stream_drop_input(const struct api_stream *s, size_t n);
/* Ask the core for B, R's, from NOW_US (CLOCK_MONOTONIC) on; answered
 * where it cannot be asked. */
void api_stream_ask(struct api_stream *s, struct record *r,
		    const struct brought *b, uint64_t now_us);

/* --- api_stream_pace.c -------------------------------------------------- */

/* The core has sent R back: M. */
void api_stream_later(struct api_stream *s, struct record *r,
		      const struct wire_later *m);
/* May another record be asked, by the client's rate?  If not, S rests. */
bool api_stream_may_pace(struct api_stream *s);
/* One was. */
void api_stream_paced(struct api_stream *s);
/* Ask again for the oldest that is put off.  False: none is. */
bool api_stream_resume(struct api_stream *s, uint64_t now_us);
/* The tick: S has rested, if it did. */
void api_stream_wake(struct api_stream *s);
/* What is put off is answered "not now": S comes to its end. */
void api_stream_pace_end(struct api_stream *s);
/* S is gone. */
void api_stream_pace_free(struct api_stream *s);

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
