/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS handshake, also where an HSM has to sign for it. */
#include "admission.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/identity.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/request_id.h"
#include "connection.h"
#include "shares.h"

enum {
	US_PER_MS = 1000,
	/* However long a handshake may take: the core has as much patience. */
	SIGN_US_MAX = 8 * 1000 * 1000
};

void connection_refused(struct connection *c, const char *reason)
{
	char name[REQUEST_ID_TEXT];
	uint64_t dropped;

	metric_add(METRIC_HANDSHAKES_FAILED, 1);
	if (!throttle_allows(&c->front->refusals, clock_wall_s(), &dropped))
		return;
	log_event(LOG_INFO, "tls-refused",
		  "connection=%s reason=\"%s\" spki=%s unlogged=%llu",
		  request_id_text(c->host.name, 0, name), reason,
		  tls_fingerprint(c->tls), (unsigned long long)dropped);
}

/* It has not failed by a fault of its address. */
static void excuse(struct connection *c)
{
	admission_succeeded(c->front->admission, c->address,
			    c->front->settings.failures_max,
			    uv_now(c->front->loop));
}

static const char UNSIGNED[] = "no HSM signs with the server's key";

static void on_late(struct wheel_timer *t)
{
	struct connection *c = connection_of_deadline(t);

	if (c->signing) {
		excuse(c);
		metric_add(METRIC_HANDSHAKES_UNSIGNED, 1);
	}
	connection_refused(c, c->signing ? UNSIGNED : "handshake timed out");
	connection_drop(c);
}

void connection_handshake_begin(struct connection *c)
{
	const uint32_t ms = c->front->settings.handshake_ms;

	c->until_us = clock_mono_us() + (uint64_t)ms * US_PER_MS;
	connection_deadline(c, ms, on_late);
}

/* May the client have this connection, too? */
static bool has_place(struct connection *c)
{
	enum { SHOWN = 8 };
	struct front *f = c->front;
	const size_t max = f->settings.client_connections_max;
	char spki[HEX_TEXT(SHOWN)];
	uint64_t dropped;

	admission_succeeded(f->admission, c->address, f->settings.failures_max,
			    uv_now(f->loop));
	c->client = shares_index(span_of(c->peer.identity, c->peer.identity_n));
	c->entered = admission_enter(f->admission, c->client, max);
	if (c->entered)
		return true;
	metric_add(METRIC_CONNECTIONS_OF_CLIENT, 1);
	if (throttle_allows(&f->limited, clock_wall_s(), &dropped)) {
		/* An identity begins with the hash of its key. */
		(void)hex_encode(c->peer.identity, SHOWN, spki);
		log_event(LOG_WARNING, "client-connections-full",
			  "spki=%s limit=%zu unlogged=%llu", spki, max,
			  (unsigned long long)dropped);
	}
	return false;
}

/* Where each request is told: from here its name leads on. */
static void log_connected(const struct connection *c)
{
	struct identity who;
	char name[REQUEST_ID_TEXT];
	char spki[HEX_TEXT(sizeof(who.spki))] = "-";

	if (!log_has_requests())
		return;
	if (identity_decode(span_of(c->peer.identity, c->peer.identity_n),
			    &who) == SG_OK)
		(void)hex_encode(who.spki, sizeof(who.spki), spki);
	log_event(LOG_INFO, "client-connected", "connection=%s spki=%s http=%s",
		  request_id_text(c->host.name, 0, name), spki,
		  tls_is_http2(c->tls) ? "2" : "1.1");
}

/* --- the handshake -------------------------------------------------------- */

static bool ask_to_sign(struct connection *c);

/* The handshake has come to R.  True: to its good end. */
static bool shaken(struct connection *c, enum tls_result r)
{
	if (r == TLS_WANT)
		return false;
	if (r == TLS_SIGN)
		return ask_to_sign(c);
	if (r != TLS_OK) {
		if (tls_is_unsigned(c->tls))
			excuse(c);
		connection_refused(c, tls_reason(c->tls));
		connection_end(c);
		return false;
	}
	if (tls_peer(c->tls, &c->peer) == SG_OK && !has_place(c)) {
		connection_end(c);
		return false;
	}
	if (c->peer.identity == NULL || connection_start_http(c) != SG_OK) {
		connection_refused(c, "the certificate cannot be read");
		connection_end(c);
		return false;
	}
	metric_add(tls_is_12(c->tls) ? METRIC_HANDSHAKES_12
				     : METRIC_HANDSHAKES_13,
		   1);
	wheel_clear(&c->deadline);
	log_connected(c);
	return true;
}

/* The handshake goes on with the core's SIGNATURE; empty: there is none, for
 * FAULT. */
