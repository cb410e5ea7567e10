/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_ENGINE_H
#define SG_TOOLS_ENGINE_H

#include <signal.h>

#include "lines.h"
#include "stream.h"
#include "window.h"

/*
 * engine: sends the records of a job over one or several streams, and gives
 * out exactly one answer for each, in order.  Whatever is not answered (a
 * broken stream, 408, 429, 503, 504) is sent again, later and later.
 *
 * A record whose answer stays "again" keeps it once it was sent RETRIES times
 * more while others got through.  While nothing gets through, nothing is given
 * up before GIVE_UP_S.
 */
struct engine_job {
	void *ctx;
	/* The next record.  KNOWN is its answer if there is one already, else
	 * n = 0.  LINES_FAULT: ctx knows why. */
	enum lines_got (*next)(void *ctx, struct span *text,
			       struct span *known);
	/* Readable when next() said LINES_WAIT. */
	int (*wait_fd)(void *ctx);
	/* An answer before its turn came; NULL: nobody wants to know. */
	enum sg_err (*early)(void *ctx, uint64_t seq, struct span line);
	/* The answer of SEQ, whose number is the next one. */
	enum sg_err (*put)(void *ctx, uint64_t seq, struct span text,
			   struct span line);
	/* Once a turn of the loop: flush, show. */
	enum sg_err (*turn)(void *ctx, const struct window *w);
};

struct engine_settings {
	const char *path;
	unsigned streams; /* each on a connection of its own */
	size_t window;	  /* records under way on each */
	unsigned retries;
	uint64_t give_up_s; /* without any progress */
	uint64_t stall_s;   /* of silence: a stream is broken */
	uint64_t first;	    /* number of the first record that next() gives */
};

struct engine_stats {
	uint64_t again;	    /* records that were sent once more */
	uint64_t breaks;    /* streams that ended before their time */
	char note[WHY_MAX]; /* why nothing moves just now, or empty */
};

/* Set by a signal's handler: stop as soon as it can be done cleanly. */
extern volatile sig_atomic_t engine_stop;

/*
 * Errors: SG_CONFIG (settings of the connection; the server refuses the
 * stream), SG_FORBIDDEN (it refuses the client: 401, 403), SG_CONFLICT (an
 * answer is about another record), SG_TIMED_OUT (given up), SG_CLOSED
 * (engine_stop), SG_IO (the job's own), SG_NO_MEMORY; WHY (WHY_MAX) says what,
 * or is empty if the job knows.
 */
SG_MUST_USE enum sg_err engine_run(const struct args *args,
				   const struct engine_settings *settings,
				   const struct engine_job *job,
				   struct engine_stats *stats, char *why);

#endif /* SG_TOOLS_ENGINE_H */
