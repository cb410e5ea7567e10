/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_breaker.h"

enum { RETEST_FIRST_US = 100 * 1000 };

/* FIRST_US, doubled N times. */
static uint64_t doubled(uint64_t first_us, unsigned n)
{
	uint64_t us = first_us;

	while (n-- > 0 && us < HSM_BREAKER_LONGEST_US)
		us *= 2;
	return us < HSM_BREAKER_LONGEST_US ? us : HSM_BREAKER_LONGEST_US;
}

uint64_t hsm_breaker_trip(struct hsm_breaker *b, uint64_t now_us)
{
	const uint64_t since_us = now_us - b->tripped_us;

	if (b->trips > 0 && since_us < HSM_BREAKER_TOGETHER_US)
		return b->until_us;
	if (since_us >= HSM_BREAKER_FORGET_US)
		b->trips = 0;
	if (b->trips < UINT32_MAX)
		b->trips++;
	b->tripped_us = now_us;
	b->until_us = now_us;
	if (b->trips > HSM_BREAKER_AT_ONCE)
		b->until_us += doubled(HSM_BREAKER_FIRST_US,
				       b->trips - HSM_BREAKER_AT_ONCE - 1);
	return b->until_us;
}

uint64_t hsm_breaker_retest_us(unsigned n)
{
	return doubled(RETEST_FIRST_US, n > 0 ? n - 1 : 0);
}
