/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "hcert/cbor.h"
#include "journal_files.h"

enum { MS_PER_S = 1000, US_PER_MS = 1000 };

/* Records that are committed together. */
struct batch {
	uint8_t *p;
	size_t n, cap; /* bytes */
	uint64_t records;
	int64_t newest_s; /* of them */
};

/* What journal_poll() has to tell, in this order. */
struct news {
	bool committed, failed, recovered;
	uint64_t last, first;
	int system_errno;
};

struct state {
	pthread_mutex_t lock; /* over all of this */
	pthread_cond_t work;
	bool idle;   /* the thread waits for work */
	bool enough; /* the batch that fills waits for no more, */
	bool single; /* or has a record that somebody waits for alone */
	bool stop;
	bool down; /* from a failure until journal_poll() tells that it is over:
		      until then nobody must get an index that is lost */
	struct batch batch[2];
	unsigned filling; /* which one; the other is being written, or empty */
	struct journal_place next, end;
	struct news news;
};

struct journal {
	struct state *s;
	struct journal_files files; /* the thread's */
	const struct journal_events *events;
	void *ctx;
	void (*wake)(void *ctx);
	int64_t newest_s;
	uint64_t begun_us; /* when the last batch was taken; the thread's */
	pthread_t thread;
};

static void lock(const struct journal *j)
{
	(void)pthread_mutex_lock(&j->s->lock);
}

static void unlock(const struct journal *j)
{
	(void)pthread_mutex_unlock(&j->s->lock);
}

/* --- batches -------------------------------------------------------------- */

static void batch_clear(struct batch *b)
{
	b->n = 0;
	b->records = 0;
	b->newest_s = INT64_MIN;
}

static enum sg_err batch_grow(struct batch *b, size_t want,
			      const struct journal_io *io)
{
	size_t cap = b->cap == 0 ? io->buffer_bytes_min : b->cap;
	uint8_t *p;

	if (want > io->buffer_bytes_max)
		return SG_BUSY;
	while (cap < want)
		cap *= 2;
	if (cap > io->buffer_bytes_max)
		cap = io->buffer_bytes_max;
	p = realloc(b->p, cap);
	if (p == NULL)
		return SG_NO_MEMORY;
	b->p = p;
	b->cap = cap;
	return SG_OK;
}

/* The time of an entry, which is the second field of each; INT64_MIN: there is
 * none. */
static int64_t time_of(struct span entry)
{
	struct cbor_reader r = cbor_read(entry, CBOR_DETERMINISTIC);
	struct cbor_item item;
	int64_t ms;

	for (int i = 0; i < 4; i++) /* the map, its first pair, the key */
		if (cbor_next(&r, &item) != SG_OK)
			return INT64_MIN;
	if (cbor_next(&r, &item) != SG_OK || !cbor_int(&item, &ms))
		return INT64_MIN;
	return ms / MS_PER_S;
}

static enum sg_err batch_add(struct batch *b, const struct record *r,
			     const struct journal_io *io, size_t *len)
{
	/* Of certificates alone: a start with a clock that was wrong must not
	 * keep them from being signed until then. */
	const int64_t newest_s =
		r->signature.n > 0 ? time_of(r->entry) : INT64_MIN;
	enum sg_err err = record_encode(r, b->p + b->n, b->cap - b->n, len);

	if (err == SG_TOO_BIG) {
		err = batch_grow(b, b->n + *len, io);
		if (err == SG_OK)
			err = record_encode(r, b->p + b->n, b->cap - b->n, len);
	}
	if (err != SG_OK)
		return err;
	b->n += *len;
	b->records++;
	if (newest_s > b->newest_s)
		b->newest_s = newest_s;
	return SG_OK;
}

/* --- the journal's thread ------------------------------------------------- */

/* B is on the disk. */
static void committed(struct journal *j, struct batch *b)
{
	struct state *s = j->s;

	lock(j);
	s->end.index += b->records;
	s->end.offset += b->n;
	if (b->newest_s > s->end.newest_s)
		s->end.newest_s = b->newest_s;
	s->news.committed = true;
	s->news.last = s->end.index - 1;
	batch_clear(b);
	unlock(j);
	j->wake(j->ctx);
}

