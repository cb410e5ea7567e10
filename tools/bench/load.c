/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "conn.h"

enum {
	TICK_MS = 50,
	RETRY_US = 100000,     /* before a broken connection is made again */
	DRAIN_US = 15000000,   /* for the last answers */
	SILENCE_US = 30000000, /* without any answer: give up */
	OPEN_US = 30000000     /* for all connections to come up */
};

enum phase { OPENING, WARMING, MEASURING, DRAINING };

struct load {
	const struct load_settings *settings;
	const struct protocol *protocol;
	struct load_result *result;
	enum phase phase;
	uint64_t phase_us; /* when it began */
	uint64_t counter;  /* requests begun */
	uint64_t due_us;   /* when the next is to begin, of a probe */
	size_t in_flight;
	uint64_t answered_us; /* when the last answer came */
	uint64_t sample_cpu_us;
	size_t nopen;
	bool fatal;
	size_t nconns;
	struct conn *conn;
	struct flow *flow;
	uint8_t *answers;
	struct link_loop loop;
};

static uint64_t cpu_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void enter(struct load *l, enum phase phase)
{
	const uint64_t now = clock_mono_us();

	if (l->phase == MEASURING)
		l->result->wall_us = now - l->phase_us;
	if (l->phase == OPENING)
		l->answered_us = l->due_us = now;
	l->phase = phase;
	l->phase_us = now;
}

/* Begin the next request in F's place. */
static enum sg_err begin(struct load *l, struct flow *f)
{
	const struct load_settings *s = l->settings;
	const struct record *r =
		&s->records->record[l->counter % s->records->n];
	enum sg_err err;

	memcpy(f->body, r->body, r->n);
	record_put_uvci(r, s->run, l->counter, f->body);
	f->record = r;
	f->status = 0;
	f->received = 0;
	f->sent = 0;
	f->sampled = s->sample_every > 0 && l->counter % s->sample_every == 0;
	f->begun_us = s->pace_us > 0 ? l->due_us : clock_mono_us();
	err = l->protocol->submit(f->conn, f);
	if (err != SG_OK)
		return err;
	l->counter++;
	l->in_flight++;
	f->busy = true;
	return SG_OK;
}

static void sample(struct load *l, struct flow *f)
{
	const struct load_settings *s = l->settings;
	const uint64_t before = cpu_us();

	l->result->sampled++;
	if (f->received > LOAD_ANSWER_MAX ||
	    !s->sample(s->sample_ctx, span_of(f->answer, f->received),
		       span_of(f->body + f->record->uvci_at, RECORDS_UVCI)))
		l->result->sampled_wrong++;
	l->sample_cpu_us += cpu_us() - before;
}

/* Count F's end; a status of 0 is a broken request. */
static void count(struct load *l, struct flow *f)
{
	struct load_result *r = l->result;
	const bool known = f->status > 0 && f->status < LOAD_STATUS_MAX;

	f->busy = false;
	l->in_flight--;
	r->answers_all += known ? 1 : 0;
	if (known)
		l->answered_us = clock_mono_us();
	if (l->phase == MEASURING) {
		if (!known)
			r->broken++;
		else
			r->by_status[f->status]++;
		r->answers += known ? 1 : 0;
		if (f->status == 200)
			latency_add(&r->latency, clock_mono_us() - f->begun_us);
	}
	if (f->sampled && f->status == 200)
		sample(l, f);
	if (l->phase == MEASURING && l->settings->requests > 0 &&
	    r->answers >= l->settings->requests)
		enter(l, DRAINING);
}

void flow_data(struct flow *f, struct span run)
{
	if (f->sampled && run.n > 0 && f->received <= LOAD_ANSWER_MAX &&
	    run.n <= LOAD_ANSWER_MAX - f->received)
		memcpy(f->answer + f->received, run.p, run.n);
	f->received += run.n;
}

void flow_done(struct flow *f)
{
	struct load *l = f->conn->load;

	/* An empty 200 is no certificate. */
	if (f->status == 200 && f->received == 0)
		f->status = 0;
	count(l, f);
	if (l->phase != DRAINING && l->settings->pace_us == 0)
		/* A connection that takes no more is about to close: the place
		 * is filled again when it is replaced. */
		(void)!begin(l, f);
}

static void drop(void *owner)
{
	struct conn *c = owner;
	struct load *l = c->load;
	struct load_result *r = l->result;

	for (size_t i = 0; i < c->nflows; i++) {
		if (!c->flow[i].busy)
			continue;
		c->flow[i].status = 0;
		c->flow[i].sampled = false;
		count(l, &c->flow[i]);
	}
	if (c->ready)
		l->nopen--;
	c->ready = false;
	l->protocol->close(c);
	link_close(&c->link);
	c->retry_us = clock_mono_us() + RETRY_US;
	r->reconnects++;
	/* Nothing but refusals so far: it is not going to get better. */
	if (r->answers_all == 0 && r->reconnects > 2 * l->nconns)
		l->fatal = true;
}

static void start(struct load *l, struct conn *c)
{
	if (link_connect(&l->loop, &c->link) == SG_OK)
		return;
	c->retry_us = clock_mono_us() + RETRY_US;
	l->result->reconnects++;
}

static enum sg_err opened(void *owner)
{
	struct conn *c = owner;
	struct load *l = c->load;
	enum sg_err err = l->protocol->open(c);

	if (err != SG_OK)
		return err;
	c->ready = true;
	l->nopen++;
	for (size_t i = 0;
	     i < c->nflows && l->phase != DRAINING && l->settings->pace_us == 0;
	     i++) {
		err = begin(l, &c->flow[i]);
		if (err != SG_OK)
			return err;
	}
	return SG_OK;
}

