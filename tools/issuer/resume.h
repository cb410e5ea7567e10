/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_RESUME_H
#define SG_TOOLS_RESUME_H

#include "lines.h"
#include "tally.h"

/* resume: what an earlier run has left behind. */

struct survey {
	uint64_t lines; /* answers, up to and with the last final one */
	uint64_t end;	/* the byte after them */
	uint64_t later; /* of these answers, how many are open */
	uint64_t loose; /* answers behind them; all are open */
};

/*
 * Look through the file of answers PATH; with REFUSED, each problem is open
 * (answer_is_open()).  A last line that is cut short counts for nothing.
 * Errors: SG_MALFORMED (a line is no answer), SG_IO; WHY (CAP bytes) says what.
 */
SG_MUST_USE enum sg_err resume_survey(const char *path, bool refused,
				      struct survey *out, char *why,
				      size_t cap);

struct resume_files {
	struct lines *in;
	struct lines *answers;
	const char *path; /* of answers */
	uint64_t n;	  /* lines to read of both */
	/* NULL, or older answers; those that were good are in ANSWERS, too. */
	struct lines *old;
	uint64_t old_n; /* lines to read of these at most */
};

/*
 * Read the input and the answers of F side by side and count them in TALLY.
 * MARK is called with the first line of the input.
 * Errors: SG_CONFLICT (the answers are not those of this input), SG_IO; WHY
 * says what.
 */
SG_MUST_USE enum sg_err resume_pair_up(const struct resume_files *f,
				       struct tally *tally,
				       void (*mark)(void *ctx, struct span),
				       void *ctx, char *why, size_t cap);

#endif /* SG_TOOLS_RESUME_H */
