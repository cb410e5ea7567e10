/* SPDX-License-Identifier: Apache-2.0 */
/* GET /livez, /readyz and /metrics, on the plain listener. */
#include "api.h"

#include <stdio.h>

#include "base/hex.h"
#include "server_key.h"

enum { OK = 200, UNAVAILABLE = 503 };

static const char PLAIN[] = "text/plain; charset=utf-8";
/* Prometheus text exposition format. */
static const char EXPOSITION[] = "text/plain; version=0.0.4; charset=utf-8";

static void reply_text(struct api_call *c, int status, const char *type,
		       struct span body)
{
	const struct http_reply r = {
		.status = status, .content_type = type, .body = body};

	exchange_reply(c->x, &r);
}

void api_livez_open(struct api_call *c)
{
	reply_text(c, OK, PLAIN, SPAN_LIT("alive\n"));
}

/* WORD and TEXT, as a line. */
static void reply_line(struct api_call *c, int status, struct span word,
		       struct span text)
{
	struct cbor_writer w =
		cbor_write(c->api->answer, sizeof(c->api->answer));

	cbor_put_raw(&w, word);
	cbor_put_raw(&w, text);
	cbor_put_raw(&w, SPAN_LIT("\n"));
	reply_text(c, status, PLAIN, span_of(w.p, w.len));
}

static void reply_unready(struct api_call *c, struct span reason)
{
	reply_line(c, UNAVAILABLE, SPAN_LIT("not ready: "), reason);
}

void api_readyz_open(struct api_call *c)
{
	const struct front *f = c->x->front;
	const struct wire_status *status = core_link_status(f->link);

	if (f->draining)
		reply_unready(c, SPAN_LIT("draining"));
	else if (status == NULL)
		reply_unready(c, span_str(err_text(SG_CORE_DOWN)));
	else if (server_key_fault(f) != NULL)
		reply_unready(c, span_str(server_key_fault(f)));
	else if (!status->ready)
		reply_unready(c, status->reason);
	else if (status->remark.n > 0)
		reply_line(c, OK, SPAN_LIT("ready, but: "), status->remark);
	else
		reply_text(c, OK, PLAIN, SPAN_LIT("ready\n"));
}

/* Which policy is in force, as the core has told it, behind the N bytes of the
 * answer; returns with how many they are then. */
static size_t add_policy(struct api_call *c, size_t n)
{
	const struct wire_status *status = core_link_status(c->x->front->link);
	char hash[HEX_TEXT(sizeof(status->policy_hash))];
	const size_t room = sizeof(c->api->answer) - n;
	int more;

	if (status == NULL)
		return n;
	more = snprintf((char *)c->api->answer + n, room,
			"# HELP signer_policy_info The policy in force, by the "
			"SHA-256 of its file\n"
			"# TYPE signer_policy_info gauge\n"
			"signer_policy_info{sha256=\"%s\"} 1\n",
			hex_encode(status->policy_hash,
				   sizeof(status->policy_hash), hash));
	return more > 0 && (size_t)more < room ? n + (size_t)more : n;
}

void api_metrics_open(struct api_call *c)
{
	const struct front *f = c->x->front;
	size_t n;

	if (metrics_render(f->source, f->nsources, (char *)c->api->answer,
			   sizeof(c->api->answer), &n) != SG_OK)
		api_fail(c, SG_INTERNAL, NULL);
	else
		reply_text(c, OK, EXPOSITION,
			   span_of(c->api->answer, add_policy(c, n)));
}
