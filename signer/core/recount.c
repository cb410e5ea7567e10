/* SPDX-License-Identifier: Apache-2.0 */
#include "recount.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "bell.h"
#include "history.h"
#include "ledger/journal_read.h"

enum {
	HOUR_S = 3600,
	RETRY_US = 1000000,
	NAP_US = 20000,
	MS_PER_S = 1000,
	US_PER_MS = 1000
};

struct recount {
	struct recount_parts part;
	char *journal_dir, *state;
	int64_t from_s; /* the beginning of the day */
	uint64_t end;	/* of the journal when it began: an offset */
	struct bell *bell;
	pthread_t thread;
	atomic_bool stop;
	bool joined;
	/* The thread's, the loop's when it has been joined: */
	uint64_t counted, read; /* certificates of the day; records */
	uint64_t took_us;
	struct entry entry;
};

/* --- the thread ----------------------------------------------------------- */

static enum sg_err take(struct recount *r, const struct record *record)
{
	const struct entry *e = &r->entry;

	r->read++;
	if (record->uci == NULL) /* no certificate */
		return SG_OK;
	if (entry_decode(record->entry, &r->entry) != SG_OK)
		return SG_MALFORMED;
	if (e->time_ms < r->from_s * MS_PER_S)
		return SG_OK;
	r->counted++;
	return quota_count(r->part.quota, e->client, e->time_ms);
}

/* Errors: SG_CLOSED (to be ended), SG_MALFORMED, SG_IO, SG_NO_MEMORY. */
static enum sg_err count(struct recount *r)
{
	struct journal_reader *reader = NULL;
	struct record record;
	enum sg_err err = journal_reader_open(r->journal_dir, &reader);

	quota_forget(r->part.quota);
	r->counted = r->read = 0;
	if (err == SG_OK)
		err = history_load(r->state, r->from_s / HOUR_S, r->part.quota);
	if (err == SG_OK)
		err = journal_reader_find_time(reader, r->from_s);
	while (err == SG_OK && journal_reader_offset(reader) < r->end) {
		if (atomic_load_explicit(&r->stop, memory_order_relaxed))
			err = SG_CLOSED;
		if (err == SG_OK)
			err = journal_reader_next(reader, r->end, &record,
						  NULL);
		if (err == SG_OK)
			err = take(r, &record);
	}
	journal_reader_close(reader);
	return err;
}

static void sleep_a_while(const struct recount *r)
{
	const struct timespec nap = clock_timespec(NAP_US);

	for (int us = 0; us < RETRY_US && !atomic_load(&r->stop); us += NAP_US)
		(void)nanosleep(&nap, NULL);
}

static void *run(void *ctx)
{
	struct recount *r = ctx;
	const uint64_t began_us = clock_mono_us();
	bool told = false;
	enum sg_err err;

	while ((err = count(r)) != SG_OK && err != SG_CLOSED) {
		if (!told)
			log_event(LOG_ERROR, "quota-uncounted",
				  "reason=\"%s\" text=\"nothing is signed "
				  "until the day's certificates have been "
				  "counted\"",
				  err_text(err));
		told = true;
		sleep_a_while(r);
		if (atomic_load(&r->stop))
			return NULL;
	}
	r->took_us = clock_mono_us() - began_us;
	if (err == SG_OK)
		bell_ring(r->bell);
	return NULL;
}

/* --- the loop ------------------------------------------------------------- */

static void join(struct recount *r)
{
	if (!r->joined)
		(void)pthread_join(r->thread, NULL);
	r->joined = true;
}

static void on_rung(void *ctx)
{
	struct recount *r = ctx;

	join(r);
	log_event(LOG_INFO, "quota-counted",
		  "certificates=%llu records_read=%llu ms=%llu",
		  (unsigned long long)r->counted, (unsigned long long)r->read,
		  (unsigned long long)(r->took_us / US_PER_MS));
	quota_set_counted(r->part.quota, true);
	r->part.done(r->part.ctx);
}

static void on_gone(void *ctx)
{
	struct recount *r = ctx;

	free(r->journal_dir);
	free(r->state);
	free(r);
}

enum sg_err recount_start(const struct recount_parts *parts, int64_t wall_s,
			  struct recount **out)
{
	struct recount *r = calloc(1, sizeof(*r));
	uint64_t index;
	enum sg_err err;

	*out = NULL;
	if (r == NULL)
		return SG_NO_MEMORY;
	r->part = *parts;
	r->part.journal_dir = r->part.state = NULL; /* not kept */
	r->journal_dir = strdup(parts->journal_dir);
	r->state = strdup(parts->state);
	r->from_s = quota_day_begins(parts->quota, wall_s);
	journal_end(parts->journal, &index, &r->end);
	err = r->journal_dir != NULL && r->state != NULL
		      ? bell_create(parts->loop, on_rung, r, &r->bell)
		      : SG_NO_MEMORY;
	if (err != SG_OK) {
		on_gone(r);
		return err;
	}
	quota_set_counted(parts->quota, false);
	if (thread_start(&r->thread, "recount", run, r) != SG_OK) {
		bell_free(r->bell, on_gone);
		return SG_NO_MEMORY;
	}
	*out = r;
	return SG_OK;
}

void recount_free(struct recount *r)
{
	if (r == NULL)
		return;
	atomic_store(&r->stop, true);
	join(r);
	bell_free(r->bell, on_gone);
}
