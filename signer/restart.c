/* SPDX-License-Identifier: Apache-2.0 */
#include "restart.h"

void restart_started(struct restart *r, uint64_t now_us)
{
	r->started_us = now_us;
}

uint32_t restart_died(struct restart *r, uint64_t now_us)
{
	const uint64_t life_us = now_us - r->started_us;
	const uint32_t longest =
		r->longest_ms > 0 ? r->longest_ms : RESTART_LONGEST_MS;
	uint32_t wait = RESTART_FIRST_MS;

	if (life_us >= (uint64_t)RESTART_GOOD_LIFE_MS * 1000)
		r->young_deaths = 0;
	if (r->young_deaths < UINT32_MAX)
		r->young_deaths++;
	if (r->young_deaths <= RESTART_AT_ONCE)
		return 0;
	for (uint32_t i = RESTART_AT_ONCE + 1;
	     i < r->young_deaths && wait < longest; i++)
		wait *= 2;
	return wait < longest ? wait : longest;
}
