/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_link.h"

#include <assert.h>
#include <stdlib.h>

#include "fds.h"

enum {
	/* A packet costs the core and the hsm some 10 us, and its answer wakes
	 * the core, a front and clients; a batch that signs for this long makes
	 * that small, and is short enough to be waited for and to be lost. */
	BATCH_US = 8000,
	/* So many are enough for that, unless even they sign in no time: a
	 * session that waits for its next packet costs more than the packet.
	 * Not where another key of the HSM is slow: what comes next may be
	 * its, and the average does not know yet. */
	BATCH_ENOUGH = 16,
	QUICK_US = 2000,
	SLOW_US = 1000,
	PACKETS_A_SESSION = 2,
	/* Work for this long keeps a session busy until the next packet comes.
	 * Who has it in as many packets as it may waits: what is asked
	 * meanwhile goes together, and so do its answers. */
	ENOUGH_US = 300,
	AVERAGE_SHIFT = 3, /* weight 1/8 for the newest time */
	SIGN_ROOM = 64,	   /* bytes of a WIRE_SIGN beside its tbs */
	ANCHOR_ROOM = 64,  /* of a WIRE_ANCHOR beside its value */
	FIND_ROOM = 64	   /* of a WIRE_FIND_KEY beside its label */
};

static bool get_ready(struct hsm_link *l, const struct wire_msg *m)
{
	struct wire_hsm_ready ready;

	if (l->ready || wire_get_hsm_ready(m, &ready) != SG_OK)
		return false;
	if (ready.sessions == 0 || ready.sessions > HSM_SESSIONS_MAX ||
	    ready.nkeys > WIRE_HSM_KEYS_MAX)
		return false;
	l->ready = true;
	l->sessions = ready.sessions;
	if (ready.hsm.n >= sizeof(l->hsm))
		return false;
	if (ready.hsm.n > 0)
		memcpy(l->hsm, ready.hsm.p, ready.hsm.n);
	return l->events->ready(l->ctx, l, &ready);
}

/* Is M an answer that something was asked for? */
static bool take_answer(struct hsm_link *l)
{
	if (!l->ready || l->in_flight == 0)
		return false;
	l->in_flight--;
	l->answering = true;
	return true;
}

static bool get_anchored(struct hsm_link *l, const struct wire_msg *m)
{
	struct wire_anchored done;

	if (wire_get_anchored(m, &done) != SG_OK || l->anchoring == 0)
		return false;
	l->anchoring--;
	return l->events->anchored(l->ctx, l, m->id, &done);
}

/* An answer to what was not asked is nonsense. */
static bool get_found(struct hsm_link *l, const struct wire_msg *m)
{
	struct wire_found_key found;

	if (wire_get_found_key(m, &found) != SG_OK || m->id >= CORE_KEYS_MAX ||
	    !l->key[m->id].finding)
		return false;
	l->key[m->id].finding = false;
	return l->events->found(l->ctx, l, m->id, &found);
}

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct hsm_link *l = ctx;
	struct wire_sign_failed failed;
	struct wire_signed done;

	fds_close(fds, n);
	if (n > 0)
		return false; /* an hsm has no descriptor to give */
	switch (m->type) {
	case WIRE_HSM_READY: return get_ready(l, m);
	case WIRE_SIGNED:
		return wire_get_signed(m, &done) == SG_OK && take_answer(l) &&
		       l->events->signed_(l->ctx, l, m->id, &done);
	case WIRE_SIGN_FAILED:
		return wire_get_sign_failed(m, &failed) == SG_OK &&
		       take_answer(l) &&
		       l->events->failed(l->ctx, l, m->id, &failed);
	case WIRE_ANCHORED: return get_anchored(l, m);
	case WIRE_FOUND_KEY: return get_found(l, m);
	default: return false;
	}
}

static void on_packet(void *ctx)
{
	struct hsm_link *l = ctx;

	/* An hsm answers a packet by a packet; should one not, the count finds
	 * back when there is less in flight. */
	if (l->answering && l->packets > 0)
		l->packets--;
	if (l->packets > l->in_flight)
		l->packets = l->in_flight;
	l->answering = false;
	l->events->batch(l->ctx);
}

static void on_end(void *ctx, bool bad)
{
	struct hsm_link *l = ctx;

	l->events->end(l->ctx, l, bad);
}

enum sg_err hsm_link_open(const struct hsm_link_parts *parts,
			  struct hsm_link **out)
{
	static const struct channel_events below = {
		.message = on_message, .packet_done = on_packet, .end = on_end};
	struct hsm_link *l;
	enum sg_err err;

	*out = NULL;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return SG_NO_MEMORY;
	l->events = parts->events;
	l->ctx = parts->ctx;
	l->slot = parts->slot;
	l->breaker = &l->own;
	TAILQ_INIT(&l->flight);
	err = channel_open(parts->loop, parts->fd, &below, l, &l->channel);
	if (err != SG_OK) {
		free(l);
		return err;
	}
	*out = l;
	return SG_OK;
}

