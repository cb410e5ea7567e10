/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "audit_state.h"

enum {
	SERVER_JOBS = 8, /* requests in flight, at least */
	SHOW_EVERY_MS = 100
};

void audit_fail(struct audit *a, enum sg_err err, const char *why)
{
	(void)pthread_mutex_lock(&a->lock);
	if (a->err == SG_OK) {
		a->err = err;
		(void)snprintf(a->why, sizeof(a->why), "%s", why);
	}
	(void)pthread_mutex_unlock(&a->lock);
	atomic_store(&a->ended, true);
}

bool audit_ended(struct audit *a)
{
	if (a->settings->stop != NULL && *a->settings->stop != 0)
		audit_fail(a, SG_CLOSED, "stopped");
	return atomic_load(&a->ended);
}

void audit_doubt(struct audit *a, const struct audit_doubt *d)
{
	(void)pthread_mutex_lock(&a->lock);
	if (a->ndoubts < FINDINGS_MAX)
		a->doubt[a->ndoubts++] = *d;
	(void)pthread_mutex_unlock(&a->lock);
}

/* Is so much wrong already that more of it tells nothing? */
static bool is_enough(struct audit *a)
{
	bool full;

	(void)pthread_mutex_lock(&a->lock);
	full = a->ndoubts == FINDINGS_MAX;
	(void)pthread_mutex_unlock(&a->lock);
	return full || findings_full(a->findings);
}

bool audit_read(struct audit_worker *w, const struct tile *t, uint8_t *buf,
		size_t cap, size_t *len)
{
	const bool entries = t->level == TILE_ENTRIES;
	const struct finding_place place = findings_tile(t);
	const enum sg_err err = source_tile(w->source, t, buf, cap, len);

	switch (err) {
	case SG_OK: return true;
	case SG_NOT_FOUND:
		findings_add(w->a->findings,
			     entries ? FINDING_BUNDLE_MISSING
				     : FINDING_TILE_MISSING,
			     &place, "%s", source_why(w->source));
		return false;
	case SG_MALFORMED:
	case SG_TOO_BIG:
		findings_add(w->a->findings,
			     entries ? FINDING_BUNDLE_MALFORMED
				     : FINDING_TILE_SHORT,
			     &place, "%s", source_why(w->source));
		return false;
	default: audit_fail(w->a, err, source_why(w->source)); return false;
	}
}

/* --- threads -------------------------------------------------------------- */

static void *work(void *arg)
{
	struct audit_worker *w = arg;
	struct audit *a = w->a;

	while (!audit_ended(a) && !is_enough(a)) {
		const unsigned i = atomic_fetch_add(&a->next, 1);

		if (i >= a->n)
			break;
		audit_bundle(w, a->first + i);
	}
	(void)pthread_mutex_lock(&a->lock);
	a->running--;
	(void)pthread_cond_signal(&a->left);
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Until all threads have ended. */
static void wait_for_all(struct audit *a)
{
	struct timespec until;

	(void)pthread_mutex_lock(&a->lock);
	while (a->running > 0) {
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += SHOW_EVERY_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		(void)pthread_cond_timedwait(&a->left, &a->lock, &until);
		bar_show(&a->bar, atomic_load(&a->done));
	}
	(void)pthread_mutex_unlock(&a->lock);
}

static void read_window(struct audit *a, struct audit_worker *workers,
			unsigned jobs)
{
	unsigned started = 0;

	atomic_store(&a->next, 0);
	a->running = jobs;
	for (; started < jobs; started++)
		if (pthread_create(&workers[started].thread, NULL, work,
				   &workers[started]) != 0)
			break;
	if (started < jobs) {
		audit_fail(a, SG_NO_MEMORY, "cannot start a thread");
		(void)pthread_mutex_lock(&a->lock);
		a->running -= jobs - started;
		(void)pthread_mutex_unlock(&a->lock);
	}
	wait_for_all(a);
	while (started > 0)
		(void)pthread_join(workers[--started].thread, NULL);
}

/* --- all of it ------------------------------------------------------------ */

static void worker_close(struct audit_worker *w)
{
	source_close(w->source);
	tiles_close(w->copy);
	merkle_free(w->m);
	free(w->entries);
}

static enum sg_err worker_open(struct audit *a, struct audit_worker *w,
			       char *why, size_t cap)
{
	const struct audit_settings *s = a->settings;
	enum sg_err err;

	*w = (struct audit_worker){.a = a};
	err = source_open(&s->where, &w->source, why, cap);
	if (err != SG_OK)
		return err;
	w->entries = malloc(TILE_BUNDLE_MAX);
	err = w->entries == NULL ? SG_NO_MEMORY : merkle_create(&w->m);
	if (err == SG_OK && s->copy != NULL)
		err = tiles_open(s->copy, false, &w->copy);
	if (err == SG_OK && s->copy != NULL)
		tiles_doubt(w->copy); /* an earlier run may have failed */
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", err_text(err));
		worker_close(w);
		return err;
	}
	w->upper = source_hashes(w->source, w->m, s->size);
	return SG_OK;
}

