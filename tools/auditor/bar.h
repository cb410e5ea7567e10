/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_BAR_H
#define SG_TOOLS_BAR_H

#include <stdbool.h>
#include <stdint.h>

/*
 * bar: how a long job is getting on, on standard error: a bar that is drawn
 * anew on a terminal, a line now and then elsewhere.
 */
enum { BAR_TEXT = 160 };

struct bar {
	bool quiet, tty, drawn;
	const char *what; /* "entries" */
	uint64_t total;	  /* 0: not known */
	uint64_t start_us, last_us;
};

void bar_begin(struct bar *b, bool quiet, const char *what, uint64_t total);
/* DONE of the total are done: show that, if it is time to. */
void bar_show(struct bar *b, uint64_t done);
/* Take it away. */
void bar_end(struct bar *b);
/* Since its beginning. */
double bar_seconds(const struct bar *b);
/* What it says of DONE after ELAPSED_US. */
void bar_line(const struct bar *b, uint64_t done, uint64_t elapsed_us,
	      char out[BAR_TEXT]);

#endif /* SG_TOOLS_BAR_H */
