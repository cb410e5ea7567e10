/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "scribe_state.h"

enum {
	/* Between two looks at a journal that grows: what is committed waits
	 * for the index that long, in claims.h's keeping. */
	PAUSE_US = 25 * 1000,
	RETRY_US = 500 * 1000, /* after what failed */
	US_PER_MS = 1000
};

/* --- the thread's words ----------------------------------------------- */

static void wake_loop(struct scribe *s)
{
	bell_ring(s->bell);
}

void scribe_tell_trouble(struct scribe *s, const char *trouble,
			 int system_errno)
{
	bool changed;

	s->work.stands = trouble != NULL;
	(void)pthread_mutex_lock(&s->lock);
	changed = s->state.trouble != trouble;
	s->state.trouble = trouble;
	if (trouble == NULL)
		s->state.index_down_us = 0;
	s->changed |= changed;
	(void)pthread_mutex_unlock(&s->lock);
	if (!changed)
		return;
	if (trouble != NULL)
		log_event(LOG_ERROR, "ledger-stands",
			  "reason=\"%s\" error=" LOG_Q " text=\"tried again\"",
			  trouble,
			  system_errno != 0 ? strerrordesc_np(system_errno)
					    : "");
	else
		log_event(LOG_INFO, "ledger-goes-on", "reason=\"\"");
	wake_loop(s);
}

void scribe_tell_index_down(struct scribe *s)
{
	(void)pthread_mutex_lock(&s->lock);
	if (s->state.index_down_us == 0)
		s->state.index_down_us = clock_mono_us();
	(void)pthread_mutex_unlock(&s->lock);
}

void scribe_tell_progress(struct scribe *s, uint64_t done, bool caught_up)
{
	(void)pthread_mutex_lock(&s->lock);
	s->state.done = done;
	s->state.total = s->work.first_known
				 ? s->work.target_index - s->work.first_index
				 : 0;
	s->state.caught_up = caught_up;
	s->changed = true;
	(void)pthread_mutex_unlock(&s->lock);
	wake_loop(s);
}

void scribe_tell_refusal(struct scribe *s, enum scribe_refusal why)
{
	s->work.refused = true;
	(void)pthread_mutex_lock(&s->lock);
	s->refusal = why;
	s->changed = true;
	(void)pthread_mutex_unlock(&s->lock);
	wake_loop(s);
}

void scribe_tell_indexed(struct scribe *s, uint64_t watermark)
{
	(void)pthread_mutex_lock(&s->lock);
	s->watermark = watermark;
	s->indexed = true;
	(void)pthread_mutex_unlock(&s->lock);
	wake_loop(s);
}

void scribe_tell_published(struct scribe *s, uint64_t size)
{
	(void)pthread_mutex_lock(&s->lock);
	s->state.published = size;
	(void)pthread_mutex_unlock(&s->lock);
}

void scribe_tell_offer(struct scribe *s, uint64_t size,
		       const struct merkle_hash *root)
{
	(void)pthread_mutex_lock(&s->lock);
	s->offer_size = s->state.size = size;
	s->offer_root = *root;
	s->offers = true;
	(void)pthread_mutex_unlock(&s->lock);
	wake_loop(s);
}

/* --- the thread ------------------------------------------------------- */

static void wait_us(struct scribe *s, uint64_t us)
{
	const struct timespec until = clock_timespec(clock_mono_us() + us);

	(void)pthread_cond_timedwait(&s->told, &s->lock, &until);
}

/* Wait until there is something to do, but at most IDLE_US, and then for
 * PAUSE_US more, so that records are taken many at a time.  False: it is to
 * end. */
static bool wait_for_work(struct scribe *s, uint64_t idle_us, uint64_t pause_us)
{
	bool stop;

	(void)pthread_mutex_lock(&s->lock);
	if (idle_us > 0 && !s->stop && !s->has_note && !s->kicked)
		wait_us(s, idle_us);
	if (pause_us > 0 && !s->stop && !s->has_note)
		wait_us(s, pause_us);
	s->kicked = false;
	stop = s->stop;
	(void)pthread_mutex_unlock(&s->lock);
	return !stop;
}

