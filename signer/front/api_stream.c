/* SPDX-License-Identifier: Apache-2.0 */
/* A stream to POST /v1/certificates, /v1/validations or /v1/renewals. */
#include "api_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "dcc_cbor.h"
#include "dcc_json.h"
#include "peer.h"

enum {
	TURN_RECORDS = 64, /* of a stream; then the others have their turn */
	/* Of answers that wait for their reader, those to come included. */
	ANSWERS_MAX = 4 << 20,
	/* The same of all streams, and of those of one client: beyond it each
	 * has only so little. */
	ANSWERS_ALL_MAX = 256 << 20,
	ANSWERS_CLIENT_MAX = 64 << 20,
	ANSWERS_MIN = 16 << 10,
	/* Requests of one client's streams that were not looked at. */
	INPUT_CLIENT_MAX = 64 << 20,
	ANSWER_GUESS = 1024,
	TICK_MS = 1000,
	US_PER_MS = 1000,
	/* Of a reader that takes nothing.  Of a record, too, from its first to
	 * its last byte: who does not read may not have heard that it may go
	 * on. */
	STALL_MS = 120 * 1000,
	RECORD_MAX = EXCHANGE_BACKLOG_MAX / 2
};

/* --- whose turn it is -------------------------------------------------- */

static struct api *api_of(const struct api_stream *s)
{
	return s->call->api;
}

uint64_t api_stream_now_ms(const struct api_stream *s)
{
	return wheel_now_ms(&s->x->front->wheel);
}

void api_stream_hunger(struct api_stream *s)
{
	struct api *a = api_of(s);

	if (s->resting)
		return;
	a->stirred = true;
	if (s->hungry)
		return;
	s->hungry = true;
	if (a->hungry_of[s->client]++ == 0)
		a->nclients++;
	TAILQ_INSERT_TAIL(&a->hungry, s, entry);
}

void api_stream_sate(struct api_stream *s)
{
	struct api *a = api_of(s);

	if (!s->hungry)
		return;
	s->hungry = false;
	if (--a->hungry_of[s->client] == 0)
		a->nclients--;
	TAILQ_REMOVE(&a->hungry, s, entry);
}

void api_stream_stir(const struct api_stream *s)
{
	api_of(s)->stirred = true;
}

static void count_answers(struct api_stream *s, size_t n)
{
	struct api *a = api_of(s);

	a->answers = a->answers - s->counted + n;
	a->answers_of[s->client] += (uint32_t)n - (uint32_t)s->counted;
	s->counted = n;
}

void api_stream_recount(struct api_stream *s)
{
	count_answers(s, exchange_waiting(s->x));
}

/* --- what the client sends --------------------------------------------- */

void api_stream_ask(struct api_stream *s, struct record *r,
		    const struct brought *b, uint64_t now_us)
{
	const struct exchange *x = s->x;
	const uint64_t within_us =
		(uint64_t)x->front->settings.request_ms * US_PER_MS;
	const struct wire_issue issue = {
		.dry_run = api_is_validation(s->call),
		.renew = api_is_renewal(s->call),
		.bulk = true,
		.name = x->name,
		.line = r->number,
		.language = (uint8_t)s->language,
		.identity = span_of(x->peer->identity, x->peer->identity_n),
		.request = b->request,
		.presented = b->presented,
		.signature = b->signature,
		.deadline_us = now_us + within_us,
	};
	const enum sg_err err = core_link_issue(
		x->front->link, &issue, api_stream_answered, r, &r->question);

	r->asked = err == SG_OK;
	if (err != SG_OK)
		api_stream_refuse(s, r, err, NULL);
}

