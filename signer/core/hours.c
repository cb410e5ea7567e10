/* SPDX-License-Identifier: Apache-2.0 */
#include "hours.h"

#include <string.h>

static bool is_kept(const struct hours *h, int64_t hour)
{
	return h->newest != INT64_MIN && hour <= h->newest &&
	       hour > h->newest - HOURS_KEPT;
}

static size_t slot(int64_t hour)
{
	return (size_t)((hour % HOURS_KEPT + HOURS_KEPT) % HOURS_KEPT);
}

static uint64_t mean_before_newest(const struct hours *h)
{
	uint64_t sum = 0;
	uint64_t n = 0;

	for (size_t i = 0; i < HOURS_KEPT; i++) {
		if (i == slot(h->newest) || h->count[i] == 0)
			continue;
		sum += h->count[i];
		n++;
	}
	return n > 0 ? sum / n : 0;
}

void hours_clear(struct hours *h)
{
	*h = (struct hours){.newest = INT64_MIN};
}

/* What is in the slots of the hours since the newest one is a week old. */
static void begin(struct hours *h, int64_t hour)
{
	if (h->newest == INT64_MIN || hour - h->newest >= HOURS_KEPT)
		memset(h->count, 0, sizeof(h->count));
	else
		for (int64_t i = h->newest + 1; i <= hour; i++)
			h->count[slot(i)] = 0;
	h->newest = hour;
	h->usual = mean_before_newest(h);
}

bool hours_add(struct hours *h, int64_t hour, uint32_t n)
{
	const bool begins = hour > h->newest;
	uint32_t *count = &h->count[slot(hour)];

	if (begins)
		begin(h, hour);
	if (is_kept(h, hour))
		*count = n < UINT32_MAX - *count ? *count + n : UINT32_MAX;
	return begins;
}

void hours_take(struct hours *h, int64_t hour)
{
	uint32_t *count = &h->count[slot(hour)];

	if (is_kept(h, hour) && *count > 0)
		--*count;
}

uint32_t hours_count(const struct hours *h, int64_t hour)
{
	return is_kept(h, hour) ? h->count[slot(hour)] : 0;
}