/* A write or sync failed: all that waits is lost.  Nobody hears of it before
 * it was tried to take it off the disk. */
static void failed(struct journal *j, int system_errno)
{
	struct state *s = j->s;

	lock(j);
	s->down = true;
	unlock(j);
	log_event(LOG_ERROR, "journal-failed", "dir=" LOG_Q " error=" LOG_Q,
		  j->files.path, strerrordesc_np(system_errno));
	files_cut(&j->files);
	lock(j);
	batch_clear(&s->batch[0]);
	batch_clear(&s->batch[1]);
	s->enough = s->single = false;
	s->next = s->end;
	s->news.failed = true;
	s->news.first = s->end.index;
	s->news.system_errno = system_errno;
	unlock(j);
	j->wake(j->ctx);
}

/* False: it failed.  Only this thread changes the end. */
static bool commit(struct journal *j, struct batch *b)
{
	const struct journal_place *end = &j->s->end;

	if ((files_full(&j->files) && !files_begin(&j->files, end)) ||
	    !files_write(&j->files, span_of(b->p, b->n))) {
		failed(j, errno);
		return false;
	}
	metric_add(METRIC_LEDGER_JOURNAL_BYTES, b->n);
	metrics_sample_thread(METRIC_CPU_JOURNAL);
	committed(j, b);
	return true;
}

/* Wait for a word to the thread until UNTIL_US (CLOCK_MONOTONIC).  False: the
 * time is over.  The lock is held. */
static bool wait_until(struct state *s, uint64_t until_us)
{
	const struct timespec until = clock_timespec(until_us);

	return pthread_cond_timedwait(&s->work, &s->lock, &until) != ETIMEDOUT;
}

/* Wait MS, or for the end.  True: it is the end. */
static bool wait_ms(struct journal *j, uint32_t ms)
{
	const uint64_t until_us = clock_mono_us() + (uint64_t)ms * US_PER_MS;
	struct state *s = j->s;
	bool stop;

	lock(j);
	while (!s->stop && wait_until(s, until_us))
		;
	stop = s->stop;
	unlock(j);
	return stop;
}

/* Until the cause is gone.  At the end one more try, so that what is void is
 * void for whoever comes after us. */
static void recover(struct journal *j)
{
	struct state *s = j->s;
	bool stop;

	do {
		stop = wait_ms(j, j->files.io->retry_ms);
		if (!files_begin(&j->files, &s->end))
			continue;
		log_event(LOG_INFO, "journal-recovered",
			  "dir=" LOG_Q " offset=%llu", j->files.path,
			  (unsigned long long)s->end.offset);
		lock(j);
		s->news.recovered = true;
		unlock(j);
		j->wake(j->ctx);
		return;
	} while (!stop);
}

/* Until when the batch that fills may do so.  The lock is held. */
static uint64_t gathered_us(const struct journal *j)
{
	const struct journal_io *io = j->files.io;

	return j->begun_us +
	       (j->s->single ? io->gather_us : io->gather_bulk_us);
}

/* The next batch; NULL: it is the end. */
static struct batch *take(struct journal *j)
{
	struct state *s = j->s;
	struct batch *b = NULL;

	lock(j);
	s->idle = true;
	while (s->batch[s->filling].n == 0 && !s->stop)
		(void)pthread_cond_wait(&s->work, &s->lock);
	/* From here on only enough of them wake it, or the first single one. */
	do
		s->idle = true;
	while (!s->enough && !s->stop && wait_until(s, gathered_us(j)));
	s->idle = false;
	if (s->batch[s->filling].n > 0) {
		b = &s->batch[s->filling];
		s->filling ^= 1;
		s->enough = s->single = false;
	}
	unlock(j);
	j->begun_us = clock_mono_us();
	return b;
}

static void *run(void *ctx)
{
	struct journal *j = ctx;
	struct batch *b;

	while ((b = take(j)) != NULL)
		if (!commit(j, b))
			recover(j);
	return NULL;
}

/* --- opening and closing -------------------------------------------------- */

static void state_free(struct state *s)
{
	(void)pthread_cond_destroy(&s->work);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->batch[0].p);
	free(s->batch[1].p);
	free(s);
}

