/* SPDX-License-Identifier: Apache-2.0 */
#include "core_link_state.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	QUESTIONS_MAX = 16384, /* in flight at a time, whatever the credit */
	ASK_US = 10 * 1000 * 1000, /* patience for a WIRE_ASK */
	HANDSHAKE_US = 10 * 1000 * 1000,
	GRACE_US = 500 * 1000, /* beyond the deadline, for the way back */
	US_PER_MS = 1000,
	MESSAGE_OVERHEAD = 256 /* bytes of head, fixed part and padding */
};

/* --- questions --------------------------------------------------------- */

static void unlink_op(struct op *op)
{
	op->prev->next = op->next;
	op->next->prev = op->prev;
}

static void append(struct op *head, struct op *op)
{
	op->prev = head->prev;
	op->next = head;
	op->prev->next = op;
	head->prev = op;
}

/* The core owes no answer to OP any more. */
static void release(struct core_link *l, struct op *op)
{
	(void)slots_take(l->slots, op->id);
	unlink_op(op);
	if (op->answer != NULL)
		l->in_flight--;
	l->shares.owed[op->client]--;
	if (op->abandoned)
		l->shares.abandoned[op->client]--;
	op->next = l->free_ops;
	l->free_ops = op;
}

/* Nobody waits for OP any more, but the core works on it. */
static void disown(struct core_link *l, struct op *op)
{
	unlink_op(op);
	append(&l->unwanted, op);
	op->answer = NULL;
	l->in_flight--;
}

void core_link_finish(struct core_link *l, struct op *op,
		      const struct wire_msg *m, enum sg_err err)
{
	const core_answer answer = op->answer;
	void *asker = op->asker;

	release(l, op);
	if (answer != NULL)
		answer(asker, m, err);
}

static struct op *oldest(struct op *head)
{
	return head->next == head ? NULL : head->next;
}

static void fail_all(struct core_link *l, enum sg_err err)
{
	struct op *op;

	for (int kind = 0; kind < KIND_COUNT; kind++) {
		while ((op = oldest(&l->waiting[kind])) != NULL)
			core_link_finish(l, op, NULL, err);
	}
	while ((op = oldest(&l->unwanted)) != NULL)
		release(l, op);
}

static void on_timer(uv_timer_t *timer);

