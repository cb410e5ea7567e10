/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "control.h"
#include "ipc/wire.h"

enum { FULL_ASKS = 4 };

enum sg_err serve_begin(struct server *s)
{
	s->in = aligned_alloc(64, WIRE_PACKET_MAX);
	s->out = aligned_alloc(64, WIRE_PACKET_MAX);
	if (s->in != NULL && s->out != NULL)
		return SG_OK;
	serve_end(s);
	return SG_NO_MEMORY;
}

void serve_end(struct server *s)
{
	free(s->in);
	free(s->out);
	s->in = s->out = NULL;
}

static struct wire_hsm_key offer(const struct vault *v, size_t number)
{
	const struct key *key = vault_key(v, number);

	return (struct wire_hsm_key){.key = (uint16_t)number,
				     .alg = key->alg,
				     .label = span_str(key->label),
				     .certificate = key->certificate,
				     .spki = key->spki};
}

enum sg_err serve_ready(const struct vault *v, const char *hsm,
			struct wire_packet *w)
{
	struct wire_hsm_ready *ready = calloc(1, sizeof(*ready));
	enum sg_err e;

	_Static_assert((int)WORKER_KEYS_MAX <= (int)WIRE_HSM_KEYS_MAX,
		       "every key can be offered");
	if (ready == NULL)
		return SG_NO_MEMORY;
	ready->hsm = span_str(hsm);
	ready->sessions = vault_lanes(v);
	/* Keys that were found since, the core asks for again. */
	for (size_t i = 0; i < vault_configured(v); i++)
		if (!vault_key(v, i)->gone) /* nor will it be, any more */
			ready->key[ready->nkeys++] = offer(v, i);
	e = wire_put_hsm_ready(w, ready);
	/* A certificate holds the public key too. */
	for (uint32_t i = 0; e == SG_TOO_BIG && i < ready->nkeys; i++)
		if (ready->key[i].certificate.n > 0)
			ready->key[i].spki = span_of(NULL, 0);
	if (e == SG_TOO_BIG)
		e = wire_put_hsm_ready(w, ready);
	free(ready);
	return e;
}

/* The answers to one packet, on their way to where it came from. */
struct answers {
	const struct link_end *end;
	struct wire_packet packet;
};

/* Errors: SG_CLOSED: the core is gone, and with it who would miss them. */
static enum sg_err flush(struct answers *a)
{
	ssize_t n;

