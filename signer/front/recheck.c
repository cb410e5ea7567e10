/* SPDX-License-Identifier: Apache-2.0 */
#include "recheck.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/request_id.h"

enum {
	STEP_MAX = 16,	 /* connections in one turn: some 2 ms of verifying */
	ASKING_MAX = 64, /* questions with the core */
	EXPIRY_PERIOD_S = 5
};

struct recheck {
	struct connection *cursor; /* the next one of the walk */
	size_t asking;
	bool again; /* the core did not answer for all */
	unsigned seconds;
	struct throttle closings;
};

enum sg_err recheck_create(struct recheck **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? SG_OK : SG_NO_MEMORY;
}

static void start(struct front *f)
{
	f->recheck->cursor = TAILQ_FIRST(&f->connections);
	front_stay_awake(f);
}

void recheck_reloaded(struct front *f)
{
	f->reloads++;
	recheck_policy(f);
}

void recheck_policy(struct front *f)
{
	f->walks++;
	start(f);
}

static void close_invalid(struct connection *c, const char *reason)
{
	enum { SHOWN = 8 };
	const size_t shown =
		c->peer.identity_n < SHOWN ? c->peer.identity_n : SHOWN;
	char spki[HEX_TEXT(SHOWN)] = "-";
	char name[REQUEST_ID_TEXT];
	uint64_t dropped;

	metric_add(METRIC_CONNECTIONS_CLOSED_BY_RELOAD, 1);
	connection_finish(c, true);
	if (!throttle_allows(&c->front->recheck->closings, clock_wall_s(),
			     &dropped))
		return;
	/* An identity begins with the hash of its key. */
	if (shown > 0)
		(void)hex_encode(c->peer.identity, shown, spki);
	log_event(LOG_INFO, "client-closed",
		  "connection=%s reason=\"%s\" spki=%s unlogged=%llu",
		  request_id_text(request_id_connection(c->host.name), 0, name),
		  reason, spki, (unsigned long long)dropped);
}

void recheck_client(struct connection *c)
{
	const struct front *f = c->front;
	const char *reason = "out of memory";

	if (c->verified == f->reloads || c->tls == NULL || c->http == NULL)
		return;
	c->verified = f->reloads;
	if (tls_verify_again(c->tls, f->tls, &reason) != SG_OK)
		close_invalid(c, reason);
}

static bool is_refusal(const struct wire_msg *m)
{
	struct wire_problem p;

	return m->type == WIRE_PROBLEM && wire_get_problem(m, &p) == SG_OK &&
	       (p.err == SG_FORBIDDEN || p.err == SG_UNAUTHENTICATED);
}

static void on_answer(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct connection *c = asker;
	struct recheck *r = c->front->recheck;

	c->asking = false;
	r->asking--;
	if (m == NULL || err != SG_OK) {
		c->asked = 0;
		r->again = true;
	} else if (is_refusal(m)) {
		close_invalid(c, "no client of the policy");
	}
	front_stay_awake(c->front);
}

static void ask(struct connection *c)
{
	struct front *f = c->front;
	struct recheck *r = f->recheck;
	const struct wire_ask m = {
		.question = WIRE_ASK_CLIENT,
		.identity = span_of(c->peer.identity, c->peer.identity_n),
	};

	if (core_link_ask(f->link, &m, on_answer, c, &c->question) != SG_OK) {
		r->again = true;
		return;
	}
	c->asked = f->walks;
	c->asking = true;
	r->asking++;
}

bool recheck_step(struct front *f)
{
	struct recheck *r = f->recheck;

	for (int i = 0; i < STEP_MAX; i++) {
		struct connection *c = r->cursor;

		if (c == NULL || r->asking == ASKING_MAX)
			return false; /* an answer goes on with it */
		r->cursor = TAILQ_NEXT(c, all);
		recheck_client(c);
		if (c->tls != NULL && c->http != NULL && !c->asking &&
		    c->asked != f->walks)
			ask(c);
	}
	return r->cursor != NULL;
}

void recheck_forget(struct connection *c)
{
	struct recheck *r = c->front->recheck;

	if (r->cursor == c)
		r->cursor = TAILQ_NEXT(c, all);
	if (!c->asking)
		return;
	core_link_forget(c->front->link, c->question);
	c->asking = false;
	r->asking--;
}

static void finish_expired(struct front *f)
{
	const int64_t now = clock_wall_s();
	struct connection *c;

	TAILQ_FOREACH (c, &f->connections, all) {
		if (c->tls != NULL && c->http != NULL &&
		    c->peer.not_after < now)
			connection_finish(c, true);
	}
}

void recheck_second(struct front *f)
{
	struct recheck *r = f->recheck;

	if (++r->seconds % EXPIRY_PERIOD_S == 0)
		finish_expired(f);
	if (r->again && r->cursor == NULL && r->asking == 0 &&
	    core_link_status(f->link) != NULL) {
		r->again = false;
		start(f);
	}
}

void recheck_free(struct recheck *r)
{
	free(r);
}