static struct state *state_create(const struct journal_io *io)
{
	struct state *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		batch_clear(&s->batch[i]);
		if (batch_grow(&s->batch[i], io->buffer_bytes_min, io) != SG_OK)
			goto fail;
	}
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->work, &attr);
	(void)pthread_condattr_destroy(&attr);
	return s;
fail:
	free(s->batch[0].p);
	free(s->batch[1].p);
	free(s);
	return NULL;
}

enum sg_err journal_open_io(const struct journal_settings *settings,
			    const struct journal_io *io, struct journal **out)
{
	struct journal *j = calloc(1, sizeof(*j));
	enum sg_err err = SG_NO_MEMORY;

	if (j == NULL)
		return SG_NO_MEMORY;
	j->events = settings->events;
	j->ctx = settings->ctx;
	j->wake = settings->wake;
	j->s = state_create(io);
	if (j->s == NULL)
		goto fail_state;
	err = files_open(&j->files, settings, io, &j->s->end);
	if (err != SG_OK)
		goto fail_files;
	j->s->next = j->s->end;
	j->newest_s = j->s->end.newest_s;
	err = SG_NO_MEMORY;
	if (thread_start(&j->thread, "journal", run, j) != SG_OK)
		goto fail_thread;
	*out = j;
	return SG_OK;
fail_thread:
	files_close(&j->files);
fail_files:
	state_free(j->s);
fail_state:
	free(j);
	return err;
}

enum sg_err journal_open(const struct journal_settings *settings,
			 struct journal **out)
{
	return journal_open_io(settings, &JOURNAL_IO, out);
}

void journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	lock(j);
	j->s->stop = true;
	(void)pthread_cond_signal(&j->s->work);
	unlock(j);
	(void)pthread_join(j->thread, NULL);
	files_close(&j->files);
	state_free(j->s);
	free(j);
}

/* --- the loop thread ------------------------------------------------------ */

/* Is what waits enough for a sync, where MORE are on their way?  The lock is
 * held. */
static bool enough(const struct journal *j, size_t more)
{
	const struct batch *b = &j->s->batch[j->s->filling];
	const size_t most = j->s->single ? JOURNAL_GATHER_RECORDS
					 : JOURNAL_GATHER_BULK_RECORDS;

	return b->records >= most || b->records >= more ||
	       b->n >= j->files.io->buffer_bytes_min / 2;
}

enum sg_err journal_append(struct journal *j, const struct record *r,
			   struct journal_wait wait, uint64_t *index,
			   uint64_t *offset)
{
	struct state *s = j->s;
	struct record record = *r;
	enum sg_err err = SG_IO;
	bool wakes = false;
	size_t n;

	lock(j);
	if (!s->down) {
		wakes = s->batch[s->filling].n == 0 ||
			(!wait.bulk && !s->single);
		record.index = s->next.index;
		err = batch_add(&s->batch[s->filling], &record, j->files.io,
				&n);
	}
	if (err == SG_OK) {
		*index = s->next.index++;
		*offset = s->next.offset;
		s->next.offset += n;
		s->single |= !wait.bulk;
		s->enough |= enough(j, wait.more);
		if (s->idle && (wakes || s->enough)) {
			(void)pthread_cond_signal(&s->work);
			s->idle = false;
		}
	}
	unlock(j);
	return err;
}

void journal_poll(struct journal *j)
{
	struct news news;

	lock(j);
	news = j->s->news;
	j->s->news = (struct news){0};
	unlock(j);
	if (news.committed)
		j->events->committed(j->ctx, news.last);
	if (news.failed)
		j->events->failed(j->ctx, news.first, SG_IO, news.system_errno);
	if (!news.recovered)
		return;
	lock(j);
	j->s->down = false;
	unlock(j);
	j->events->recovered(j->ctx);
}

bool journal_up(const struct journal *j)
{
	bool up;

	lock(j);
	up = !j->s->down;
	unlock(j);
	return up;
}

void journal_end(const struct journal *j, uint64_t *index, uint64_t *offset)
{
	lock(j);
	*index = j->s->end.index;
	*offset = j->s->end.offset;
	unlock(j);
}

int64_t journal_newest_time(const struct journal *j)
{
	return j->newest_s;
}