static void go_on(struct connection *c, struct span signature,
		  const char *fault)
{
	c->signing = false;
	/* With the last of what had come before it was signed. */
	if (shaken(c, tls_signed(c->tls, signature, fault)))
		connection_read_records(c);
	else if (signature.n > 0 && tls_is_unsigned(c->tls)) /* by our key */
		metric_add(METRIC_HANDSHAKES_UNSIGNED, 1);
	tls_give(c->tls, span_of(NULL, 0));
	connection_wake(c);
}

static const char *fault_of(enum sg_err err)
{
	return err == SG_TOKEN_DOWN || err == SG_TIMED_OUT ? UNSIGNED
							   : err_text(err);
}

/* More than this would wait in vain, and each costs a stack. */
enum { WAITING_MAX = 2 * WIRE_HANDSHAKES_MAX };

/* There is no room now, or no core: until it is too late there may be. */
static bool may_wait(const struct connection *c, enum sg_err err)
{
	return (err == SG_BUSY || err == SG_CORE_DOWN) &&
	       c->front->unsigned_n < WAITING_MAX;
}

/* In the order in which their time ends: it is looked at from its head. */
static void join_line(struct connection *c)
{
	struct connection_list *line = &c->front->unsigned_line;
	struct connection *before;

	TAILQ_FOREACH_REVERSE(before, line, connection_list, unsigned_line)
	if (before->sign_by_us <= c->sign_by_us)
		break;
	if (before != NULL)
		TAILQ_INSERT_AFTER(line, before, c, unsigned_line);
	else
		TAILQ_INSERT_HEAD(line, c, unsigned_line);
	c->unasked = true;
	c->front->unsigned_n++;
}

static void leave_line(struct connection *c)
{
	c->unasked = false;
	TAILQ_REMOVE(&c->front->unsigned_line, c, unsigned_line);
	c->front->unsigned_n--;
}

static void on_signed(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct connection *c = asker;
	struct wire_answer answer = {0};
	struct wire_problem problem;

	if (err == SG_OK && m->type == WIRE_PROBLEM)
		err = wire_get_problem(m, &problem) == SG_OK
			      ? (enum sg_err)problem.err
			      : SG_INTERNAL;
	else if (err == SG_OK)
		err = wire_get_answer(m, &answer);
	if (err == SG_BUSY || err == SG_CORE_DOWN) { /* it has waited before */
		join_line(c);
		return;
	}
	if (m == NULL) /* what the core says it counts */
		metric_add(METRIC_HANDSHAKES_UNSIGNED, 1);
	go_on(c, answer.document, fault_of(err != SG_OK ? err : SG_INTERNAL));
}

static enum sg_err ask(struct connection *c)
{
	const struct wire_handshake m = {.deadline_us = c->sign_by_us,
					 .content = tls_to_sign(c->tls),
					 .name = c->host.name};

	return core_link_handshake(c->front->link, &m, on_signed, c,
				   &c->question);
}

/* When a signature is of use yet: half of the time that is left is the
 * client's, who has to go on with it.  Where more come than the HSM signs for
 * they are refused then; signed at the very end, each would be in vain. */
static uint64_t sign_by(const struct connection *c)
{
	const uint64_t now = clock_mono_us();
	uint64_t us = c->until_us > now ? (c->until_us - now) / 2 : 0;

	if (us > SIGN_US_MAX)
		us = SIGN_US_MAX;
	return now + us;
}

/* The server's key is in an HSM: meanwhile nothing is read.  False: the
 * handshake is not at its end. */
static bool ask_to_sign(struct connection *c)
{
	struct front *f = c->front;
	enum sg_err err;

	c->sign_by_us = sign_by(c);
	err = TAILQ_EMPTY(&f->unsigned_line) ? ask(c) : SG_BUSY;
	c->signing = err == SG_OK || may_wait(c, err);
	if (!c->signing) {
		metric_add(METRIC_HANDSHAKES_UNSIGNED, 1);
		return shaken(
			c, tls_signed(c->tls, span_of(NULL, 0), fault_of(err)));
	}
	if (err != SG_OK)
		join_line(c);
	return false;
}

void connection_ask_again(struct front *f)
{
	struct connection *c;
	enum sg_err err;

	while ((c = TAILQ_FIRST(&f->unsigned_line)) != NULL) {
		err = clock_mono_us() < c->sign_by_us ? ask(c) : SG_TIMED_OUT;
		if (err == SG_BUSY || err == SG_CORE_DOWN)
			return;
		leave_line(c);
		if (err == SG_OK)
			continue;
		metric_add(METRIC_HANDSHAKES_UNSIGNED, 1);
		go_on(c, span_of(NULL, 0), fault_of(err));
	}
}

bool connection_shake_hands(struct connection *c)
{
	return shaken(c, tls_handshake(c->tls));
}

void connection_sign_no_more(struct connection *c)
{
	if (!c->signing)
		return;
	c->signing = false;
	if (c->unasked)
		leave_line(c);
	else
		core_link_forget(c->front->link, c->question);
}
