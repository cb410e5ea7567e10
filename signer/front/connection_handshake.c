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

enum { US_PER_MS = 1000 };

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

void connection_handshake_late(struct wheel_timer *t)
{
	struct connection *c = connection_of_deadline(t);

	connection_refused(c, "handshake timed out");
	connection_drop(c);
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

/* The core's answer: a signature, or none. */
static void on_signed(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct connection *c = asker;
	struct wire_answer answer = {0};

	c->signing = false;
	/* A problem has no signature. */
	if (err == SG_OK && wire_get_answer(m, &answer) != SG_OK)
		answer.document = span_of(NULL, 0);
	/* With the last of what has come before it was signed. */
	if (shaken(c, tls_signed(c->tls, answer.document)))
		connection_read_records(c);
	tls_give(c->tls, span_of(NULL, 0));
	connection_wake(c);
}

/* The server's key is in an HSM: meanwhile nothing is read.  False: the
 * handshake is not at its end. */
static bool ask_to_sign(struct connection *c)
{
	const struct wire_handshake m = {
		.deadline_us =
			clock_mono_us() +
			(uint64_t)c->front->settings.handshake_ms * US_PER_MS,
		.content = tls_to_sign(c->tls),
		.name = c->host.name};

	if (core_link_handshake(c->front->link, &m, on_signed, c,
				&c->question) == SG_OK) {
		c->signing = true;
		return false;
	}
	/* Never again the same result: it fails. */
	return shaken(c, tls_signed(c->tls, span_of(NULL, 0)));
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
	core_link_forget(c->front->link, c->question);
}
