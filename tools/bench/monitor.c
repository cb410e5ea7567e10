/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	TICK_US = 100000,
	SECOND_US = 1000000,
	TELL_US = 5000000,
	SAMPLES_MAX = 1 << 16
};

struct monitor {
	struct monitor_settings settings;
	pthread_t thread;
	_Atomic bool stop;
	uint64_t next_records;
	uint64_t next_us;
	uint64_t told_us, told_records;
	size_t n;
	struct monitor_sample sample[SAMPLES_MAX];
};

static bool due(const struct monitor *m, uint64_t records, uint64_t now)
{
	if (m->settings.metrics == NULL || m->n == SAMPLES_MAX)
		return false;
	return m->settings.every > 0 ? records >= m->next_records
				     : now >= m->next_us;
}

static void take(struct monitor *m, uint64_t records, uint64_t now)
{
	struct monitor_sample *s = &m->sample[m->n];
	const uint64_t every = m->settings.every;
	struct scrape page;
	char why[200];

	if (every > 0)
		m->next_records = (records / every + 1) * every;
	m->next_us = now + SECOND_US;
	/* A sample that fails is one less. */
	if (scrape_fetch(m->settings.metrics, &page, why, sizeof(why)) != SG_OK)
		return;
	s->records = records;
	s->phase = (enum bulk_phase)atomic_load(&m->settings.progress->phase);
	memcpy(s->resident, page.resident_bytes, sizeof(s->resident));
	m->n++;
}

static void tell(struct monitor *m, uint64_t records, uint64_t now)
{
	const uint64_t us = now - m->told_us;

	if (!m->settings.tell || us < TELL_US)
		return;
	(void)fprintf(stderr, "%llu records answered, %.0f/s\n",
		      (unsigned long long)records,
		      (double)(records - m->told_records) * 1e6 / (double)us);
	m->told_us = now;
	m->told_records = records;
}

static void *watch(void *arg)
{
	struct monitor *m = arg;

	while (!atomic_load(&m->stop)) {
		const uint64_t records =
			atomic_load(&m->settings.progress->answers);
		const uint64_t now = clock_mono_us();

		if (due(m, records, now))
			take(m, records, now);
		tell(m, records, now);
		(void)usleep(TICK_US);
	}
	return NULL;
}

enum sg_err monitor_start(const struct monitor_settings *settings,
			  struct monitor **out)
{
	struct monitor *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return SG_NO_MEMORY;
	m->settings = *settings;
	m->told_us = clock_mono_us();
	if (pthread_create(&m->thread, NULL, watch, m) != 0) {
		free(m);
		return SG_NO_MEMORY;
	}
	*out = m;
	return SG_OK;
}

void monitor_stop(struct monitor *m)
{
	if (atomic_exchange(&m->stop, true))
		return;
	(void)pthread_join(m->thread, NULL);
}

void monitor_free(struct monitor *m)
{
	if (m == NULL)
		return;
	monitor_stop(m);
	free(m);
}

size_t monitor_count(const struct monitor *m)
{
	return m->n;
}

const struct monitor_sample *monitor_at(const struct monitor *m, size_t i)
{
	return &m->sample[i];
}

struct monitor_range monitor_range(const struct monitor *m,
				   enum scrape_role role, uint64_t skip,
				   enum bulk_phase phase)
{
	struct monitor_range range = {.n = 0};

	for (size_t i = 0; i < m->n; i++) {
		const struct monitor_sample *s = &m->sample[i];
		const uint64_t bytes = s->resident[role];

		if (s->records < skip || s->phase == BULK_OPENING ||
		    (phase != BULK_PHASES && s->phase != phase))
			continue;
		if (range.n == 0 || bytes < range.least)
			range.least = bytes;
		if (bytes > range.most)
			range.most = bytes;
		range.last = bytes;
		range.n++;
	}
	return range;
}
