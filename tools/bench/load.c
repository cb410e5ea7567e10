/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "conn.h"

enum {
	EVENTS_MAX = 256,
	TICK_MS = 50,
	RETRY_US = 100000,     /* before a broken connection is made again */
	DRAIN_US = 15000000,   /* for the last answers */
	SILENCE_US = 30000000, /* without any answer: give up */
	OPEN_US = 30000000,    /* for all connections to come up */
	TLS_CHUNK = 16384      /* bytes: what fits one record */
};

enum phase { OPENING, WARMING, MEASURING, DRAINING };

struct load {
	const struct load_settings *settings;
	const struct protocol *protocol;
	struct load_result *result;
	enum phase phase;
	uint64_t phase_us; /* when it began */
	uint64_t counter;  /* requests begun */
	size_t in_flight;
	uint64_t answered_us; /* when the last answer came */
	uint64_t sample_cpu_us;
	size_t nopen;
	bool fatal;
	char reason[200]; /* why the last connection broke */
	int epoll;
	size_t nconns;
	struct conn *conn;
	struct flow *flow;
	uint8_t *answers;
	uint8_t in[256 * 1024];
};

static uint64_t cpu_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void enter(struct load *l, enum phase phase)
{
	const uint64_t now = clock_mono_us();

	if (l->phase == MEASURING)
		l->result->wall_us = now - l->phase_us;
	if (l->phase == OPENING)
		l->answered_us = now;
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
	records_uvci(s->run, l->counter, f->body + r->uvci_at);
	f->record = r;
	f->status = 0;
	f->received = 0;
	f->sent = 0;
	f->sampled = s->sample_every > 0 && l->counter % s->sample_every == 0;
	f->begun_us = clock_mono_us();
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
	if (l->phase != DRAINING)
		/* A connection that takes no more is about to close: the place
		 * is filled again when it is replaced. */
		(void)!begin(l, f);
}

static void drop(struct load *l, struct conn *c)
{
	struct load_result *r = l->result;

	for (size_t i = 0; i < c->nflows; i++) {
		if (!c->flow[i].busy)
			continue;
		c->flow[i].status = 0;
		c->flow[i].sampled = false;
		count(l, &c->flow[i]);
	}
	if (c->open)
		l->nopen--;
	l->protocol->close(c);
	SSL_free(c->ssl);
	close(c->fd); /* and out of the epoll set */
	c->ssl = NULL;
	c->fd = -1;
	c->open = false;
	c->out_n = 0;
	c->retry_us = clock_mono_us() + RETRY_US;
	r->reconnects++;
	/* Nothing but refusals so far: it is not going to get better. */
	if (r->answers_all == 0 && r->reconnects > 2 * l->nconns)
		l->fatal = true;
}

static void watch(struct load *l, struct conn *c, bool write)
{
	struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = c}};

	if (write)
		ev.events |= EPOLLOUT;
	if (c->want_write != write)
		(void)epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &ev);
	c->want_write = write;
}

static void start(struct load *l, struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT,
				 .data = {.ptr = c}};

	if (target_connect(l->settings->target, &c->fd, &c->ssl) != SG_OK) {
		(void)snprintf(l->reason, sizeof(l->reason), "%s",
			       strerrordesc_np(errno));
		c->fd = -1;
		c->retry_us = clock_mono_us() + RETRY_US;
		l->result->reconnects++;
		return;
	}
	c->want_write = true;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		drop(l, c);
}

/* SG_OK: go on; SG_BUSY: later; SG_IO: broken. */
static enum sg_err blocked(struct load *l, struct conn *c, int code)
{
	switch (SSL_get_error(c->ssl, code)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return SG_BUSY;
	default:
		target_reason(c->ssl, l->reason, sizeof(l->reason));
		return SG_IO;
	}
}

/* Write all of C->out.  SG_BUSY: the rest when the socket takes more. */
static enum sg_err write_out(struct load *l, struct conn *c)
{
	size_t at = 0;