/* Run the timer up to the next question that is to be given up. */
static void arm(struct core_link *l, uint64_t now)
{
	uint64_t next = UINT64_MAX;
	const struct op *op;

	for (int kind = 0; kind < KIND_COUNT; kind++) {
		op = oldest(&l->waiting[kind]);
		if (op != NULL && op->give_up_us < next)
			next = op->give_up_us;
	}
	if (next == UINT64_MAX)
		return;
	next = next > now ? (next - now) / US_PER_MS + 1 : 1;
	(void)uv_timer_start(&l->timer, on_timer, next, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct core_link *l = (struct core_link *)timer->data;
	const uint64_t now = clock_mono_us();
	struct op *op;

	for (int kind = 0; kind < KIND_COUNT; kind++) {
		while ((op = oldest(&l->waiting[kind])) != NULL &&
		       op->give_up_us <= now) {
			const core_answer answer = op->answer;

			assert(answer != NULL); /* it waits */
			disown(l, op);
			answer(op->asker, NULL, SG_TIMED_OUT);
		}
	}
	arm(l, now);
}

/* A question like FROM, in flight from now on. */
static enum sg_err begin(struct core_link *l, const struct op *from,
			 struct op **out)
{
	struct op *op = l->free_ops;
	enum sg_err err;
	op_id id;

	if (l->channel == NULL || l->credit == 0)
		return SG_CORE_DOWN; /* no credit at all: it is starting */
	if (core_link_room(l) == 0 || op == NULL ||
	    shares_used_up(&l->shares, from->client, l->credit))
		return SG_BUSY;
	err = slots_put(l->slots, op, &id);
	if (err != SG_OK)
		return err;
	l->free_ops = op->next;
	*op = *from;
	op->id = id;
	append(&l->waiting[op->kind], op);
	l->in_flight++;
	l->shares.owed[op->client]++;
	*out = op;
	return SG_OK;
}

static enum sg_err put(struct wire_packet *w, enum kind kind, op_id id,
		       const void *m)
{
	switch (kind) {
	case KIND_ISSUE: return wire_put_issue(w, id, m);
	case KIND_ASK: return wire_put_ask(w, id, m);
	case KIND_OPERATE: return wire_put_operate(w, id, m);
	case KIND_HANDSHAKE: return wire_put_handshake(w, id, m);
	case KIND_COUNT:
	default: return SG_INTERNAL;
	}
}

/* Ask M, of the kind of FROM, with RUNS bytes in its runs, for IDENTITY. */
static enum sg_err ask(struct core_link *l, struct op from,
		       struct span identity, const void *m, size_t runs,
		       uint64_t *question)
{
	struct wire_packet *w;
	struct op *op;
	enum sg_err err;

	from.client = from.kind == KIND_HANDSHAKE ? SHARES_STRANGERS
						  : shares_index(identity);
	err = begin(l, &from, &op);
	if (err != SG_OK)
		return err;
	w = channel_room(l->channel, runs + identity.n + MESSAGE_OVERHEAD);
	err = w == NULL ? SG_BUSY : put(w, op->kind, op->id, m);
	if (err != SG_OK) {
		release(l, op); /* it never was sent: the core owes nothing */
		return err;
	}
	*question = op->id;
	if (!uv_is_active((const uv_handle_t *)&l->timer))
		arm(l, clock_mono_us());
	return SG_OK;
}

enum sg_err core_link_issue(struct core_link *l, const struct wire_issue *m,
			    core_answer answer, void *asker, uint64_t *question)
{
	const struct op from = {.kind = KIND_ISSUE,
				.give_up_us = m->deadline_us + GRACE_US,
				.answer = answer,
				.asker = asker};

	if (m->request.n > WIRE_REQUEST_MAX ||
	    m->presented.n > WIRE_PRESENTED_MAX ||
	    m->signature.n > WIRE_SIGNATURE_MAX)
		return SG_TOO_BIG;
	return ask(l, from, m->identity, m,
		   m->request.n + m->presented.n + m->signature.n, question);
}

enum sg_err core_link_ask(struct core_link *l, const struct wire_ask *m,
			  core_answer answer, void *asker, uint64_t *question)
{
	const struct op from = {.kind = KIND_ASK,
				.give_up_us = clock_mono_us() + ASK_US,
				.answer = answer,
				.asker = asker};

	return ask(l, from, m->identity, m, 0, question);
}

enum sg_err core_link_operate(struct core_link *l, const struct wire_operate *m,
			      core_answer answer, void *asker,
			      uint64_t *question)
{
	const struct op from = {.kind = KIND_OPERATE,
				.give_up_us =
					clock_mono_us() + CORE_LINK_OPERATE_US,
				.answer = answer,
				.asker = asker};

	if (m->operation.n > WIRE_OPERATION_MAX)
		return SG_TOO_BIG;
	return ask(l, from, m->identity, m, m->operation.n, question);
}

/* At a time; strangers shall not use up what is there for clients. */
static uint32_t handshakes_max(const struct core_link *l)
{
	const uint32_t half = (core_link_credit(l) + 1) / 2;

	return half > 0 && half < WIRE_HANDSHAKES_MAX ? half
						      : WIRE_HANDSHAKES_MAX;
}

enum sg_err core_link_handshake(struct core_link *l,
				const struct wire_handshake *m,
				core_answer answer, void *asker,
				uint64_t *question)
{
	const struct op from = {.kind = KIND_HANDSHAKE,
				.give_up_us = clock_mono_us() + HANDSHAKE_US,
				.answer = answer,
				.asker = asker};

	if (m->content.n > WIRE_HANDSHAKE_MAX)
		return SG_TOO_BIG;
	/* Who it is, is not known yet. */
	if (l->shares.owed[SHARES_STRANGERS] >= handshakes_max(l))
		return SG_BUSY;
	return ask(l, from, span_of(NULL, 0), m, m->content.n, question);
}

void core_link_forget(struct core_link *l, uint64_t question)
{
	struct op *op = slots_find(l->slots, question);

	if (op == NULL || op->answer == NULL)
		return;
	disown(l, op);
	op->abandoned = true;
	l->shares.abandoned[op->client]++;
}

uint32_t core_link_credit(const struct core_link *l)
{
	return l->channel != NULL ? l->credit : 0;
}

uint32_t core_link_room(const struct core_link *l)
{
	const uint32_t credit = core_link_credit(l);
	const uint32_t owed = (uint32_t)slots_used(l->slots);

	return owed < credit ? credit - owed : 0;
}

uint32_t core_link_owed(const struct core_link *l, uint16_t client)
{
	return l->shares.owed[client];
}

size_t core_link_in_flight(const struct core_link *l)
{
	return l->in_flight;
}

const struct wire_status *core_link_status(const struct core_link *l)
{
	return l->has_status ? &l->status : NULL;
}

/* The channel is no more: whoever asks from now on is told so at once. */
static void detach(struct core_link *l)
{
	channel_close(l->channel);
	l->channel = NULL;
	l->credit = 0;
	l->has_status = false;
	fail_all(l, SG_CORE_DOWN);
}

static void on_end(void *ctx, bool bad)
{
	struct core_link *l = (struct core_link *)ctx;

	log_event(LOG_WARNING, bad ? "core-bad" : "core-gone", "in_flight=%zu",
		  l->in_flight);
	detach(l);
	if (bad && l->on_bad != NULL)
		l->on_bad(l->bad_ctx);
}

void core_link_attach(struct core_link *l, int fd)
{
	static const struct channel_events events = {.message = core_link_hear,
						     .end = on_end};
	enum sg_err err;

	detach(l);
	err = channel_open(l->loop, fd, &events, l, &l->channel);
	if (err == SG_OK)
		return;
	l->channel = NULL;
	(void)close(fd);
	log_event(LOG_ERROR, "core-link-failed", "reason=" LOG_Q,
		  err_text(err));
}

enum sg_err core_link_create(uv_loop_t *loop, core_status status, void *ctx,
			     struct core_link **out)
{
	struct core_link *l = calloc(1, sizeof(*l));

	*out = NULL;
	if (l == NULL)
		return SG_NO_MEMORY;
	l->ops = calloc(QUESTIONS_MAX, sizeof(l->ops[0]));
	if (l->ops == NULL)
		goto fail_ops;
	if (slots_create(QUESTIONS_MAX, &l->slots) != SG_OK)
		goto fail_slots;
	if (uv_timer_init(loop, &l->timer) != 0)
		goto fail_timer;
	for (size_t i = 0; i + 1 < QUESTIONS_MAX; i++)
		l->ops[i].next = &l->ops[i + 1];
	l->free_ops = l->ops;
	for (int kind = 0; kind < KIND_COUNT; kind++)
		l->waiting[kind].prev = l->waiting[kind].next =
			&l->waiting[kind];
	l->unwanted.prev = l->unwanted.next = &l->unwanted;
	l->timer.data = l;
	l->loop = loop;
	l->on_status = status;
	l->status_ctx = ctx;
	*out = l;
	return SG_OK;
fail_timer:
	slots_free(l->slots);
fail_slots:
	free(l->ops);
fail_ops:
	free(l);
	return SG_NO_MEMORY;
}

void core_link_on_bad(struct core_link *l, void (*bad)(void *ctx), void *ctx)
{
	l->on_bad = bad;
	l->bad_ctx = ctx;
}

static void on_closed(uv_handle_t *timer)
{
	struct core_link *l = (struct core_link *)timer->data;

	slots_free(l->slots);
	free(l->ops);
	free(l);
}

void core_link_free(struct core_link *l)
{
	if (l == NULL)
		return;
	channel_close(l->channel);
	l->channel = NULL;
	uv_close((uv_handle_t *)&l->timer, on_closed);
}
