/* SPDX-License-Identifier: Apache-2.0 */
#include "toll.h"

#include <time.h>

#include "base/metrics.h"

enum { TRIES = 16, NS_PER_US = 1000, NS_PER_S = 1000 * 1000 * 1000 };

static uint64_t used_ns(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0)
		return 0;
	return (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
}

/* What two looks with nothing between them say, at least. */
static uint64_t clock_takes_ns(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		const uint64_t before = used_ns();
		const uint64_t took = used_ns() - before;

		if (took < least)
			least = took;
	}
	return least;
}

void toll_begin(struct toll *t)
{
	if (t->turn == 0)
		t->clock_ns = clock_takes_ns();
	t->begun_ns = ++t->turn % TOLL_ONE_IN == 0 ? used_ns() : 0;
}

void toll_end(struct toll *t)
{
	uint64_t took;

	if (t->begun_ns == 0)
		return;
	took = used_ns() - t->begun_ns;
	if (took > t->clock_ns)
		metric_add(METRIC_LEDGER_LOOP_CPU,
			   (took - t->clock_ns) * TOLL_ONE_IN / NS_PER_US);
	t->begun_ns = 0;
}
