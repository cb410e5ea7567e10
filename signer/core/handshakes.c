/* SPDX-License-Identifier: Apache-2.0 */
#include "handshakes.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"

enum { SPACES = 64, HASH_SHORT = 32, HASH_LONG = 48 };

static const char CONTEXT[] = "TLS 1.3, server CertificateVerify"; /* and NUL */

_Static_assert(SPACES + sizeof(CONTEXT) + HASH_LONG == WIRE_HANDSHAKE_MAX,
	       "all that is signed fits into a message");

struct handshake {
	struct op op; /* first: it is found by it */
	LIST_ENTRY(handshake) entry;
	struct front_link *front;
	uint64_t id; /* the front's */
	uint8_t content[WIRE_HANDSHAKE_MAX];
};

struct handshakes {
	struct keyring *keys;
	struct hsm_pool *pool;
	LIST_HEAD(, handshake) all;
};

enum sg_err handshakes_create(struct keyring *keys, struct hsm_pool *pool,
			      struct handshakes **out)
{
	struct handshakes *h = calloc(1, sizeof(*h));

	*out = h;
	if (h == NULL)
		return SG_NO_MEMORY;
	h->keys = keys;
	h->pool = pool;
	LIST_INIT(&h->all);
	return SG_OK;
}

bool handshakes_is_content(struct span content)
{
	const size_t before = SPACES + sizeof(CONTEXT);

	if (content.n != before + HASH_SHORT && content.n != before + HASH_LONG)
		return false;
	for (size_t i = 0; i < SPACES; i++)
		if (content.p[i] != ' ')
			return false;
	return memcmp(content.p + SPACES, CONTEXT, sizeof(CONTEXT)) == 0;
}

static void drop(struct handshake *s)
{
	LIST_REMOVE(s, entry);
	s->front->handshakes--;
	free(s);
}

/* Tell F that handshake ID is not signed, for ERR. */
static void refuse(struct front_link *f, uint64_t id, enum sg_err err)
{
	metric_add(METRIC_HANDSHAKES_UNSIGNED, 1);
	front_link_problem(f, id, err, span_of(NULL, 0), span_of(NULL, 0));
}

static void on_done(struct op *op, enum sg_err err, struct span signature)
{
	struct handshake *s = (struct handshake *)op;

	if (err == SG_OK) {
		metric_add(METRIC_HANDSHAKES_SIGNED, 1);
		front_link_answer(s->front, s->id, signature);
	} else {
		refuse(s->front, s->id, err);
	}
	drop(s);
}

/* When F's patience is over, which it says, and which is not endless. */
static uint64_t deadline_of(const struct wire_handshake *m)
{
	const uint64_t latest = clock_mono_us() + HANDSHAKES_US_MAX;

	return m->deadline_us < latest ? m->deadline_us : latest;
}

static enum sg_err begin(struct handshakes *h, struct front_link *f,
			 uint64_t id, const struct wire_handshake *m,
			 size_t key)
{
	struct handshake *s;
	enum sg_err err;

	if (f->handshakes >= WIRE_HANDSHAKES_MAX)
		return SG_BUSY;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return SG_NO_MEMORY;
	s->front = f;
	s->id = id;
	memcpy(s->content, m->content.p, m->content.n);
	s->op = (struct op){.key = key,
			    .handshake = true,
			    .message = span_of(s->content, m->content.n),
			    .deadline_us = deadline_of(m),
			    .name = m->name,
			    .done = on_done};
	err = hsm_pool_submit(h->pool, &s->op);
	if (err != SG_OK) {
		free(s);
		return err;
	}
	LIST_INSERT_HEAD(&h->all, s, entry);
	f->handshakes++;
	return SG_OK;
}

bool handshakes_take(struct handshakes *h, struct front_link *f, uint64_t id,
		     const struct wire_handshake *m)
{
	enum sg_err err;
	size_t key;

	if (!handshakes_is_content(m->content) ||
	    !keyring_tls_key(h->keys, &key))
		return false;
	err = begin(h, f, id, m, key);
	if (err != SG_OK)
		refuse(f, id, err);
	return true;
}

void handshakes_forget(struct handshakes *h, const struct front_link *f)
{
	struct handshake *s = LIST_FIRST(&h->all);
	struct handshake *next;

	for (; s != NULL; s = next) {
		next = LIST_NEXT(s, entry);
		if (s->front != f)
			continue;
		hsm_pool_cancel(h->pool, &s->op);
		drop(s);
	}
}

void handshakes_tick(struct handshakes *h, uint64_t now_us)
{
	struct handshake *s = LIST_FIRST(&h->all);
	struct handshake *next;

	for (; s != NULL; s = next) {
		next = LIST_NEXT(s, entry);
		if (s->op.deadline_us > now_us)
			continue;
		hsm_pool_cancel(h->pool, &s->op);
		refuse(s->front, s->id, SG_TIMED_OUT);
		drop(s);
	}
}

void handshakes_free(struct handshakes *h)
{
	struct handshake *s;
	struct handshake *next;

	if (h == NULL)
		return;
	for (s = LIST_FIRST(&h->all); s != NULL; s = next) {
		next = LIST_NEXT(s, entry);
		hsm_pool_cancel(h->pool, &s->op);
		drop(s);
	}
	free(h);
}