/* TEXT is what the client has sent as R. */
static void ask(struct api_stream *s, struct record *r, struct span text)
{
	struct dcc_scratch *scratch = &api_of(s)->dcc;
	const char *detail = NULL;
	struct problem p;
	struct brought b = {0};
	enum sg_err err = s->cutter.form == CUTTER_ITEMS
				  ? dcc_cbor_read(scratch, text, &b.request)
				  : dcc_json_read(scratch, text, &b.request);

	if (err == SG_OK)
		err = signed_body_open(&api_of(s)->signed_body, scratch,
				       &b.request, &b.signature);

	if (err != SG_OK && scratch->detail[0] != '\0')
		detail = scratch->detail;
	if (err == SG_OK)
		err = record_keep_id(r, certificate_id(b.request));
	if (err != SG_OK) {
		api_stream_refuse(s, r, err, detail);
		return;
	}
	if (api_unwrap(s->call, &b, &p) != SG_OK) {
		api_stream_refuse_with(s, r, &p);
		return;
	}
	api_stream_ask(s, r, &b, r->taken_us);
	api_stream_paced(s);
}

bool api_stream_hold_input(struct api_stream *s, size_t n)
{
	uint32_t *input = &api_of(s)->input_of[s->client];

	if (n > INPUT_CLIENT_MAX - *input)
		return false;
	*input += (uint32_t)n;
	return true;
}

void api_stream_drop_input(const struct api_stream *s, size_t n)
{
	api_of(s)->input_of[s->client] -= (uint32_t)n;
}

/* N bytes of the input are done with. */
static void used(struct api_stream *s, size_t n)
{
	if (n == 0)
		return;
	bytes_drop(&s->in, n);
	api_stream_drop_input(s, n);
	exchange_took(s->x, n);
}

static void refuse_too_large(struct api_stream *s, struct record *r)
{
	char text[EXCHANGE_DETAIL_MAX];

	(void)snprintf(text, sizeof(text),
		       "the record is too large: at most %zu bytes are taken",
		       s->cutter.max);
	api_stream_refuse(s, r, SG_TOO_BIG, text);
}

enum next { NEXT_TAKEN, NEXT_NONE };

/* Take the next record of the input; the core is DOWN. */
static enum next take(struct api_stream *s, uint64_t now, bool down)
{
	struct span text;
	struct record *r;
	size_t n;
	const enum cutter_result got = cutter_next(
		&s->cutter, bytes_view(&s->in), s->ended, &text, &n);

	if (got == CUTTER_LOST) {
		api_stream_cut(s, SG_MALFORMED,
			       "not a CBOR sequence: the record is not "
			       "well-formed, and nobody can say where the next "
			       "one begins");
		return NEXT_NONE;
	}
	if (got == CUTTER_MORE) {
		used(s, n);
		return NEXT_NONE;
	}
	r = records_push(&s->records, s, now);
	if (got == CUTTER_TOO_BIG)
		refuse_too_large(s, r);
	else if (down)
		api_stream_refuse(s, r, SG_CORE_DOWN, NULL);
	else
		ask(s, r, text);
	used(s, n);
	s->partial_ms = api_stream_now_ms(s); /* of the next one */
	return NEXT_TAKEN;
}

/* --- how much at a time ------------------------------------------------ */

enum may { MAY_TAKE, MAY_NOT, MAY_REFUSE };

static uint32_t at_least(uint32_t min, size_t n)
{
	return n > min ? (uint32_t)n : min;
}

/* Records that S and the other streams of its client may have in flight, now
 * that so many clients are hungry.  A quarter of what the core takes is left
 * for single requests. */
static uint32_t client_share(const struct api_stream *s, uint32_t credit)
{
	return at_least(API_STREAM_WINDOW_MIN,
			(credit - credit / 4) / api_of(s)->nclients);
}

/* Of them, those of S alone. */
static uint32_t share(const struct api_stream *s, uint32_t of_client)
{
	const uint32_t mine =
		at_least(API_STREAM_WINDOW_MIN,
			 of_client / api_of(s)->hungry_of[s->client]);

	return mine < s->limit ? mine : s->limit;
}

/* Bytes of S's answers that may wait for their reader. */
static size_t answers_max(const struct api_stream *s)
{
	const struct api *a = api_of(s);

	return a->answers >= ANSWERS_ALL_MAX ||
			       a->answers_of[s->client] >= ANSWERS_CLIENT_MAX
		       ? ANSWERS_MIN
		       : ANSWERS_MAX;
}

