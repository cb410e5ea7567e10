/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_COUNTS_H
#define SG_TOOLS_COUNTS_H

#include "base/err.h"
#include "base/span.h"

/*
 * counts: how often each of many texts was seen, and on which lines first.
 * Bounded: what comes when the table is full is counted together.
 */
enum { COUNTS_LINES = 5, COUNTS_KEY_MAX = 160 /* bytes; longer are cut */ };

struct count {
	char *key;
	uint64_t n;    /* times seen */
	uint64_t good; /* of these, with an accepted record */
	bool warning;  /* seen as a warning only */
	unsigned nlines;
	uint64_t lines[COUNTS_LINES]; /* the first ones, each once */
};

struct counts; /* opaque */

/* Room for N texts.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err counts_create(size_t n, struct counts **out);
void counts_free(struct counts *c);
/* KEY was seen on LINE.  The entry, to add to; never NULL. */
struct count *counts_add(struct counts *c, struct span key, uint64_t line);
/* All, the most frequent first; the last one is what did not fit, if anything,
 * under the key "(other)".  Until the next call of counts_add(). */
const struct count *const *counts_sorted(struct counts *c, size_t *n);

#endif /* SG_TOOLS_COUNTS_H */
