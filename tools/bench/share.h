/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_SHARE_H
#define SG_BENCH_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* share: a part of a whole, in millionths.  Pure. */
enum { SHARE_ALL = 1000000 };

/* "0.35", "1", "0": a decimal from 0 to 1 of at most six places. */
bool share_parse(const char *text, unsigned *out);
/* That share of N, rounded to the nearest. */
uint64_t share_of(unsigned share, uint64_t n);

#endif /* SG_BENCH_SHARE_H */