/* The core is started again, and a stream has time; but not for ever. */
static bool may_refuse(struct api_stream *s)
{
	const uint64_t now = api_stream_now_ms(s);

	if (!s->down) {
		s->down = true;
		s->down_ms = now;
	}
	return now - s->down_ms > s->x->front->settings.request_ms;
}

static enum may may_take(struct api_stream *s)
{
	const struct front *f = s->x->front;
	const uint32_t credit = core_link_credit(f->link);
	/* What is put off is not in flight, and taken before anything new. */
	const size_t n = records_count(&s->records) - s->put_off;
	uint32_t of_client;

	if (api_stream_now_ms(s) < s->hold_ms ||
	    exchange_waiting(s->x) + n * s->guess >= answers_max(s))
		return MAY_NOT;
	if (credit == 0)
		return may_refuse(s) && n < RECORDS_MAX ? MAY_REFUSE : MAY_NOT;
	s->down = false;
	of_client = client_share(s, credit);
	return n < share(s, of_client) &&
			       core_link_owed(f->link, s->client) < of_client &&
			       core_link_room(f->link) > credit / 4
		       ? MAY_TAKE
		       : MAY_NOT;
}

static void take_some(struct api_stream *s, uint64_t now)
{
	for (int i = 0; i < TURN_RECORDS; i++) {
		const enum may may = may_take(s);

		if (may == MAY_NOT || !api_stream_may_pace(s))
			return;
		if (api_stream_resume(s, now))
			continue;
		if (take(s, now, may == MAY_REFUSE) == NEXT_NONE) {
			api_stream_sate(s);
			api_stream_finish(s);
			return;
		}
	}
	api_stream_stir(s);
}

void api_turn(struct api *a)
{
	struct api_stream *last = TAILQ_LAST(&a->hungry, api_stream_list);
	struct api_stream *s;
	struct api_stream *next;
	uint64_t now;

	if (!a->stirred)
		return;
	a->stirred = false;
	now = clock_mono_us();
	/* Each once: taking adds none, and takes away S at most. */
	for (s = TAILQ_FIRST(&a->hungry); s != NULL; s = next) {
		next = s != last ? TAILQ_NEXT(s, entry) : NULL;
		take_some(s, now);
	}
	/* The next turn begins with another one: where there is not enough
	 * for all, none is always the last. */
	s = TAILQ_FIRST(&a->hungry);
	if (s != NULL) {
		TAILQ_REMOVE(&a->hungry, s, entry);
		TAILQ_INSERT_TAIL(&a->hungry, s, entry);
	}
}

bool api_turn_due(const struct api *a)
{
	return a->stirred && a->nclients > 0;
}

/* --- patience ---------------------------------------------------------- */

/* Why S has to come to its end; NULL: it has not. */
static const char *give_up(const struct api_stream *s)
{
	const struct front_settings *set = &s->x->front->settings;
	const uint64_t now = api_stream_now_ms(s);
	const uint64_t last =
		s->moved_ms > s->input_ms ? s->moved_ms : s->input_ms;

	if (records_count(&s->records) > 0)
		return NULL;
	if (exchange_waiting(s->x) > 0)
		return now - s->moved_ms > STALL_MS
			       ? "the answers were not read for two minutes: "
				 "this record and all after it were not looked "
				 "at, send them again"
			       : NULL;
	if (s->hungry || s->resting)
		return NULL;
	if (s->in.len > 0 || cutter_is_within(&s->cutter))
		return now - s->partial_ms > STALL_MS
			       ? "the record did not come to its end in time"
			       : NULL;
	return now - last > set->idle_ms
		       ? "nothing came for too long: the stream is closed"
		       : NULL;
}