/* Did each of its keys sign its last test quickly? */
static bool all_quick(const struct hsm_link *l)
{
	for (uint64_t left = l->usable; left != 0; left &= left - 1)
		if (l->key[__builtin_ctzll(left)].test_us > SLOW_US)
			return false;
	return true;
}

/* Jobs a packet at most, by how long one takes. */
static size_t batch_max(const struct hsm_link *l)
{
	size_t n;

	if (l->sign_us == 0)
		return 1;
	n = BATCH_US / l->sign_us;
	if (n < 1)
		return 1;
	if (n <= BATCH_ENOUGH)
		return n;
	n = QUICK_US / l->sign_us;
	if (n <= BATCH_ENOUGH || !all_quick(l))
		return BATCH_ENOUGH;
	return n < HSM_BATCH_MAX ? n : HSM_BATCH_MAX;
}

size_t hsm_link_batch(const struct hsm_link *l, size_t backlog, size_t sessions)
{
	const size_t max = batch_max(l);
	const size_t share = (backlog + sessions - 1) / sessions;

	if (share < 1)
		return 1;
	return share < max ? share : max;
}

/* Has L enough to do until what comes meanwhile can go together? */
static bool has_enough(const struct hsm_link *l)
{
	return l->packets >= (size_t)PACKETS_A_SESSION * l->sessions &&
	       (uint64_t)l->in_flight * l->sign_us >=
		       (uint64_t)ENOUGH_US * l->sessions;
}

size_t hsm_link_room(const struct hsm_link *l)
{
	const size_t max = batch_max(l) * PACKETS_A_SESSION * l->sessions;

	if (l->in_flight >= max || has_enough(l))
		return 0;
	return max - l->in_flight;
}

bool hsm_link_lighter(const struct hsm_link *l, const struct hsm_link *m)
{
	return l->in_flight * m->sessions < m->in_flight * l->sessions;
}

enum sg_err hsm_link_send(struct hsm_link *l, struct op *op, op_id id,
			  uint64_t now_us)
{
	const struct wire_sign m = {.key = l->key[op->key].number,
				    .deadline_us = op->deadline_us,
				    .tbs = op->tbs,
				    .name = op->name,
				    .line = op->line};
	struct wire_packet *w = channel_room(l->channel, SIGN_ROOM + op->tbs.n);

	if (w == NULL || wire_put_sign(w, id, &m) != SG_OK)
		return SG_BUSY;
	op->place = OP_AT_HSM;
	op->at = l;
	op->id = id;
	op->sent_us = now_us;
	op->sends++;
	TAILQ_INSERT_TAIL(&l->flight, op, entry);
	l->in_flight++;
	return SG_OK;
}

enum sg_err hsm_link_anchor(struct hsm_link *l, size_t k, uint64_t id,
			    struct span value)
{
	const struct wire_anchor m = {.key = l->key[k].number, .value = value};
	struct wire_packet *w;

	channel_cut(l->channel);
	w = channel_room(l->channel, ANCHOR_ROOM + value.n);
	if (w == NULL || wire_put_anchor(w, id, &m) != SG_OK)
		return SG_BUSY;
	channel_cut(l->channel);
	l->anchoring++;
	return SG_OK;
}

enum sg_err hsm_link_find(struct hsm_link *l, size_t k, const struct key *key)
{
	const struct wire_find_key m = {.label = span_str(key->label),
					.alg = (int32_t)key->alg};
	struct wire_packet *w;

	channel_cut(l->channel);
	w = channel_room(l->channel, FIND_ROOM + m.label.n);
	if (w == NULL || wire_put_find_key(w, k, &m) != SG_OK)
		return SG_BUSY;
	channel_cut(l->channel);
	l->key[k].finding = true;
	return SG_OK;
}

void hsm_link_cut(struct hsm_link *l)
{
	channel_cut(l->channel);
	l->packets++;
}

void hsm_link_forget(struct hsm_link *l, struct op *op)
{
	assert(op->place == OP_AT_HSM && op->at == l);
	TAILQ_REMOVE(&l->flight, op, entry);
	op->place = OP_OUT;
	op->at = NULL;
	op->id = 0;
}

void hsm_link_timed(struct hsm_link *l, uint32_t sign_us)
{
	l->timed = true;
	if (sign_us == 0)
		sign_us = 1;
	if (l->sign_us == 0)
		l->sign_us = sign_us;
	else
		l->sign_us = l->sign_us - (l->sign_us >> AVERAGE_SHIFT) +
			     (sign_us >> AVERAGE_SHIFT);
	if (l->sign_us == 0)
		l->sign_us = 1;
}

void hsm_link_tested(struct hsm_link *l, size_t k, uint32_t sign_us)
{
	l->key[k].test_us = sign_us;
	if (!l->timed && l->sign_us > 0)
		l->sign_us = sign_us > 0 ? sign_us : 1;
	l->timed = false;
}

void hsm_link_close(struct hsm_link *l)
{
	if (l == NULL)
		return;
	assert(TAILQ_EMPTY(&l->flight));
	channel_close(l->channel);
	free(l);
}
