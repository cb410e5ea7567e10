/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_PROGRESS_H
#define SG_TOOLS_PROGRESS_H

#include <stdio.h>

#include "tally.h"

/*
 * progress: how a long job is getting on, on standard error: a bar that is
 * drawn anew on a terminal, a line now and then elsewhere.
 */
enum { PROGRESS_TEXT = 320 };

struct progress {
	bool quiet, tty;
	const char *good_word; /* "signed" */
	uint64_t start_us, last_us;
	uint64_t start_records, start_bytes; /* done before this run */
};

/* What there is to show. */
struct progress_state {
	const struct tally *tally;
	uint64_t bytes, size; /* of the input; size 0: not known */
	const char *note;     /* what it waits for, or "" */
};

void progress_begin(struct progress *p, bool quiet, const char *good_word,
		    const struct progress_state *state);
/* Show STATE if it is time to. */
void progress_show(struct progress *p, const struct progress_state *state);
/* Take the bar away. */
void progress_end(struct progress *p);
/* Records a second of this run, and its seconds. */
double progress_rate(const struct progress *p, const struct tally *t,
		     double *seconds);
/* What a line of it says after ELAPSED_US; OUT has PROGRESS_TEXT bytes. */
void progress_line(const struct progress *p, const struct progress_state *state,
		   uint64_t elapsed_us, char *out);

#endif /* SG_TOOLS_PROGRESS_H */
