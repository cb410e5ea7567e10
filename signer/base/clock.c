/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

enum {
	US_PER_S = 1000000,
	MS_PER_S = 1000,
	NS_PER_US = 1000,
	NS_PER_MS = 1000000
};

/* clock_gettime() cannot fail for these two clocks on Linux. */
static struct timespec now(clockid_t clock)
{
	struct timespec t = {0};

	(void)clock_gettime(clock, &t);
	return t;
}

uint64_t clock_mono_us(void)
{
	const struct timespec t = now(CLOCK_MONOTONIC);

	return (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / NS_PER_US;
}

struct timespec clock_timespec(uint64_t us)
{
	return (struct timespec){.tv_sec = (time_t)(us / US_PER_S),
				 .tv_nsec = (long)(us % US_PER_S) * NS_PER_US};
}

int64_t clock_wall_s(void)
{
	return now(CLOCK_REALTIME).tv_sec;
}

int64_t clock_wall_ms(void)
{
	const struct timespec t = now(CLOCK_REALTIME);

	return (int64_t)t.tv_sec * MS_PER_S + t.tv_nsec / NS_PER_MS;
}