static unsigned count_jobs(const struct audit_settings *s, bool remote)
{
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned jobs = s->jobs;

	if (jobs == 0)
		jobs = online > 0 ? (unsigned)online : 1;
	if (s->jobs == 0 && remote && jobs < SERVER_JOBS)
		jobs = SERVER_JOBS;
	return jobs < AUDIT_JOBS_MAX ? jobs : AUDIT_JOBS_MAX;
}

static enum sg_err read_all(struct audit *a, struct audit_worker *workers,
			    unsigned jobs)
{
	const uint64_t size = a->settings->size;
	const uint64_t end = size / TILE_WIDTH + (size % TILE_WIDTH != 0);
	enum sg_err err = audit_tower_begin(&workers[0]);

	a->first = a->settings->from / TILE_WIDTH;
	while (err == SG_OK && a->first < end && !is_enough(a)) {
		a->n = end - a->first < AUDIT_WINDOW
			       ? (unsigned)(end - a->first)
			       : AUDIT_WINDOW;
		read_window(a, workers, a->n < jobs ? a->n : jobs);
		if (audit_ended(a))
			break;
		/* Enough is wrong: some of the window may be unread. */
		if (!is_enough(a))
			err = audit_tower_grow(&workers[0]);
		a->first += a->n;
	}
	if (err == SG_OK && !audit_ended(a))
		err = audit_tower_end(&workers[0]);
	if (err != SG_OK)
		audit_fail(a, err, err_text(err));
	return a->err;
}

static enum sg_err run_with(struct audit *a, struct audit_worker *workers,
			    struct audit_result *out, char *why, size_t cap)
{
	const struct audit_settings *s = a->settings;
	unsigned opened = 1;
	enum sg_err err = worker_open(a, &workers[0], why, cap);

	if (err != SG_OK)
		return err;
	out->jobs = count_jobs(s, source_remote(workers[0].source));
	for (; opened < out->jobs; opened++) {
		err = worker_open(a, &workers[opened], why, cap);
		if (err != SG_OK)
			break;
	}
	if (err == SG_OK) {
		bar_begin(&a->bar, s->quiet, "entries",
			  s->size - s->from / TILE_WIDTH * TILE_WIDTH);
		err = read_all(a, workers, out->jobs);
		bar_end(&a->bar);
		out->seconds = bar_seconds(&a->bar);
		out->entries = atomic_load(&a->done);
		out->reused = atomic_load(&a->reused);
		if (err != SG_OK)
			(void)snprintf(why, cap, "%s", a->why);
	}
	while (opened > 0)
		worker_close(&workers[--opened]);
	return err;
}

enum sg_err audit_run(const struct audit_settings *settings, struct findings *f,
		      struct audit_result *out, char *why, size_t cap)
{
	struct audit *a = calloc(1, sizeof(*a));
	struct audit_worker *workers = calloc(AUDIT_JOBS_MAX, sizeof(*workers));
	enum sg_err err = SG_NO_MEMORY;

	*out = (struct audit_result){0};
	(void)snprintf(why, cap, "%s", err_text(err));
	if (a == NULL || workers == NULL)
		goto fail_alloc;
	a->settings = settings;
	a->findings = f;
	a->bundle = calloc(AUDIT_WINDOW, sizeof(*a->bundle));
	if (a->bundle == NULL)
		goto fail_alloc;
	if (pthread_mutex_init(&a->lock, NULL) != 0)
		goto fail_lock;
	if (pthread_cond_init(&a->left, NULL) != 0)
		goto fail_cond;
	err = run_with(a, workers, out, why, cap);
	(void)pthread_cond_destroy(&a->left);
fail_cond:
	(void)pthread_mutex_destroy(&a->lock);
fail_lock:
	free(a->bundle);
fail_alloc:
	free(workers);
	free(a);
	return err;
}
