/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of a stream. */
#include "api_stream.h"
#include "base/clock.h"

enum {
	/* After an answer that says "not now": as its Retry-After would. */
	HOLD_MS = 1000,
	GUESS_WEIGHT = 8 /* an answer counts an eighth */
};

/* --- answers ----------------------------------------------------------- */

void api_stream_begin(struct api_stream *s)
{
	const struct http_reply r = {.status = 200,
				     .content_type = media_text(s->call->form)};

	if (s->begun)
		return;
	s->begun = true;
	exchange_begin(s->x, &r);
}

static void write_answer(struct api_stream *s, struct span line)
{
	if (exchange_waiting(s->x) == 0)
		s->moved_ms = api_stream_now_ms(s);
	s->guess = (s->guess * (GUESS_WEIGHT - 1) + line.n) / GUESS_WEIGHT;
	/* A transport without memory breaks off by itself. */
	if (!s->finished && exchange_write(s->x, line) != SG_OK)
		s->finished = true;
	api_stream_recount(s);
}

/* The document D as a line or an item; empty if it is too large. */
static struct span done_answer(struct doc *d)
{
	struct span line;

	if (d->form == DOC_JSON)
		cbor_put_raw(&d->w, SPAN_LIT("\n"));
	return doc_done(d, &line) == SG_OK ? line : SPAN_LIT("");
}

static struct span problem_answer(struct api_stream *s, const struct problem *p)
{
	struct doc d = api_begin_doc(s->call);
	const struct problem bare = {
		.err = p->err, .id = p->id, .language = s->language};
	struct problem said = *p;
	struct span line;

	said.language = s->language;
	problem_write(&d, &said);
	line = done_answer(&d);
	if (line.n > 0)
		return line;
	d = api_begin_doc(s->call); /* too much text: the bare fact */
	problem_write(&d, &bare);
	return done_answer(&d);
}

static struct span failure_answer(struct api_stream *s, struct span id,
				  enum sg_err err, const char *detail)
{
	const struct problem p = {
		.err = err,
		.id = id,
		.detail = detail != NULL ? span_str(detail) : SPAN_LIT(""),
	};

	return problem_answer(s, &p);
}

void api_stream_finish(struct api_stream *s)
{
	const bool complete = s->ended && !s->hungry && !s->resting;

	if (s->finished || records_count(&s->records) > 0 ||
	    (s->cut == SG_OK && !complete))
		return;
	api_stream_begin(s);
	if (s->cut != SG_OK)
		write_answer(s, failure_answer(s, SPAN_LIT(""), s->cut,
					       s->cut_detail));
	if (s->finished)
		return;
	s->finished = true;
	wheel_clear(&s->tick);
	exchange_finish(s->x);
}

/* R's answer is LINE, empty if there was no memory to keep it: in its turn. */
static void answer(struct api_stream *s, struct record *r, struct span line)
{
	struct span kept;

	metric_add(METRIC_STREAM_RECORDS, 1);
	metric_time(HISTOGRAM_RECORD_TIME, clock_mono_us() - r->taken_us);
	if (!records_is_next(&s->records, r)) {
		record_answered(r, line);
		return;
	}
	write_answer(s, line);
	records_pop(&s->records);
	while ((r = records_next_answered(&s->records, &kept)) != NULL) {
		if (kept.n == 0)
			kept = failure_answer(s, record_id(r), SG_NO_MEMORY,
					      NULL);
		write_answer(s, kept);
		records_pop(&s->records);
	}
}

/* --- what the core says ------------------------------------------------ */

/* The core's pace: too many in flight run into their deadlines. */
static void adapt(struct api_stream *s, enum sg_err err)
{
	if (err == SG_OK && s->limit < RECORDS_MAX)
		s->limit++;
	if (err == SG_TIMED_OUT && s->limit / 2 >= API_STREAM_WINDOW_MIN)
		s->limit /= 2;
	if (err_http(err) == 503)
		s->hold_ms = api_stream_now_ms(s) + HOLD_MS;
}

void api_stream_refuse(struct api_stream *s, struct record *r, enum sg_err err,
		       const char *detail)
{
	adapt(s, err);
	answer(s, r, failure_answer(s, record_id(r), err, detail));
}

void api_stream_refuse_with(struct api_stream *s, struct record *r,
			    struct problem *p)
{
	p->id = record_id(r);
	adapt(s, p->err);
	answer(s, r, problem_answer(s, p));
}

static struct span issued_answer(struct api_stream *s, const struct record *r,
				 const struct wire_issued *m)
{
	struct api *a = s->call->api;
	struct doc d = api_begin_doc(s->call);
	struct certificate_parts parts = {.id = record_id(r)};
	size_t n = 0;

	if (m->dry_run) {
		certificate_verdict(&d, m, parts.id);
		return done_answer(&d);
	}
	if (d.form == DOC_JSON && hc1_encode(a->deflate, m->cose, a->hc1,
					     sizeof(a->hc1), &n) != SG_OK)
		return failure_answer(s, parts.id, SG_INTERNAL, NULL);
	parts.hc1 = span_of(a->hc1, n);
	parts.origin = api_ledger_origin(s->call);
	certificate_write(&d, m, &parts);
	return done_answer(&d);
}

/* What the core said instead of a certificate, or ERR. */
static struct span refused_answer(struct api_stream *s, const struct record *r,
				  const struct wire_msg *m, enum sg_err *err)
{
	uint32_t retry_after_s; /* a line has no place for it */
	struct problem p = api_core_problem(m, *err, &retry_after_s);

	p.id = record_id(r);
	*err = p.err;
	return problem_answer(s, &p);
}

void api_stream_answered(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct record *r = (struct record *)asker;
	struct api_stream *s = (struct api_stream *)record_owner(r);
	struct wire_issued issued;
	struct wire_later later;
	struct span line;

	r->asked = false;
	if (m != NULL && m->type == WIRE_LATER &&
	    wire_get_later(m, &later) == SG_OK) {
		api_stream_later(s, r, &later);
		return;
	}
	if (m != NULL && m->type == WIRE_ISSUED &&
	    wire_get_issued(m, &issued) == SG_OK &&
	    issued.dry_run == api_is_validation(s->call))
		line = issued_answer(s, r, &issued);
	else
		line = refused_answer(s, r, m, &err);
	adapt(s, err);
	answer(s, r, line);
	api_stream_stir(s);
	api_stream_finish(s);
}