static enum sg_err input(void *owner, struct span plain)
{
	struct conn *c = owner;

	return c->load->protocol->input(c, plain);
}

static enum sg_err output(void *owner)
{
	struct conn *c = owner;

	return c->load->protocol->output(c);
}

static struct flow *free_flow(struct load *l)
{
	for (size_t i = 0; i < l->settings->concurrency; i++)
		if (!l->flow[i].busy && l->flow[i].conn->ready)
			return &l->flow[i];
	return NULL;
}

/* A probe's requests that are due.  One that finds no free place waits, and
 * its wait counts. */
static void begin_due(struct load *l, uint64_t now)
{
	while (l->phase != OPENING && l->phase != DRAINING &&
	       l->due_us <= now) {
		struct flow *f = free_flow(l);

		if (f == NULL || begin(l, f) != SG_OK)
			return;
		l->due_us += l->settings->pace_us;
		if (link_push(&l->loop, &f->conn->link) != SG_OK)
			drop(f->conn);
	}
}

static int patience_ms(const struct load *l)
{
	const uint64_t now = clock_mono_us();

	if (l->settings->pace_us == 0 || l->due_us > now + TICK_MS * 1000ULL)
		return TICK_MS;
	return l->due_us <= now ? 1 : (int)((l->due_us - now) / 1000) + 1;
}

/* Once a round: is it time for the next phase, or for a reconnect? */
static void tick(struct load *l)
{
	const struct load_settings *s = l->settings;
	const uint64_t now = clock_mono_us();
	const uint64_t in_phase = now - l->phase_us;

	if (l->phase == OPENING && l->nopen == l->nconns)
		enter(l, WARMING);
	else if (l->phase == OPENING && in_phase > OPEN_US)
		l->fatal = true;
	else if (l->phase == WARMING && in_phase >= s->warmup_us)
		enter(l, MEASURING);
	else if (l->phase == MEASURING && s->duration_us > 0 &&
		 in_phase >= s->duration_us)
		enter(l, DRAINING);
	if (s->stop != NULL && l->phase != DRAINING && atomic_load(s->stop))
		enter(l, DRAINING);
	if (l->phase != OPENING && now > l->answered_us + SILENCE_US)
		l->fatal = true;
	for (size_t i = 0; i < l->nconns && l->phase != DRAINING; i++)
		if (l->conn[i].link.fd < 0 && now >= l->conn[i].retry_us)
			start(l, &l->conn[i]);
	if (s->pace_us > 0)
		begin_due(l, now);
}

static bool finished(const struct load *l)
{
	if (l->fatal)
		return true;
	return l->phase == DRAINING &&
	       (l->in_flight == 0 || clock_mono_us() - l->phase_us > DRAIN_US);
}

static enum sg_err run(struct load *l)
{
	while (!finished(l)) {
		const enum sg_err err =
			link_loop_run(&l->loop, patience_ms(l), drop);

		if (err != SG_OK)
			return err;
		tick(l);
	}
	return l->fatal ? SG_IO : SG_OK;
}

/* The connections, each with its share of the requests in flight. */
static enum sg_err prepare(struct load *l)
{
	const struct load_settings *s = l->settings;
	size_t at = 0;

	l->nconns = s->connections;
	l->conn = calloc(l->nconns, sizeof(l->conn[0]));
	l->flow = calloc(s->concurrency, sizeof(l->flow[0]));
	if (s->sample_every > 0)
		l->answers = calloc(s->concurrency, LOAD_ANSWER_MAX);
	if (l->conn == NULL || l->flow == NULL ||
	    (s->sample_every > 0 && l->answers == NULL))
		return SG_NO_MEMORY;
	for (size_t i = 0; i < l->nconns; i++) {
		struct conn *c = &l->conn[i];

		c->load = l;
		c->settings = s;
		c->link.owner = c;
		c->link.fd = -1;
		c->nflows = s->concurrency / l->nconns +
			    (i < s->concurrency % l->nconns ? 1 : 0);
		c->flow = &l->flow[at];
		for (size_t k = 0; k < c->nflows; k++, at++) {
			l->flow[at].conn = c;
			if (l->answers != NULL)
				l->flow[at].answer =
					l->answers + at * LOAD_ANSWER_MAX;
		}
	}
	return SG_OK;
}

static void release(struct load *l)
{
	for (size_t i = 0; i < l->nconns && l->conn != NULL; i++) {
		l->protocol->close(&l->conn[i]);
		link_close(&l->conn[i].link);
	}
	free(l->conn);
	free(l->flow);
	free(l->answers);
	link_loop_close(&l->loop);
	free(l);
}

enum sg_err load_run(const struct load_settings *settings,
		     struct load_result *out, char *why, size_t cap)
{
	static const struct link_ops ops = {opened, input, output};
	struct load *l = calloc(1, sizeof(*l));
	const uint64_t cpu_before = cpu_us();
	enum sg_err err;

	*out = (struct load_result){0};
	if (l == NULL) {
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	l->settings = settings;
	l->protocol =
		settings->protocol == LOAD_H2 ? &H2_PROTOCOL : &H1_PROTOCOL;
	l->result = out;
	l->phase_us = clock_mono_us();
	err = link_loop_open(&l->loop, settings->target, &ops);
	if (err == SG_OK)
		err = prepare(l);
	if (err == SG_OK) {
		tick(l);
		err = run(l);
	}
	out->unanswered = l->in_flight;
	out->cpu_us = cpu_us() - cpu_before - l->sample_cpu_us;
	if (err != SG_OK)
		(void)snprintf(why, cap, "%s",
			       l->loop.reason[0] != '\0' ? l->loop.reason
							 : err_text(err));
	release(l);
	return err;
}