static void take(struct scribe *s, struct scribe_note *from,
		 struct scribe_note *to)
{
	(void)pthread_mutex_lock(&s->lock);
	to->size = from->size;
	to->n = from->n;
	memcpy(to->text, from->text, from->n);
	from->n = 0;
	(void)pthread_mutex_unlock(&s->lock);
}

/* What the witnesses have said. */
static void obey_witnesses(struct scribe *s)
{
	struct scribe_note note;

	take(s, &s->cosigned, &note);
	if (note.n > 0)
		scribe_work_cosigned(s, &note);
	take(s, &s->keep, &note);
	if (note.n > 0)
		scribe_work_keep(s, &note);
}

/* Take what the loop has said to do.  False: it cannot be done now. */
static bool obey(struct scribe *s)
{
	struct scribe_work *w = &s->work;

	(void)pthread_mutex_lock(&s->lock);
	if (s->has_note) {
		memcpy(w->note, s->note, s->note_n);
		w->note_n = s->note_n;
		w->note_key = s->note_key;
		w->answered = true;
		s->has_note = false;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (!scribe_work_publish(s))
		return false;
	obey_witnesses(s);
	return true;
}

/* One turn.  Returns whether there is more to do at once. */
static bool turn(struct scribe *s)
{
	struct scribe_work *w = &s->work;
	bool more;

	if ((!w->begun && !scribe_work_begin(s)) || !obey(s))
		return false;
	more = scribe_work_follow(s);
	scribe_work_offer(s, clock_mono_us());
	return more;
}

static void *run(void *arg)
{
	struct scribe *s = arg;
	const struct scribe_work *w = &s->work;
	const uint64_t pause_us = (uint64_t)s->part.checkpoint_ms * US_PER_MS;
	uint64_t idle_us = 0;
	bool more = true;

	index_reserve();
	while (wait_for_work(s, idle_us,
			     more	 ? 0
			     : w->stands ? RETRY_US
					 : PAUSE_US)) {
		/* Where it is refused only an officer, or time, can help. */
		more = !s->work.refused && turn(s);
		metrics_sample_thread(METRIC_CPU_SCRIBE);
		idle_us = more || w->stands
				  ? 0
				  : scribe_work_idle_us(w, pause_us,
							clock_mono_us());
	}
	/* What was signed at the last moment is still to be published. */
	if (s->work.begun)
		(void)obey(s);
	scribe_work_end(s);
	return NULL;
}

/* --- the loop's side -------------------------------------------------- */

static void on_rung(void *ctx)
{
	struct scribe *s = ctx;
	const struct scribe_events *events = s->part.events;
	struct merkle_hash root;
	bool changed, offers, indexed;
	uint64_t size;
	uint64_t watermark;

	(void)pthread_mutex_lock(&s->lock);
	changed = s->changed;
	offers = s->offers;
	indexed = s->indexed;
	size = s->offer_size;
	root = s->offer_root;
	watermark = s->watermark;
	s->changed = s->offers = s->indexed = false;
	(void)pthread_mutex_unlock(&s->lock);
	if (indexed)
		events->indexed(s->part.ctx, watermark);
	if (changed)
		events->changed(s->part.ctx);
	if (offers)
		events->offer(s->part.ctx, size, &root);
}

void scribe_look(struct scribe *s, struct scribe_state *out)
{
	(void)pthread_mutex_lock(&s->lock);
	*out = s->state;
	(void)pthread_mutex_unlock(&s->lock);
}

enum scribe_refusal scribe_refused(struct scribe *s)
{
	enum scribe_refusal why;

	(void)pthread_mutex_lock(&s->lock);
	why = s->refusal;
	(void)pthread_mutex_unlock(&s->lock);
	return why;
}

void scribe_wake(struct scribe *s)
{
	(void)pthread_mutex_lock(&s->lock);
	if (!s->kicked) {
		s->kicked = true;
		(void)pthread_cond_signal(&s->told);
	}
	(void)pthread_mutex_unlock(&s->lock);
}

void scribe_publish(struct scribe *s, struct span note,
		    const struct note_key *key)
{
	(void)pthread_mutex_lock(&s->lock);
	if (key != NULL)
		s->note_key = *key;
	s->note_n = note.n <= sizeof(s->note) ? note.n : 0;
	if (s->note_n > 0)
		memcpy(s->note, note.p, s->note_n);
	s->has_note = true;
	(void)pthread_cond_signal(&s->told);
	(void)pthread_mutex_unlock(&s->lock);
}

static void give(struct scribe *s, struct scribe_note *to, uint64_t size,
		 struct span note)
{
	(void)pthread_mutex_lock(&s->lock);
	to->size = size;
	to->n = note.n <= sizeof(to->text) ? note.n : 0;
	memcpy(to->text, note.p, to->n);
	s->kicked = true;
	(void)pthread_cond_signal(&s->told);
	(void)pthread_mutex_unlock(&s->lock);
}

void scribe_cosigned(struct scribe *s, uint64_t size, struct span note)
{
	give(s, &s->cosigned, size, note);
}

void scribe_keep(struct scribe *s, struct span note)
{
	give(s, &s->keep, 0, note);
}

/* --- life ------------------------------------------------------------- */

static void on_gone(void *ctx)
{
	struct scribe *s = ctx;

	(void)pthread_cond_destroy(&s->told);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->journal_dir);
	free(s->ledger_dir);
	free(s);
}

