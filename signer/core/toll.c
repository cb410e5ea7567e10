/* SPDX-License-Identifier: Apache-2.0 */
#include "toll.h"

#include <time.h>

#include "base/metrics.h"

enum { NS_PER_US = 1000, NS_PER_S = 1000 * 1000 * 1000 };

static uint64_t used_ns(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0)
		return 0;
	return (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
}

void toll_begin(struct toll *t)
{
	t->begun_ns = ++t->turn % TOLL_ONE_IN == 0 ? used_ns() : 0;
}

void toll_end(struct toll *t)
{
	if (t->begun_ns == 0)
		return;
	metric_add(METRIC_LEDGER_LOOP_CPU,
		   (used_ns() - t->begun_ns) * TOLL_ONE_IN / NS_PER_US);
	t->begun_ns = 0;
}
