/* SPDX-License-Identifier: Apache-2.0 */
#include "front_link.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "fds.h"

enum {
	MESSAGE_ROOM = 192, /* bytes of a message beside its byte runs */
	RETRY_AFTER_S = 1
};

/* F ends over FAULT. */
static bool give_up(struct front_link *f, enum metric_id fault)
{
	f->told = true;
	metric_add(fault, 1);
	return false;
}

static void on_turn(void *ctx)
{
	struct front_link *f = ctx;

	f->taken = f->costly = 0;
}

/* No answer to what comes in one turn has left yet, so all of it is in flight,
 * and a front never has more of that than its credit.  (That of requests which
 * the core works on is the issuer's to see.) */
static bool is_overrun(struct front_link *f)
{
	f->taken++;
	return f->taken > f->credit;
}

static bool take(struct front_link *f, const struct wire_msg *m)
{
	struct wire_issue issue;
	struct wire_ask ask;
	struct wire_operate operate;
	struct wire_handshake handshake;

	switch (m->type) {
	case WIRE_ISSUE:
		if (f->outstanding >= f->credit) /* and is told so */
			metric_add(METRIC_FRONT_CREDIT, 1);
		return wire_get_issue(m, &issue) == SG_OK &&
		       issue.request.n <= WIRE_REQUEST_MAX &&
		       f->events->issue(f->ctx, f, m->id, &issue);
	case WIRE_ASK:
		return wire_get_ask(m, &ask) == SG_OK &&
		       f->events->ask(f->ctx, f, m->id, &ask);
	case WIRE_OPERATE:
		return wire_get_operate(m, &operate) == SG_OK &&
		       operate.operation.n <= WIRE_OPERATION_MAX &&
		       f->events->operate(f->ctx, f, m->id, &operate);
	case WIRE_HANDSHAKE:
		return wire_get_handshake(m, &handshake) == SG_OK &&
		       f->events->handshake(f->ctx, f, m->id, &handshake);
	default: return false;
	}
}

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct front_link *f = ctx;

	fds_close(fds, n);
	if (n > 0) /* a front has none to give */
		return give_up(f, METRIC_FRONT_DESCRIPTOR);
	if (is_overrun(f))
		return give_up(f, METRIC_FRONT_CREDIT);
	return take(f, m);
}

static void on_packet(void *ctx)
{
	struct front_link *f = ctx;

	f->events->batch(f->ctx);
}

static void on_end(void *ctx, bool bad)
{
	struct front_link *f = ctx;

	if (bad && !f->told)
		(void)give_up(f, METRIC_FRONT_MESSAGE);
	f->events->end(f->ctx, f, bad);
}

static enum sg_err send_credit(struct front_link *f)
{
	const struct wire_credit m = {.credit = f->credit};
	struct wire_packet *w = channel_room(f->channel, MESSAGE_ROOM);

	return w != NULL ? wire_put_credit(w, &m) : SG_IO;
}

enum sg_err front_link_open(const struct front_link_parts *parts,
			    struct front_link **out)
{
	static const struct channel_events below = {.turn = on_turn,
						    .message = on_message,
						    .packet_done = on_packet,
						    .end = on_end};
	struct front_link *f = calloc(1, sizeof(*f));
	enum sg_err err;

	*out = NULL;
	if (f == NULL)
		return SG_NO_MEMORY;
	f->events = parts->events;
	f->ctx = parts->ctx;
	f->slot = parts->slot;
	f->credit = parts->credit;
	f->linked_us = clock_mono_us();
	LIST_INIT(&f->issues);
	err = channel_open(parts->loop, parts->fd, &below, f, &f->channel);
	if (err != SG_OK) {
		free(f);
		return err;
	}
	/* A front that cannot be told its credit asks for nothing. */
	if (send_credit(f) != SG_OK)
		log_event(LOG_ERROR, "front-credit-unsent", "front=%u",
			  f->slot);
	*out = f;
	return SG_OK;
}

static void dropped(struct front_link *f, enum sg_err err)
{
	uint64_t unlogged;

	if (err == SG_OK)
		return;
	metric_add(METRIC_FRONT_UNREAD, 1);
	if (throttle_allows(&f->dropped, clock_wall_s(), &unlogged))
		log_event(LOG_WARNING, "answer-dropped",
			  "front=%u reason=\"%s\" unlogged=%llu", f->slot,
			  err_text(err), (unsigned long long)unlogged);
}

void front_link_issued(struct front_link *f, uint64_t id,
		       const struct wire_issued *m)
{
	struct wire_packet *w =
		channel_room(f->channel, MESSAGE_ROOM + m->cose.n + m->uvci.n +
						 m->violations.n);

	dropped(f, w != NULL ? wire_put_issued(w, id, m) : SG_BUSY);
}

static void say_problem(struct front_link *f, uint64_t id,
			const struct wire_problem *m)
{
	struct wire_packet *w = channel_room(
		f->channel, MESSAGE_ROOM + m->detail.n + m->violations.n);

	dropped(f, w != NULL ? wire_put_problem(w, id, m) : SG_BUSY);
}

void front_link_problem(struct front_link *f, uint64_t id, enum sg_err err,
			struct span detail, struct span violations)
{
	const struct wire_problem m = {
		.err = (uint16_t)err,
		.retry_after_s = err_retry(err) ? RETRY_AFTER_S : 0,
		.detail = detail,
		.violations = violations};

	say_problem(f, id, &m);
}

void front_link_limited(struct front_link *f, uint64_t id,
			uint32_t retry_after_s, struct span violations)
{
	const struct wire_problem m = {.err = SG_RATE,
				       .retry_after_s = retry_after_s,
				       .violations = violations};

	say_problem(f, id, &m);
}

void front_link_later(struct front_link *f, uint64_t id,
		      const struct wire_later *m)
{
	struct wire_packet *w = channel_room(
		f->channel,
		MESSAGE_ROOM + m->request.n + m->presented.n + m->signature.n);

	dropped(f, w != NULL ? wire_put_later(w, id, m) : SG_BUSY);
}

void front_link_answer(struct front_link *f, uint64_t id, struct span document)
{
	const struct wire_answer m = {.document = document};
	struct wire_packet *w =
		channel_room(f->channel, MESSAGE_ROOM + document.n);

	dropped(f, w != NULL ? wire_put_answer(w, id, &m) : SG_BUSY);
}

void front_link_status(struct front_link *f, const struct wire_status *m)
{
	struct wire_packet *w = channel_room(
		f->channel, MESSAGE_ROOM + m->reason.n + m->ledger_origin.n +
				    m->remark.n + m->tls_key.n);

	dropped(f, w != NULL ? wire_put_status(w, m) : SG_BUSY);
}

bool front_link_bears(struct front_link *f)
{
	f->costly++;
	return f->costly <= FRONT_LINK_COSTLY_MAX;
}

void front_link_close(struct front_link *f)
{
	if (f == NULL)
		return;
	assert(LIST_EMPTY(&f->issues));
	channel_close(f->channel);
	free(f);
}