static void on_tick(struct wheel_timer *t)
{
	struct api_stream *s =
		(struct api_stream *)((char *)t -
				      offsetof(struct api_stream, tick));
	const char *why = give_up(s);

	wheel_set(&s->x->front->wheel, &s->tick, TICK_MS);
	if (records_count(&s->records) == 0)
		records_shed(&s->records);
	api_stream_wake(s);
	if (s->hungry)
		api_stream_stir(s);
	if (why != NULL)
		api_stream_cut(s, SG_SLOW_CLIENT, why);
}

/* --- its life ---------------------------------------------------------- */

void api_stream_open(struct api_call *c)
{
	struct api_stream *s = calloc(1, sizeof(*s));
	const size_t max = c->x->front->settings.body_bytes_max;
	const enum cutter_form form =
		c->body_type == MEDIA_NDJSON ? CUTTER_LINES : CUTTER_ITEMS;

	if (s == NULL || records_create(&s->records) != SG_OK) {
		free(s);
		api_fail(c, SG_NO_MEMORY, NULL);
		return;
	}
	s->call = c;
	s->x = c->x;
	s->client = shares_index(
		span_of(c->x->peer->identity, c->x->peer->identity_n));
	s->cutter = cutter_begin(form, max < RECORD_MAX ? max : RECORD_MAX);
	s->language = api_language(c);
	s->limit = RECORDS_MAX;
	s->guess = ANSWER_GUESS;
	s->moved_ms = s->input_ms = s->partial_ms = api_stream_now_ms(s);
	s->tick.fire = on_tick;
	wheel_set(&c->x->front->wheel, &s->tick, TICK_MS);
	c->stream = s;
	metric_add(METRIC_STREAMS, 1);
	exchange_stream(c->x);
}

/* RUN has no place. */
static void turn_away(struct api_stream *s, struct span run, enum sg_err err)
{
	exchange_took(s->x, run.n);
	api_stream_cut(s, err, NULL);
}

void api_stream_data(struct api_stream *s, struct span run)
{
	if (s->cut != SG_OK) {
		exchange_took(s->x, run.n);
		return;
	}
	api_stream_begin(s);
	s->input_ms = api_stream_now_ms(s);
	if (s->in.len == 0 && !cutter_is_within(&s->cutter))
		s->partial_ms = s->input_ms;
	if (!api_stream_hold_input(s, run.n)) {
		turn_away(s, run, SG_BUSY);
		return;
	}
	if (bytes_add(&s->in, run) != SG_OK) {
		api_stream_drop_input(s, run.n);
		turn_away(s, run, SG_NO_MEMORY);
		return;
	}
	api_stream_hunger(s);
}

void api_stream_end(struct api_stream *s)
{
	s->ended = true;
	if (s->cut != SG_OK)
		return;
	api_stream_hunger(s); /* it may end in the middle of a record */
}

void api_stream_room(struct api_stream *s)
{
	s->moved_ms = api_stream_now_ms(s);
	api_stream_recount(s);
	if (s->hungry)
		api_stream_stir(s);
}

void api_stream_cut(struct api_stream *s, enum sg_err e, const char *detail)
{
	if (s->finished || s->cut != SG_OK)
		return;
	if (e == SG_CLOSED && s->ended && !s->hungry && !s->resting)
		return; /* it is coming to its end */
	s->cut = e;
	s->cut_detail = detail;
	used(s, s->in.len);
	api_stream_pace_end(s);
	api_stream_sate(s);
	api_stream_finish(s);
}

void api_stream_free(struct api_stream *s)
{
	struct core_link *link;
	struct record *r;

	if (s == NULL)
		return;
	link = s->x->front->link;
	while ((r = records_first(&s->records)) != NULL) {
		if (r->asked)
			core_link_forget(link, r->question);
		records_pop(&s->records);
	}
	api_stream_sate(s);
	count_answers(s, 0);
	api_stream_drop_input(s, s->in.len);
	api_stream_pace_free(s);
	wheel_clear(&s->tick);
	records_free(&s->records);
	bytes_free(&s->in);
	metric_sub(METRIC_STREAMS, 1);
	free(s);
}