	if (a->packet.len == 0)
		return SG_OK;
	do
		n = send(a->end->fd, a->packet.buf, a->packet.len,
			 MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	a->packet.len = 0;
	return n >= 0 ? SG_OK : SG_CLOSED;
}

static enum sg_err put_signed(struct answers *a, uint64_t id,
			      const struct wire_signed *m)
{
	enum sg_err e = wire_put_signed(&a->packet, id, m);

	if (e != SG_TOO_BIG)
		return e;
	e = flush(a);
	return e == SG_OK ? wire_put_signed(&a->packet, id, m) : e;
}

static enum sg_err put_failed(struct answers *a, uint64_t id,
			      const struct wire_sign_failed *m)
{
	enum sg_err e = wire_put_sign_failed(&a->packet, id, m);

	if (e != SG_TOO_BIG)
		return e;
	e = flush(a);
	return e == SG_OK ? wire_put_sign_failed(&a->packet, id, m) : e;
}

static enum sg_err put_anchored(struct answers *a, uint64_t id,
				const struct wire_anchored *m)
{
	enum sg_err e = wire_put_anchored(&a->packet, id, m);

	if (e != SG_TOO_BIG)
		return e;
	e = flush(a);
	return e == SG_OK ? wire_put_anchored(&a->packet, id, m) : e;
}

static enum sg_err put_found(struct answers *a, uint64_t id,
			     const struct wire_found_key *m)
{
	enum sg_err e = wire_put_found_key(&a->packet, id, m);

	if (e != SG_TOO_BIG)
		return e;
	e = flush(a);
	return e == SG_OK ? wire_put_found_key(&a->packet, id, m) : e;
}

static uint32_t elapsed(uint64_t from_us, uint64_t to_us)
{
	const uint64_t us = to_us > from_us ? to_us - from_us : 0;

	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static enum sg_err serve_job(struct server *s, const struct wire_msg *m,
			     uint64_t arrived_us, struct answers *a)
{
	struct wire_sign job;
	struct signature sig;
	enum sg_err e;

	if (m->type != WIRE_SIGN || wire_get_sign(m, &job) != SG_OK ||
	    job.key >= vault_keys(s->vault))
		return SG_MALFORMED;
	if (clock_mono_us() > job.deadline_us)
		return put_failed(a, m->id,
				  &(struct wire_sign_failed){.expired = true});
	vault_serves(s->vault, s->lane, job.name, job.line);
	e = vault_sign(s->vault, s->lane, job.key, job.tbs, &sig);
	if (e == SG_TOKEN_DOWN)
		return e;
	if (e != SG_OK)
		return put_failed(a, m->id,
				  &(struct wire_sign_failed){.ckr = sig.rv});
	return put_signed(a, m->id,
			  &(struct wire_signed){
				  .queue_us = elapsed(arrived_us, sig.begun_us),
				  .sign_us = sig.sign_us,
				  .signature = span_of(sig.bytes, sig.n)});
}

static enum sg_err serve_anchor(struct server *s, const struct wire_msg *m,
				struct answers *a)
{
	struct wire_anchor job;
	struct anchor anchor;
	enum sg_err e;

	_Static_assert((int)ANCHOR_BYTES_MAX == (int)WIRE_ANCHOR_MAX,
		       "what can be asked for can be kept");
	if (wire_get_anchor(m, &job) != SG_OK ||
	    !vault_has_anchor(s->vault, job.key))
		return SG_MALFORMED;
	e = vault_anchor(s->vault, s->lane, job.key, job.value, &anchor);
	if (e == SG_TOKEN_DOWN)
		return e;
	return put_anchored(a, m->id,
			    &(struct wire_anchored){
				    .ok = e == SG_OK,
				    .ckr = anchor.rv,
				    .value = span_of(anchor.value, anchor.n)});
}

/* All numbers are taken, by keys that were destroyed: a fresh process has none
 * of them.  The core asks again and again, so not all that serve an HSM end at
 * the same time. */
static bool makes_room(void)
{
	static _Atomic unsigned asked;

	if (atomic_fetch_add(&asked, 1) < (unsigned)getpid() % FULL_ASKS)
		return false;
	log_event(LOG_WARNING, "keys-full",
		  "most=%d text=\"it ends, and another one begins, which does "
		  "not know the keys that were destroyed\"",
		  WORKER_KEYS_MAX);
	return true;
}

static enum sg_err serve_find(struct server *s, const struct wire_msg *m,
			      struct answers *a)
{
	struct wire_found_key found = {0};
	struct wire_find_key job;
	size_t number;
	enum sg_err e;

	if (wire_get_find_key(m, &job) != SG_OK ||
	    !key_label_is_good(job.label))
		return SG_MALFORMED;
	e = vault_find(s->vault, s->lane, job.label, (enum cose_alg)job.alg,
		       &number);
	if (e == SG_TOKEN_DOWN || (e == SG_TOO_BIG && makes_room()))
		return SG_TOKEN_DOWN;
	found.ok = e == SG_OK;
	found.key.alg = job.alg;
	found.key.label = job.label;
	if (found.ok)
		found.key = offer(s->vault, number);
	return put_found(a, m->id, &found);
}

static enum sg_err serve_message(struct server *s, const struct wire_msg *m,
				 uint64_t arrived_us, struct answers *a)
{
	switch (m->type) {
	case WIRE_ANCHOR: return serve_anchor(s, m, a);
	case WIRE_FIND_KEY: return serve_find(s, m, a);
	default: return serve_job(s, m, arrived_us, a);
	}
}

/* Errors: SG_CLOSED, SG_MALFORMED, SG_TOKEN_DOWN. */
static enum sg_err serve_packet(struct server *s, struct link_end *end,
				struct span rest)
{
	const uint64_t arrived_us = clock_mono_us();
	struct answers a = {.end = end, .packet = {s->out, WIRE_PACKET_MAX, 0}};
	struct wire_msg m;
	enum sg_err e;
	enum sg_err sent;

	while ((e = wire_next(&rest, &m)) == SG_OK) {
		e = serve_message(s, &m, arrived_us, &a);
		if (e != SG_OK)
			break;
	}
	if (e != SG_NOT_FOUND && e != SG_TOKEN_DOWN)
		return e;
	sent = flush(&a);
	return e == SG_TOKEN_DOWN ? e : sent;
}

static void distrust(struct server *s, struct link_end *end)
{
	metric_add(METRIC_BAD_MESSAGES, 1);
	if (!uplink_drop(s->uplink, end))
		return;
	log_event(LOG_ERROR, "bad-packet", "from=core/%u", end->slot);
	if (control_send_peer_bad(s->control, end->slot) != SG_OK)
		log_event(LOG_ERROR, "control-send-failed", "errno=%d", errno);
}

/* Until the link ends: SG_OK, or SG_TOKEN_DOWN. */
static enum sg_err serve_link(struct server *s, struct link_end *end)
{
	for (;;) {
		const ssize_t n =
			recv(end->fd, s->in, WIRE_PACKET_MAX, MSG_TRUNC);
		enum sg_err e;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return SG_OK;
		e = n <= WIRE_PACKET_MAX
			    ? serve_packet(s, end, span_of(s->in, (size_t)n))
			    : SG_MALFORMED;
		if (e == SG_TOKEN_DOWN)
			return e;
		if (e == SG_MALFORMED)
			distrust(s, end);
		if (e != SG_OK)
			return SG_OK;
	}
}

enum sg_err serve_run(struct server *s)
{
	uint64_t seen = 0;
	enum sg_err e = SG_OK;

	while (e == SG_OK) {
		struct link_end *end = uplink_get(s->uplink, seen);

		if (end == NULL)
			return SG_OK;
		seen = end->generation;
		e = serve_link(s, end);
		uplink_put(s->uplink, end);
	}
	return e;
}
