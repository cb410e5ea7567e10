/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_ENGINE_LANES_H
#define SG_TOOLS_ENGINE_LANES_H

#include "engine.h"

/* engine_lanes: the streams of an engine, and what happens when one breaks.
 * For engine.c alone. */

enum { US = 1000000 };

/* A stream, its connection, and when it may be tried again. */
struct lane {
	struct https *h;
	struct stream *s;
	uint64_t not_before;
	unsigned breaks; /* in a row */
};

struct engine {
	const struct engine_settings *settings;
	const struct engine_job *job;
	struct engine_stats *stats;
	char *why;
	CURLM *multi;
	struct window *w;
	struct lane *lane;
	uint64_t now;
	uint64_t finals;   /* answers for good */
	uint64_t moved_us; /* when the last of them came */
	uint64_t hold_us;  /* nothing is started before */
	bool ended;	   /* the job has no more records */
	bool waiting;	   /* it has none now */
	bool connected;	   /* the server has spoken in this run */
	enum sg_err err;
};

/* No control characters: a server's words go to a terminal. */
void engine_clean(char *text);
/* Keep the first failure, with its words; returns it. */
__attribute__((format(printf, 3, 4))) enum sg_err engine_fail(struct engine *e,
							      enum sg_err err,
							      const char *fmt,
							      ...);
/* The wait before try number N + 1: doubled each time, between half of it and
 * all, so that many clients do not come back at the same moment. */
uint64_t engine_back_off(unsigned n);
/* May there be another record to send? */
bool engine_more(const struct engine *e);

/* Errors: as online_open(). */
SG_MUST_USE enum sg_err lanes_open(struct engine *e, const struct args *args,
				   const struct stream_hooks *hooks);
void lanes_close(struct engine *e);
/* Start, feed and give up streams. */
SG_MUST_USE enum sg_err lanes_tend(struct engine *e);
/* See which have ended. */
SG_MUST_USE enum sg_err lanes_reap(struct engine *e);
/* All is answered: let the streams end as HTTP would have it. */
void lanes_farewell(struct engine *e);

#endif /* SG_TOOLS_ENGINE_LANES_H */
