/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_LATENCY_H
#define SG_BENCH_LATENCY_H

#include <stdint.h>

/*
 * latency: durations in microseconds, counted in buckets of which 64 cover
 * each power of two: percentiles are at most 1.6 % too high.  No allocation.
 */
enum { LATENCY_SUB = 64, LATENCY_BUCKETS = LATENCY_SUB * 32 };

struct latency {
	uint64_t n;
	uint64_t max_us;
	uint64_t bucket[LATENCY_BUCKETS];
};

void latency_add(struct latency *l, uint64_t us);
/* The upper bound of the bucket that holds the PERMILLE-th thousandth (500:
 * the median), not above the maximum; 0 if nothing was added. */
uint64_t latency_at(const struct latency *l, unsigned permille);

#endif /* SG_BENCH_LATENCY_H */
