/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_FAKE_API_H
#define SG_TEST_FAKE_API_H

/*
 * Stands in for the API under the transport's tests: remembers what it was
 * called with, and answers when MODE says so.  Include once in a program.
 */
#undef NDEBUG /* its checks are part of the tests */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "front/bytes.h"
#include "front/http.h"
#include "front/peer.h"

enum fake_mode {
	FAKE_ECHO,  /* at the end: 200 with the body that came */
	FAKE_EARLY, /* at the head: 404 */
	FAKE_LATER, /* never by itself: fake_answer() */
	FAKE_LARGE, /* at the end: 200 with fake.large bytes */
	/* A stream: what comes goes back at once, and is taken at once unless
	 * fake.keep says so. */
	FAKE_STREAM
};

struct fake_call {
	struct bytes body;
	bool begun; /* of a stream: the answer's head is out */
	bool ended;
};

static struct {
	enum fake_mode mode;
	unsigned opened, ended, gone, rooms, cuts;
	enum sg_err cut;
	bool keep;
	size_t large;
	enum http_method method;
	char path[256], query[256], type[128], accept[128], language[128];
	bool has_length;
	uint64_t length;
	struct exchange *last; /* the newest that is open */
} fake;

static inline void fake_copy(char *out, size_t cap, struct span s)
{
	(void)snprintf(out, cap, "%.*s", (int)s.n,
		       s.n > 0 ? (const char *)s.p : "");
}

static inline void fake_answer(struct exchange *x, int status, struct span body)
{
	const struct http_reply r = {
		.status = status,
		.content_type = "text/plain",
		.nheaders = 1,
		.header = {{"x-test", SPAN_LIT("yes")}},
		.body = body,
	};

	exchange_reply(x, &r);
}

void api_open(struct exchange *x)
{
	struct fake_call *call = calloc(1, sizeof(*call));

	assert(call != NULL);
	fake.opened++;
	fake.last = x;
	fake.method = x->request.method;
	fake_copy(fake.path, sizeof(fake.path), x->request.path);
	fake_copy(fake.query, sizeof(fake.query), x->request.query);
	fake_copy(fake.type, sizeof(fake.type), x->request.content_type);
	fake_copy(fake.accept, sizeof(fake.accept), x->request.accept);
	fake_copy(fake.language, sizeof(fake.language),
		  x->request.accept_language);
	fake.has_length = x->request.has_length;
	fake.length = x->request.length;
	x->api = call;
	if (fake.mode == FAKE_EARLY)
		fake_answer(x, 404, SPAN_LIT("early"));
	if (fake.mode == FAKE_STREAM)
		exchange_stream(x);
}

static inline void fake_begin(struct exchange *x)
{
	static const struct http_reply r = {.status = 200,
					    .content_type = "text/plain"};

	struct fake_call *call = x->api;

	if (!call->begun)
		exchange_begin(x, &r);
	call->begun = true;
}

static inline void fake_write(struct exchange *x, struct span run)
{
	assert(exchange_write(x, run) == SG_OK);
}

/* The transport cuts a stream, or asks for its end. */
void api_cut(struct exchange *x, enum sg_err e, const char *detail)
{
	(void)detail;
	fake.cuts++;
	fake.cut = e;
	if (x->owed > 0)
		exchange_took(x, x->owed);
	fake_begin(x);
	fake_write(x, SPAN_LIT("cut"));
	exchange_finish(x);
}

void api_room(struct exchange *x)
{
	assert(x->streaming && !x->answered);
	fake.rooms++;
}

/* api_turn() and api_turn_due() are not the transport's. */

void api_data(struct exchange *x, struct span data)
{
	struct fake_call *call = x->api;

	assert(call != NULL && !call->ended && !x->answered);
	assert(bytes_add(&call->body, data) == SG_OK);
	if (fake.mode != FAKE_STREAM)
		return;
	fake_begin(x);
	fake_write(x, data);
	if (!fake.keep)
		exchange_took(x, data.n);
}

void api_end(struct exchange *x)
{
	struct fake_call *call = x->api;

	assert(call != NULL && !call->ended && !x->answered);
	call->ended = true;
	fake.ended++;
	if (fake.mode == FAKE_ECHO)
		fake_answer(x, 200, bytes_view(&call->body));
	if (fake.mode == FAKE_STREAM) {
		fake_begin(x);
		exchange_finish(x);
	}
	if (fake.mode == FAKE_LARGE) {
		uint8_t *text = malloc(fake.large);

		assert(text != NULL);
		memset(text, 'x', fake.large);
		fake_answer(x, 200, span_of(text, fake.large));
		free(text);
	}
}

void api_gone(struct exchange *x)
{
	struct fake_call *call = x->api;

	assert(call != NULL); /* once, and only after api_open() */
	bytes_free(&call->body);
	free(call);
	x->api = NULL;
	fake.gone++;
	if (fake.last == x)
		fake.last = NULL;
}

size_t api_problem_body(enum sg_err e, const char *detail, char *out,
			size_t cap)
{
	const int n = snprintf(out, cap, "problem %s %s", err_problem(e),
			       detail != NULL ? detail : "-");

	assert(n > 0 && (size_t)n < cap);
	return (size_t)n;
}

/* --- a front and a connection's side of HTTP ------------------------------ */

static struct front *fake_front;
static struct http_host fake_host;
static unsigned fake_wakes;

static inline void fake_wake(struct http_host *h)
{
	(void)h;
	fake_wakes++;
}

static inline void fake_setup(void)
{
	memset(&fake, 0, sizeof(fake));
	fake_front = calloc(1, sizeof(*fake_front));
	assert(fake_front != NULL);
	fake_front->settings = (struct front_settings){
		.header_bytes_max = 1024,
		.body_bytes_max = 4096,
		.streams_max = 8,
		.header_ms = 5000,
		.body_ms = 10000,
		.idle_ms = 60000,
	};
	(void)snprintf(fake_front->date, sizeof(fake_front->date), "DATE");
	wheel_init(&fake_front->wheel, 0);
	fake_host = (struct http_host){
		.front = fake_front, .door = DOOR_OPS, .wake = fake_wake};
}

static inline void fake_teardown(void)
{
	assert(fake_front->body_bytes == 0);
	free(fake_front);
	fake_front = NULL;
}

/* Let MS pass on the wheel. */
static uint64_t fake_now_ms;

static inline void fake_pass(uint64_t ms)
{
	fake_now_ms += ms;
	wheel_advance(&fake_front->wheel, fake_now_ms);
}

#endif /* SG_TEST_FAKE_API_H */
