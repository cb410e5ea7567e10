/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TESTS_STREAM_WORLD_H
#define SG_TESTS_STREAM_WORLD_H

#include "api_world.h"
#include "front/api.h"

/*
 * stream_world: streams of requests in the world of api_world.h, over a
 * transport that keeps what it is told and is read when the test says so.
 */
#define NDJSON "application/x-ndjson"
#define CBOR_SEQ "application/cbor-seq"
#define ROW(id) "{\"id\":\"" id "\",\"dcc\":{\"ver\":\"1.3.0\"}}\n"

#define SECOND UINT64_C(1000) /* milliseconds */

enum { OUT_MAX = 5 << 20 };

/* The transport of one stream: what came of its answer. */
struct wire_end {
	struct exchange x; /* first */
	bool begun, finished;
	int status;
	char type[64];
	size_t took;
	size_t waiting; /* of OUT: not read by the client yet */
	size_t n;
	char *out; /* OUT_MAX */
};

static uint64_t now_ms;

static inline struct wire_end *end_of(struct exchange *x)
{
	return (struct wire_end *)x;
}

static inline void end_stream(struct exchange *x)
{
	(void)x;
}

static inline void end_took(struct exchange *x, size_t n)
{
	end_of(x)->took += n;
}

static inline void end_begin(struct exchange *x, const struct http_reply *r)
{
	struct wire_end *e = end_of(x);

	assert_false(e->begun);
	e->begun = true;
	e->status = r->status;
	(void)snprintf(e->type, sizeof(e->type), "%s", r->content_type);
}

static inline enum sg_err end_write(struct exchange *x, struct span run)
{
	struct wire_end *e = end_of(x);

	assert_true(e->begun && !e->finished);
	assert_true(run.n < (size_t)OUT_MAX - e->n);
	memcpy(e->out + e->n, run.p, run.n);
	e->n += run.n;
	e->waiting += run.n;
	e->out[e->n] = '\0';
	return SG_OK;
}

static inline void end_finish(struct exchange *x)
{
	assert_false(end_of(x)->finished);
	end_of(x)->finished = true;
}

static inline size_t end_waiting(const struct exchange *x)
{
	return ((const struct wire_end *)x)->waiting;
}

static const struct exchange_transport STREAMS = {
	.reply = keep_reply,
	.stream = end_stream,
	.took = end_took,
	.begin = end_begin,
	.write = end_write,
	.finish = end_finish,
	.waiting = end_waiting,
};

static inline struct wire_end *open_stream_of(const struct peer *peer,
					      const char *path,
					      const char *type)
{
	struct wire_end *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->out = calloc(1, OUT_MAX);
	assert_non_null(e->out);
	e->x = post(path, type, "");
	e->x.transport = &STREAMS;
	e->x.peer = peer;
	assert_true(exchange_open(&e->x));
	assert_true(e->x.streaming);
	return e;
}

static inline struct wire_end *open_stream(const char *path, const char *type)
{
	return open_stream_of(&PEER, path, type);
}

static inline void close_stream(struct wire_end *e)
{
	exchange_gone(&e->x);
	assert_int_equal(front->body_bytes, 0);
	free(e->out);
	free(e);
}

/* Turns of the loop: what has come is looked at, what is known is answered. */
static inline void run(void)
{
	for (int i = 0; i < 4; i++) {
		api_turn(front->api);
		turn();
	}
}

static inline void send_text(struct wire_end *e, struct span text)
{
	exchange_data(&e->x, text);
	run();
}

static inline void send_end(struct wire_end *e)
{
	exchange_end(&e->x);
	run();
}

static inline void read_all(struct wire_end *e)
{
	e->waiting = 0;
	if (!e->x.answered)
		api_room(&e->x);
	run();
}

static inline void pass(uint64_t ms)
{
	for (uint64_t until = now_ms + ms; now_ms < until;) {
		now_ms += WHEEL_TICK_MS;
		wheel_advance(&front->wheel, now_ms);
		run();
	}
}

/* Line NUMBER (from 0) of the answer, as JSON. */
static inline json_t *line(const struct wire_end *e, unsigned number)
{
	const char *p = e->out;
	json_t *doc;

	for (; number > 0; number--) {
		p = strchr(p, '\n');
		assert_non_null(p);
		p++;
	}
	assert_non_null(strchr(p, '\n'));
	doc = json_loadb(p, (size_t)(strchr(p, '\n') - p),
			 JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	return doc;
}

static inline size_t lines(const struct wire_end *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++)
		n += e->out[i] == '\n';
	return n;
}

static inline void expect_line(const struct wire_end *e, unsigned number,
			       const char *id, int status)
{
	json_t *doc = line(e, number);

	assert_string_equal(text(doc, "id"), id);
	if (status == 200)
		assert_non_null(json_object_get(doc, "hcert"));
	else
		assert_int_equal(
			json_integer_value(json_object_get(doc, "status")),
			status);
	json_decref(doc);
}

static inline uint64_t takes(void)
{
	return core_takes(WIRE_ISSUE).id;
}

static inline int stream_setup(void **state)
{
	const int rv = setup(state);

	now_ms = 0;
	wheel_init(&front->wheel, 0);
	front->settings.idle_ms = 60000;
	front->settings.body_ms = 10000;
	return rv;
}

#define STREAM_TEST(f)                                                         \
	cmocka_unit_test_setup_teardown(f, stream_setup, teardown)

#endif /* SG_TESTS_STREAM_WORLD_H */
