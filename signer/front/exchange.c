/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/request_id.h"
#include "front_state.h"
#include "peer.h"

enum {
	HTTP_OK = 200, /* of a stream's answer, always */
	PROBLEM_BYTES_MAX = 1024,
	/* Request bodies of all exchanges together: some thousand of the
	 * largest ones. */
	BODIES_BYTES_MAX = 256 << 20
};

static void count_status(int status)
{
	if (status < 400)
		metric_add(METRIC_HTTP_2XX, 1);
	else if (status < 500)
		metric_add(METRIC_HTTP_4XX, 1);
	else
		metric_add(METRIC_HTTP_5XX, 1);
}

/* X ended with STATUS; 0: its client went away.  Of what the client sent
 * nothing is told, the path neither: he may put anything there. */
static void log_answered(const struct exchange *x, int status)
{
	static const char *const method[] = {"GET", "HEAD", "POST", "-"};
	char name[REQUEST_ID_TEXT];

	if (!log_has_requests() || x->door == DOOR_OPS)
		return;
	log_event(LOG_INFO, "request-answered",
		  "request=%s method=%s route=%s stream=%d status=%d us=%llu",
		  request_id_text(x->name, 0, name), method[x->request.method],
		  x->route != NULL ? x->route : "-", x->streaming, status,
		  (unsigned long long)(clock_mono_us() - x->opened_us));
}

/* R as it goes out: a client's answer is for nobody else, and what GET gets
 * depends on what it asked for.  NAME is written, and must live as long. */
static struct http_reply complete(const struct exchange *x,
				  const struct http_reply *r,
				  char name[REQUEST_ID_TEXT])
{
	struct http_reply out = *r;

	assert(r->nheaders + REPLY_HEADERS_ADDED <= REPLY_HEADERS_MAX);
	if (x->door == DOOR_OPS)
		return out;
	if (x->door == DOOR_CLIENTS)
		out.header[out.nheaders++] = (struct http_header){
			"vary", SPAN_LIT("accept, accept-language")};
	if (x->request.method == HTTP_POST || r->status >= 400)
		out.header[out.nheaders++] = (struct http_header){
			"cache-control", SPAN_LIT("no-store")};
	if (x->door == DOOR_CLIENTS)
		out.header[out.nheaders++] = (struct http_header){
			EXCHANGE_NAME_HEADER,
			span_str(request_id_text(x->name, 0, name))};
	return out;
}

void exchange_reply(struct exchange *x, const struct http_reply *r)
{
	char name[REQUEST_ID_TEXT];
	const struct http_reply whole = complete(x, r, name);

	assert(!x->answered);
	x->answered = true;
	count_status(r->status);
	log_answered(x, r->status);
	metric_time(HISTOGRAM_REQUEST_TIME, clock_mono_us() - x->opened_us);
	x->transport->reply(x, &whole);
}

/* --- streams -------------------------------------------------------------- */

void exchange_stream(struct exchange *x)
{
	assert(!x->answered && !x->streaming);
	x->streaming = true;
	x->transport->stream(x);
}

void exchange_took(struct exchange *x, size_t n)
{
	assert(x->streaming && n <= x->owed);
	x->owed -= n;
	x->front->body_bytes -= n;
	x->transport->took(x, n);
}

void exchange_begin(struct exchange *x, const struct http_reply *r)
{
	char name[REQUEST_ID_TEXT];
	const struct http_reply whole = complete(x, r, name);

	assert(x->streaming && !x->answered && r->body.n == 0);
	count_status(r->status);
	x->transport->begin(x, &whole);
}

enum sg_err exchange_write(struct exchange *x, struct span run)
{
	assert(x->streaming && !x->answered);
	return x->transport->write(x, run);
}

void exchange_finish(struct exchange *x)
{
	assert(x->streaming && !x->answered);
	x->answered = true;
	log_answered(x, HTTP_OK);
	x->transport->finish(x);
}

size_t exchange_waiting(const struct exchange *x)
{
	return x->transport->waiting(x);
}

/* --- the life of a request ------------------------------------------------ */

bool exchange_open(struct exchange *x)
{
	if (x->peer != NULL && x->peer->not_after < clock_wall_s()) {
		exchange_refuse(x, SG_UNAUTHENTICATED,
				"the client certificate has expired");
		return false;
	}
	x->given = true;
	api_open(x);
	return true;
}

/* Of a stream: counted while the API works on it. */
static void stream_data(struct exchange *x, struct span data)
{
	struct front *f = x->front;

	if (data.n > BODIES_BYTES_MAX - f->body_bytes) {
		api_cut(x, SG_BUSY, NULL);
		x->transport->took(x, data.n);
		return;
	}
	x->owed += data.n;
	f->body_bytes += data.n;
	api_data(x, data);
}

void exchange_data(struct exchange *x, struct span data)
{
	struct front *f = x->front;
	const size_t limit = f->settings.body_bytes_max;
	char text[EXCHANGE_DETAIL_MAX];

	if (x->answered || data.n == 0)
		return;
	if (x->streaming) {
		stream_data(x, data);
		return;
	}
	if (x->body_bytes > limit || data.n > limit - x->body_bytes) {
		exchange_refuse(x, SG_TOO_BIG, exchange_too_large(x, text));
		return;
	}
	if (data.n > BODIES_BYTES_MAX - f->body_bytes) {
		exchange_refuse(x, SG_BUSY, NULL);
		return;
	}
	x->body_bytes += data.n;
	f->body_bytes += data.n;
	api_data(x, data);
}

const char *exchange_too_large(const struct exchange *x,
			       char text[EXCHANGE_DETAIL_MAX])
{
	(void)snprintf(text, EXCHANGE_DETAIL_MAX,
		       "the body is too large: at most %zu bytes are taken",
		       x->front->settings.body_bytes_max);
	return text;
}

void exchange_end(struct exchange *x)
{
	if (!x->answered)
		api_end(x);
}

/* The API forgets X. */
static void forget(struct exchange *x)
{
	assert(x->front->body_bytes >= x->body_bytes + x->owed);
	x->front->body_bytes -= x->body_bytes + x->owed;
	x->body_bytes = 0;
	x->owed = 0;
	if (!x->given)
		return;
	x->given = false;
	api_gone(x);
}

void exchange_gone(struct exchange *x)
{
	if (x->given && !x->answered)
		log_answered(x, 0);
	forget(x);
}

void exchange_refuse(struct exchange *x, enum sg_err e, const char *detail)
{
	char body[PROBLEM_BYTES_MAX];
	struct http_reply r = {
		.status = err_http(e),
		.content_type = "application/problem+json",
		.close = true,
	};

	if (x->answered)
		return;
	if (x->streaming) {
		api_cut(x, e, detail);
		return;
	}
	forget(x);
	r.body = span_of(body, api_problem_body(e, detail, body, sizeof(body)));
	if (r.status == 503)
		r.header[r.nheaders++] =
			(struct http_header){"retry-after", SPAN_LIT("1")};
	if (e == SG_BAD_METHOD) /* RFC 9110 s. 15.5.6 */
		r.header[r.nheaders++] = (struct http_header){
			"allow", SPAN_LIT("GET, HEAD, POST")};
	exchange_reply(x, &r);
}
