/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_lanes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "answer.h"
#include "base/clock.h"
#include "scan.h"

enum {
	FIRST_WAIT_US = 100000, /* of the back-off, doubled each time */
	LONGEST_WAIT_US = 5000000,
	FIRST_CONNECT_S = 10,
	WINDOW_STREAMS = 2, /* windows of records in memory, for each stream */
	TURN_RECORDS = 8192,
	POLL_MS = 500,
	GATHER_NS = 2000000,
	GATHER_MIN = 256 /* records under way */
};

volatile sig_atomic_t engine_stop;

void engine_clean(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

enum sg_err engine_fail(struct engine *e, enum sg_err err, const char *fmt, ...)
{
	va_list ap;

	if (e->err != SG_OK)
		return e->err;
	e->err = err;
	va_start(ap, fmt);
	(void)vsnprintf(e->why, WHY_MAX, fmt, ap);
	va_end(ap);
	engine_clean(e->why);
	return err;
}

/* The job has failed, and knows why. */
static enum sg_err job_failed(struct engine *e, enum sg_err err)
{
	if (e->err == SG_OK) {
		e->err = err;
		e->why[0] = '\0';
	}
	return err;
}

uint64_t engine_back_off(unsigned n)
{
	uint32_t us = FIRST_WAIT_US;

	while (n-- > 1 && us < LONGEST_WAIT_US)
		us *= 2;
	if (us > LONGEST_WAIT_US)
		us = LONGEST_WAIT_US;
	return us / 2 + arc4random_uniform(us / 2);
}

static bool take_record(void *ctx, uint64_t *seq, struct span *text)
{
	struct engine *e = ctx;
	struct window_mark *mark;

	if (engine_stop || !window_take(e->w, e->now, seq))
		return false;
	mark = window_mark(e->w, *seq);
	e->stats->again += mark->sent;
	mark->sent = true;
	*text = window_text(e->w, *seq);
	return true;
}

bool engine_more(const struct engine *e)
{
	return !e->ended || window_has(e->w, e->now);
}

static bool more_records(void *ctx)
{
	return engine_more(ctx);
}

static void lose_record(void *ctx, uint64_t seq)
{
	struct engine *e = ctx;

	window_again(e->w, seq, e->now);
}

static enum sg_err put(struct engine *e, struct span line)
{
	const uint64_t seq = window_base(e->w);
	const struct span text = window_text(e->w, seq);
	const enum sg_err err = e->job->put(e->job->ctx, seq,
					    span_of(text.p, text.n - 1), line);

	if (err != SG_OK)
		return job_failed(e, err);
	window_pop(e->w);
	return SG_OK;
}

/* Give out all answers whose turn it is. */
static enum sg_err deliver(struct engine *e)
{
	enum sg_err err = e->err;
	struct span line;

	while (err == SG_OK && window_front(e->w, &line))
		err = put(e, line);
	return err;
}

/* An answer that asks to come again: shall it?  SEQ keeps it meanwhile. */
static enum sg_err again(struct engine *e, uint64_t seq, struct span line,
			 bool *yes)
{
	struct window_mark *mark = window_mark(e->w, seq);
	enum sg_err err;

	if (mark->tries == 0)
		mark->finals = e->finals;
	mark->tries++;
	*yes = mark->tries <= e->settings->retries || mark->finals == e->finals;
	if (!*yes)
		return SG_OK;
	err = window_keep(e->w, seq, line);
	if (err != SG_OK)
		return engine_fail(e, err, "%s", err_text(err));
	window_again(e->w, seq, e->now + engine_back_off(mark->tries));
	return SG_OK;
}

static enum sg_err settle(struct engine *e, uint64_t seq, struct span line)
{
	enum sg_err err;

	e->finals++;
	e->moved_us = e->now;
	if (seq == window_base(e->w)) {
		err = put(e, line);
		return err == SG_OK ? deliver(e) : err;
	}
	if (e->job->early != NULL) {
		err = e->job->early(e->job->ctx, seq, line);
		if (err != SG_OK)
			return job_failed(e, err);
	}
	err = window_answer(e->w, seq, line);
	return err == SG_OK ? SG_OK : engine_fail(e, err, "%s", err_text(err));
}

/* The failure ERR, for the reason WHY, of the answer to SEQ. */
static enum sg_err fail_record(struct engine *e, enum sg_err err, uint64_t seq,
			       const struct stream *from, char *why)
{
	char name[STREAM_NAME];

	stream_name(from, name);
	https_add_request(name, why, WHY_MAX / 2);
	return engine_fail(e, err, "record %" PRIu64 ": %s", seq + 1, why);
}

/* The client itself is refused, and so would be all records: none of them is
 * to have that for its answer. */
static enum sg_err refuse_client(struct engine *e, uint64_t seq,
				 const struct answer *a, struct span line,
				 const struct stream *from)
{
	struct span detail = SPAN_LIT("no reason was given");
	char why[WHY_MAX / 2];
	struct span value;

	if (scan_find(line, "detail", &value))
		(void)scan_string(value, &detail);
	(void)snprintf(why, sizeof(why),
		       "the server refuses this client (%d): %.*s", a->status,
		       (int)(detail.n < sizeof(why) ? detail.n : sizeof(why)),
		       (const char *)detail.p);
	return fail_record(e, SG_FORBIDDEN, seq, from, why);
}

static enum sg_err take_answer(void *ctx, uint64_t seq, struct span line,
			       const struct stream *from)
{
	char none[WHY_MAX / 2] = "what the server sends is no answer";
	char other[WHY_MAX / 2] = "the server's answer is about another record";
	struct engine *e = ctx;
	struct answer a;
	bool yes = false;
	enum sg_err err = SG_OK;

	e->connected = true;
	if (!window_open(e->w, seq))
		return SG_OK; /* settled while it was on its way */
	answer_read(line, &a);
	if (a.kind == ANSWER_NONE) {
		if (++window_mark(e->w, seq)->tries > e->settings->retries)
			return fail_record(e, SG_IO, seq, from, none);
		return SG_MALFORMED;
	}
	if (!answer_fits(&a, window_text(e->w, seq)))
		return fail_record(e, SG_CONFLICT, seq, from, other);
	if (a.status == 401 || a.status == 403)
		return refuse_client(e, seq, &a, line, from);
	if (a.again && !a.quota)
		err = again(e, seq, line, &yes);
	if (err != SG_OK || yes)
		return err;
	return settle(e, seq, line);
}

/* Read records as long as there is room. */
static enum sg_err admit(struct engine *e)
{
	enum sg_err err = SG_OK;

	e->waiting = false;
	for (int i = 0; i < TURN_RECORDS && err == SG_OK; i++) {
		const uint64_t seq = window_next(e->w);
		struct span known = {0};
		struct span text;
		enum lines_got got;

		if (e->ended || !window_room(e->w))
			return SG_OK;
		got = e->job->next(e->job->ctx, &text, &known);
		e->waiting = got == LINES_WAIT;
		e->ended = got == LINES_END;
		if (got == LINES_FAULT)
			return job_failed(e, SG_IO);
		if (got != LINES_LINE)
			return SG_OK;
		err = window_admit(e->w, text);
		if (err == SG_OK && known.n > 0)
			err = window_answer(e->w, seq, known);
		if (err != SG_OK)
			return engine_fail(e, err, "%s", err_text(err));
		err = deliver(e);
	}
	return err;
}

/* Nothing gets through: is it time to give up? */
static enum sg_err be_patient(struct engine *e)
{
	uint64_t limit_s = e->settings->give_up_s;

	if (window_base(e->w) == window_next(e->w)) {
		e->moved_us = e->now;
		return SG_OK;
	}
	if (!e->connected && limit_s > FIRST_CONNECT_S)
		limit_s = FIRST_CONNECT_S;
	if (e->now - e->moved_us <= limit_s * US)
		return SG_OK;
	/* At the end of the input, what the server said last is an answer. */
	if (e->ended && e->finals > 0 && window_settle(e->w))
		return deliver(e);
	return engine_fail(e, SG_TIMED_OUT, "%s: given up after %" PRIu64 " s",
			   e->stats->note[0] != '\0'
				   ? e->stats->note
				   : "the server does not answer",
			   limit_s);
}

static bool is_done(const struct engine *e)
{
	return e->ended && window_base(e->w) == window_next(e->w);
}

/* How long poll may sleep. */
static int nap_ms(const struct engine *e)
{
	uint64_t until = e->now + (uint64_t)POLL_MS * 1000;

	if (!e->ended && !e->waiting && window_room(e->w))
		return 0;
	if (window_due(e->w) < until)
		until = window_due(e->w);
	for (unsigned i = 0; i < e->settings->streams; i++) {
		const struct lane *l = &e->lane[i];
		const uint64_t at =
			l->not_before > e->hold_us ? l->not_before : e->hold_us;

		if (!stream_active(l->s) && at > e->now && at < until)
			until = at;
	}
	/* Not less than a millisecond: what is due now waits for room. */
	return until <= e->now ? 1 : (int)((until - e->now) / 1000) + 1;
}

/* While much is under way, answers come all the time: let some of them gather,
 * since each wake costs as much as a record. */
static void let_gather(const struct engine *e)
{
	const struct timespec pause = {.tv_nsec = GATHER_NS};
	size_t flying = 0;

	for (unsigned i = 0; i < e->settings->streams; i++)
		flying += stream_flying(e->lane[i].s);
	if (flying > e->settings->window / 4 && flying > GATHER_MIN)
		(void)nanosleep(&pause, NULL);
}

static void sleep_until_something(struct engine *e)
{
	struct curl_waitfd fd = {.fd = -1, .events = CURL_WAIT_POLLIN};
	const int ms = nap_ms(e);

	if (ms == 0)
		return;
	let_gather(e);
	if (e->waiting)
		fd.fd = e->job->wait_fd(e->job->ctx);
	(void)curl_multi_poll(e->multi, &fd, e->waiting ? 1 : 0, ms, NULL);
}

static enum sg_err turn(struct engine *e)
{
	enum sg_err err;
	int running;

	e->now = clock_mono_us();
	err = admit(e);
	if (err == SG_OK)
		err = lanes_tend(e);
	if (err == SG_OK && curl_multi_perform(e->multi, &running) != CURLM_OK)
		err = engine_fail(e, SG_IO, "libcurl has failed");
	if (err == SG_OK)
		err = e->err;
	if (err == SG_OK)
		err = lanes_reap(e);
	if (err == SG_OK)
		err = be_patient(e);
	if (err == SG_OK && engine_stop)
		err = engine_fail(e, SG_CLOSED, "stopped by a signal");
	if (err != SG_OK)
		return err;
	if (e->now - e->moved_us < US)
		e->stats->note[0] = '\0';
	err = e->job->turn(e->job->ctx, e->w);
	return err == SG_OK ? SG_OK : job_failed(e, err);
}

static enum sg_err prepare(struct engine *e, const struct args *args)
{
	const size_t streams = e->settings->streams;
	const struct stream_hooks hooks = {
		.ctx = e,
		.next = take_record,
		.more = more_records,
		.answer = take_answer,
		.lost = lose_record,
	};

	e->multi = curl_multi_init();
	e->lane = calloc(streams, sizeof(*e->lane));
	if (e->multi == NULL || e->lane == NULL ||
	    window_create(streams * WINDOW_STREAMS * e->settings->window,
			  streams * WINDOW_STREAMS * STREAM_BYTES_MAX,
			  e->settings->first, &e->w) != SG_OK)
		return engine_fail(e, SG_NO_MEMORY, "%s",
				   err_text(SG_NO_MEMORY));
	/* A connection for each stream, also where HTTP/2 could share one. */
	(void)curl_multi_setopt(e->multi, CURLMOPT_PIPELINING,
				(long)CURLPIPE_NOTHING);
	return lanes_open(e, args, &hooks);
}

enum sg_err engine_run(const struct args *args,
		       const struct engine_settings *settings,
		       const struct engine_job *job, struct engine_stats *stats,
		       char *why)
{
	struct engine e = {.settings = settings,
			   .job = job,
			   .stats = stats,
			   .why = why,
			   .now = clock_mono_us()};
	enum sg_err err;

	*stats = (struct engine_stats){0};
	why[0] = '\0';
	e.moved_us = e.now;
	err = prepare(&e, args);
	while (err == SG_OK && !is_done(&e)) {
		err = turn(&e);
		if (err == SG_OK && !is_done(&e))
			sleep_until_something(&e);
	}
	if (err == SG_OK)
		lanes_farewell(&e);
	if (e.lane != NULL)
		lanes_close(&e);
	window_free(e.w);
	free(e.lane);
	curl_multi_cleanup(e.multi);
	return err;
}