	while (at < c->out_n) {
		const size_t left = c->out_n - at;
		const int n =
			SSL_write(c->ssl, c->out + at,
				  (int)(left < TLS_CHUNK ? left : TLS_CHUNK));

		if (n <= 0) {
			memmove(c->out, c->out + at, left);
			c->out_n = left;
			return blocked(l, c, n);
		}
		at += (size_t)n;
	}
	c->out_n = 0;
	return SG_OK;
}

static enum sg_err flush(struct load *l, struct conn *c)
{
	for (;;) {
		enum sg_err err = l->protocol->output(c);

		if (err != SG_OK || c->out_n == 0)
			return err;
		err = write_out(l, c);
		if (err != SG_OK)
			return err;
	}
}

static enum sg_err shake(struct load *l, struct conn *c)
{
	const int code = SSL_do_handshake(c->ssl);
	enum sg_err err;

	if (code != 1)
		return blocked(l, c, code);
	err = l->protocol->open(c);
	if (err != SG_OK)
		return err;
	c->open = true;
	l->nopen++;
	for (size_t i = 0; i < c->nflows && l->phase != DRAINING; i++) {
		err = begin(l, &c->flow[i]);
		if (err != SG_OK)
			return err;
	}
	return SG_OK;
}

static enum sg_err receive(struct load *l, struct conn *c)
{
	for (;;) {
		const int n = SSL_read(c->ssl, l->in, sizeof(l->in));
		enum sg_err err;

		if (n <= 0) {
			err = blocked(l, c, n);
			return err == SG_BUSY ? SG_OK : err;
		}
		err = l->protocol->input(c, span_of(l->in, (size_t)n));
		/* The next round would bring more: no read() to be told no. */
		if (err == SG_OK && !SSL_has_pending(c->ssl))
			return SG_OK;
		if (err != SG_OK) {
			(void)snprintf(l->reason, sizeof(l->reason),
				       "the server broke the protocol");
			return err;
		}
	}
}

static void handle(struct load *l, struct conn *c)
{
	enum sg_err err = SG_OK;

	ERR_clear_error();
	errno = 0;
	if (!c->open) {
		err = shake(l, c);
		if (err == SG_BUSY) {
			watch(l, c, SSL_want_write(c->ssl));
			return;
		}
	}
	if (err == SG_OK)
		err = receive(l, c);
	if (err == SG_OK)
		err = flush(l, c);
	if (err == SG_OK || err == SG_BUSY)
		watch(l, c, err == SG_BUSY);
	else
		drop(l, c);
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
	if (l->phase != OPENING && now > l->answered_us + SILENCE_US)
		l->fatal = true;
	for (size_t i = 0; i < l->nconns && l->phase != DRAINING; i++)
		if (l->conn[i].fd < 0 && now >= l->conn[i].retry_us)
			start(l, &l->conn[i]);
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
	static struct epoll_event events[EVENTS_MAX];

	while (!finished(l)) {
		const int n = epoll_wait(l->epoll, events, EVENTS_MAX, TICK_MS);

		if (n < 0 && errno != EINTR)
			return SG_IO;
		for (int i = 0; i < n; i++)
			handle(l, events[i].data.ptr);
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
		c->fd = -1;
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
		struct conn *c = &l->conn[i];

		if (c->fd < 0)
			continue;
		l->protocol->close(c);
		SSL_free(c->ssl);
		close(c->fd);
	}
	free(l->conn);
	free(l->flow);
	free(l->answers);
	if (l->epoll >= 0)
		close(l->epoll);
	free(l);
}

enum sg_err load_run(const struct load_settings *settings,
		     struct load_result *out, char *why, size_t cap)
{
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
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	err = l->epoll < 0 ? SG_IO : prepare(l);
	if (err == SG_OK) {
		tick(l);
		err = run(l);
	}
	out->unanswered = l->in_flight;
	out->cpu_us = cpu_us() - cpu_before - l->sample_cpu_us;
	if (err != SG_OK)
		(void)snprintf(why, cap, "%s",
			       l->reason[0] != '\0' ? l->reason
						    : err_text(err));
	release(l);
	return err;
}