static bool make_lock(struct scribe *s)
{
	pthread_condattr_t attr;
	bool made;

	if (pthread_mutex_init(&s->lock, NULL) != 0)
		return false;
	made = pthread_condattr_init(&attr) == 0;
	if (made) {
		made = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
		       pthread_cond_init(&s->told, &attr) == 0;
		(void)pthread_condattr_destroy(&attr);
	}
	if (!made)
		(void)pthread_mutex_destroy(&s->lock);
	return made;
}

enum sg_err scribe_create(const struct scribe_parts *parts, struct scribe **out)
{
	struct scribe *s = calloc(1, sizeof(*s));
	enum sg_err err = SG_NO_MEMORY;

	*out = NULL;
	if (s == NULL)
		return SG_NO_MEMORY;
	s->part = *parts;
	s->nkeys = parts->nkeys;
	for (size_t i = 0; i < s->nkeys; i++)
		s->keys[i] = parts->key[i];
	s->key = s->note_key = s->keys[s->nkeys - 1];
	s->journal_dir = strdup(parts->journal_dir);
	s->ledger_dir = strdup(parts->ledger_dir);
	if (s->journal_dir == NULL || s->ledger_dir == NULL || !make_lock(s))
		goto fail;
	journal_end(parts->journal, &s->work.target_index,
		    &s->work.target_offset);
	err = bell_create(parts->loop, on_rung, s, &s->bell);
	if (err != SG_OK) {
		(void)pthread_cond_destroy(&s->told);
		(void)pthread_mutex_destroy(&s->lock);
		goto fail;
	}
	if (thread_start(&s->thread, "scribe", run, s) != SG_OK) {
		bell_free(s->bell, on_gone);
		return SG_NO_MEMORY;
	}
	*out = s;
	return SG_OK;
fail:
	free(s->journal_dir);
	free(s->ledger_dir);
	free(s);
	return err;
}

void scribe_free(struct scribe *s)
{
	if (s == NULL)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->stop = true;
	(void)pthread_cond_signal(&s->told);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->thread, NULL);
	bell_free(s->bell, on_gone);
}
