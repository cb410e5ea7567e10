/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

enum { BATCH_MAX = 32 /* records that are worth a frame */ };

uint64_t stream_cpu_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- what is sent --- */

const char *stream_path(const struct stream *s)
{
	return s->settings->validate ? "/v1/validations" : "/v1/certificates";
}

const char *stream_type(const struct stream *s)
{
	return s->settings->form == RECORDS_JSON ? "application/x-ndjson"
						 : "application/cbor-seq";
}

/* Nothing new is begun? */
static bool stopping(const struct stream *s)
{
	const struct bulk *b = s->bulk;
	const struct bulk_settings *set = b->settings;

	return b->phase == BULK_DRAINING ||
	       (set->nrecords > 0 && b->result->sent_all >= set->nrecords);
}

/* The UVCI's number of record K of S: no two streams share one. */
static uint64_t number_of(const struct stream *s, uint64_t k)
{
	return k * s->bulk->nstreams + s->index;
}

static const struct record *record_of(const struct stream *s, uint64_t k)
{
	const struct records *r = s->settings->records;

	return &r->record[k % r->n];
}

static bool has_room(const struct stream *s, unsigned batch)
{
	const uint64_t in_flight = s->sent - s->answered;

	return s->window == 0 || in_flight + batch <= s->window;
}

/* Fewer than that are not worth a frame of their own. */
static unsigned batch(const struct stream *s)
{
	const unsigned quarter = s->window / 4;

	if (quarter == 0)
		return 1;
	return quarter < BATCH_MAX ? quarter : BATCH_MAX;
}

bool stream_wants(const struct stream *s)
{
	if (s->rest_n > 0)
		return true;
	if (s->held || s->ended)
		return false;
	return stopping(s) || has_room(s, batch(s));
}

static bool next_record(struct stream *s)
{
	const struct bulk_settings *set = s->settings;
	const struct record *r = record_of(s, s->sent);

	if (stopping(s) || !has_room(s, 1))
		return false;
	memcpy(s->record, r->body, r->n);
	record_put_uvci(r, set->run, number_of(s, s->sent), s->record);
	s->rest_at = 0;
	s->rest_n = r->n;
	if (set->form == RECORDS_JSON)
		s->record[s->rest_n++] = '\n';
	s->sent++;
	s->bulk->result->sent_all++;
	return true;
}

size_t stream_fill(struct stream *s, uint8_t *to, size_t cap)
{
	size_t n = 0;

	if (!stream_wants(s))
		return 0;
	while (n < cap && (s->rest_n > 0 || next_record(s))) {
		const size_t some = s->rest_n < cap - n ? s->rest_n : cap - n;

		memcpy(to + n, s->record + s->rest_at, some);
		s->rest_at += some;
		s->rest_n -= some;
		n += some;
	}
	s->ended = s->rest_n == 0 && stopping(s);
	return n;
}

/* --- what comes back --- */

static void sample(struct bulk *b, const struct answer *a, struct span uvci)
{
	const struct bulk_settings *set = b->settings;
	const uint64_t before = stream_cpu_us();

	b->result->sampled++;
	if (!set->sample(set->sample_ctx, a->text, uvci))
		b->result->sampled_wrong++;
	b->sample_cpu_us += stream_cpu_us() - before;
}

/* Is the answer what the record deserves?  What is refused for lack of time or
 * room is not judged by what it is. */
static bool expected(const struct stream *s, const struct record *r,
		     const struct answer *a)
{
	if (r->flaw == NULL)
		return a->status == 200 &&
		       a->certificate != s->settings->validate;
	return a->status >= 400;
}

static void count_second(struct bulk *b)
{
	const uint64_t second = (b->answered_us - b->phase_us) / 1000000;

	if (b->phase == BULK_MEASURING && second < BULK_SECONDS_MAX)
		b->result->second[second]++;
}

/* The server echoes nothing of a person in a problem. */
static void note(struct bulk_result *r, const struct stream *s,
		 const struct answer *a)
{
	if (r->unexpected++ > 0 || s->settings->form != RECORDS_JSON ||
	    a->status < 400)
		return;
	(void)snprintf(r->surprise, sizeof(r->surprise), "%.*s",
		       (int)(a->text.n < BULK_REASON_MAX ? a->text.n
							 : BULK_REASON_MAX),
		       (const char *)a->text.p);
}

static enum sg_err take(void *ctx, const struct answer *a)
{
	struct stream *s = ctx;
	struct bulk *b = s->bulk;
	struct bulk_result *r = b->result;
	const struct bulk_settings *set = s->settings;
	const struct record *record = record_of(s, s->answered);
	const int status = a->status < LOAD_STATUS_MAX ? a->status : 0;

	/* More answers than records: another stream's, or none of ours. */
	if (s->answered == s->sent)
		return SG_MALFORMED;
	if (bulk_measuring(b) && s != b->deaf) {
		r->answers++;
		r->by_status[status]++;
	}
	if (s != b->deaf) {
		r->phase_answers[b->phase]++;
		count_second(b);
	}
	if (!expected(s, record, a))
		note(r, s, a);
	if (a->certificate && set->sample_every > 0 &&
	    r->answers_all % set->sample_every == 0) {
		char uvci[RECORDS_UVCI];

		records_uvci(set->run, number_of(s, s->answered), uvci);
		sample(b, a, span_of(uvci, sizeof(uvci)));
	}
	s->answered++;
	r->answers_all++;
	return SG_OK;
}

/* Why the whole request was refused, as the answer's text has it. */
static void take_reason(struct stream *s, struct span run)
{
	char *reason = s->bulk->result->reason;

	(void)snprintf(reason, BULK_REASON_MAX, "status %d: %.*s", s->status,
		       (int)(run.n < 120 ? run.n : 120), (const char *)run.p);
}

enum sg_err stream_data(struct stream *s, struct span run)
{
	struct bulk *b = s->bulk;
	enum sg_err err;

	b->answered_us = clock_mono_us();
	if (s->status != 200) {
		if (run.n > 0 && !s->broken)
			take_reason(s, run);
		s->broken = true;
		return SG_OK;
	}
	err = answers_feed(&s->answers, run, take, s);
	if (b->settings->progress != NULL)
		atomic_store_explicit(&b->settings->progress->answers,
				      b->result->answers_all,
				      memory_order_relaxed);
	return err;
}

void stream_done(struct stream *s, bool whole)
{
	s->done = true;
	if (!whole || s->status != 200 || !s->ended || s->answered != s->sent ||
	    !answers_whole(&s->answers))
		s->broken = true;
	if (s->broken && s->bulk->result->reason[0] == '\0')
		(void)snprintf(s->bulk->result->reason, BULK_REASON_MAX,
			       "status %d; the answer ended early", s->status);
}
