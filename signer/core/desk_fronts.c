/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's links to the fronts. */
#include "base/log.h"
#include "base/metrics.h"
#include "desk_state.h"
#include "fds.h"

static void tell_status(struct desk *d, struct front_link *f)
{
	struct wire_status m = {.ready = d->ready,
				.reason = span_str(d->ready ? "" : d->told),
				.remark = span_str(d->ready ? d->told : ""),
				.ledger_origin = span_str(d->origin),
				.tls_key = keyring_tls_public(d->keys)};

	memcpy(m.policy_hash, policy_hash(d->policy), sizeof(m.policy_hash));
	front_link_status(f, &m);
}

void desk_tell_fronts(struct desk *d)
{
	for (size_t i = 0; i < DESK_FRONTS_MAX; i++) {
		if (d->front[i] != NULL)
			tell_status(d, d->front[i]);
	}
}

static bool on_issue(void *ctx, struct front_link *f, uint64_t id,
		     const struct wire_issue *m)
{
	struct desk *d = ctx;

	return issuer_take(d->issuer, f, id, m);
}

static bool on_ask(void *ctx, struct front_link *f, uint64_t id,
		   const struct wire_ask *m)
{
	const struct desk *d = ctx;

	return answers_give(&d->answers, d->policy, f, id, m);
}

static bool on_operate(void *ctx, struct front_link *f, uint64_t id,
		       const struct wire_operate *m)
{
	const struct desk *d = ctx;

	return answers_operate(&d->answers, d->policy, f, id, m);
}

static bool on_handshake(void *ctx, struct front_link *f, uint64_t id,
			 const struct wire_handshake *m)
{
	const struct desk *d = ctx;

	return handshakes_take(d->handshakes, f, id, m);
}

static void on_front_batch(void *ctx)
{
	struct desk *d = ctx;

	hsm_pool_dispatch(d->pool);
	desk_pace(d);
}

static void drop_front(struct desk *d, struct front_link *f)
{
	d->front[f->slot] = NULL;
	issuer_forget(d->issuer, f);
	handshakes_forget(d->handshakes, f);
	if (d->ceremony != NULL)
		ceremony_forget(d->ceremony, f);
	front_link_close(f);
}

static void on_front_end(void *ctx, struct front_link *f, bool bad)
{
	struct desk *d = ctx;
	const uint16_t slot = f->slot;
	const uint64_t linked_us = f->linked_us;

	log_event(LOG_WARNING, "front-link-ended", "front=%u bad=%d", slot,
		  bad);
	drop_front(d, f);
	if (bad) {
		metric_add(METRIC_BAD_MESSAGES, 1);
		d->events->peer_bad(d->ctx, WIRE_FRONT, slot);
	} else if (d->events->front_left != NULL) {
		d->events->front_left(d->ctx, slot, linked_us);
	}
	on_front_batch(d);
}

enum sg_err desk_link_front(struct desk *d, uint16_t slot, int fd)
{
	static const struct front_link_events events = {.issue = on_issue,
							.ask = on_ask,
							.operate = on_operate,
							.handshake =
								on_handshake,
							.batch = on_front_batch,
							.end = on_front_end};
	const struct front_link_parts parts = {.loop = d->loop,
					       .fd = fd,
					       .slot = slot,
					       .credit = d->front_credit,
					       .events = &events,
					       .ctx = d};
	struct front_link *f = NULL;
	enum sg_err err = SG_NOT_FOUND;

	if (slot < DESK_FRONTS_MAX)
		err = front_link_open(&parts, &f);
	if (err != SG_OK) {
		fds_close(&fd, 1);
		return err;
	}
	if (d->front[slot] != NULL)
		drop_front(d, d->front[slot]);
	d->front[slot] = f;
	tell_status(d, f);
	return SG_OK;
}

void desk_drop_fronts(struct desk *d)
{
	for (size_t i = 0; i < DESK_FRONTS_MAX; i++)
		if (d->front[i] != NULL)
			drop_front(d, d->front[i]);
}

void desk_flush(struct desk *d)
{
	for (size_t i = 0; i < DESK_FRONTS_MAX; i++)
		if (d->front[i] != NULL)
			channel_flush(d->front[i]->channel);
}
