/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_PACE_H
#define SG_BENCH_PACE_H

#include <jansson.h>
#include <stdio.h>

#include "measure.h"

/* pace: how even a bulk run was, second by second; and what officers'
 * operations during it did to it. */
struct pace {
	size_t seconds;		/* full ones */
	uint64_t median, least; /* answers a second */
	size_t least_at;	/* the second in which that was */
	double ratio;		/* least to median */
};

/* Pure.  Of no full second all is 0. */
struct pace pace_of(const struct bulk_result *b);
/* In print, and as members of J; nothing where there is nothing to tell. */
void pace_print(const struct measure_report *r, FILE *to);
void pace_json(const struct measure_report *r, json_t *j);

#endif /* SG_BENCH_PACE_H */
