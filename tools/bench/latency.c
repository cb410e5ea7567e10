/* SPDX-License-Identifier: Apache-2.0 */
#include "latency.h"

/* Values below 2 * LATENCY_SUB have a bucket each; above, the seven leading
 * bits of a value choose it. */
enum { SUB_BITS = 6 };

_Static_assert(1 << SUB_BITS == LATENCY_SUB, "one constant, two forms");

static unsigned bucket_of(uint64_t us)
{
	unsigned shift = 0;

	if (us >> 32 != 0)
		us = UINT32_MAX;
	while (us >> shift >= (uint64_t)2 * LATENCY_SUB)
		shift++;
	return (unsigned)(us >> shift) + shift * LATENCY_SUB;
}

static uint64_t bucket_end(unsigned bucket)
{
	const unsigned shift =
		bucket < LATENCY_SUB ? 0 : bucket / LATENCY_SUB - 1;

	return ((uint64_t)(bucket - shift * LATENCY_SUB + 1) << shift) - 1;
}

void latency_add(struct latency *l, uint64_t us)
{
	l->n++;
	if (us > l->max_us)
		l->max_us = us;
	l->bucket[bucket_of(us)]++;
}

uint64_t latency_at(const struct latency *l, unsigned permille)
{
	const uint64_t rank = (l->n * permille + 999) / 1000;
	uint64_t seen = 0;

	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		seen += l->bucket[i];
		if (seen >= rank && seen > 0) {
			const uint64_t end = bucket_end(i);

			return end < l->max_us ? end : l->max_us;
		}
	}
	return 0;
}
