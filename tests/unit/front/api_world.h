/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TESTS_API_WORLD_H
#define SG_TESTS_API_WORLD_H

#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fake_core.h"
#include "front/exchange.h"
#include "front/front_state.h"
#include "front/peer.h"
#include "hcert/cbor.h"

/*
 * api_world: the API between a transport that keeps what it is told, and a
 * core that is driven by hand.  For tests of one file each; needs cmocka.h
 * before it.
 */
/* NOLINTBEGIN(bugprone-not-null-terminated-result): bytes, not strings */
enum { BODY_MAX = 65536, ANSWER_MAX = 1 << 20, CREDIT = 8 };

#define JSON "application/json"
#define CBOR "application/cbor"
#define REQUEST "{\"id\":\"row 7\",\"dcc\":{\"ver\":\"1.3.0\"}}"

static uv_loop_t loop;
static struct front *front;
static uint8_t identity[] = "who";
static const struct peer PEER = {
	.identity_n = 3, .identity = identity, .not_after = INT64_MAX};

/* The last answer, copied: it lives for the call only. */
static struct {
	int calls;
	struct http_reply r;
	char header[REPLY_HEADERS_MAX][256];
	char body[ANSWER_MAX];
} got;

static inline void keep_reply(struct exchange *x, const struct http_reply *r)
{
	(void)x;
	got.calls++;
	got.r = *r;
	assert_true(r->body.n < sizeof(got.body));
	if (r->body.n > 0)
		memcpy(got.body, r->body.p, r->body.n);
	got.body[r->body.n] = '\0';
	for (size_t i = 0; i < r->nheaders; i++) {
		const struct span v = r->header[i].value;

		assert_true(v.n < sizeof(got.header[i]));
		memcpy(got.header[i], v.p, v.n);
		got.header[i][v.n] = '\0';
	}
}

static const struct exchange_transport TRANSPORT = {.reply = keep_reply};

static inline const char *header(const char *name)
{
	for (size_t i = 0; i < got.r.nheaders; i++) {
		if (strcmp(got.r.header[i].name, name) == 0)
			return got.header[i];
	}
	return NULL;
}

static inline void on_status(void *ctx, const struct wire_status *s,
			     bool changed)
{
	(void)ctx;
	(void)s;
	(void)changed;
}

/* The front has asked nothing. */
static inline void core_silent(void)
{
	struct wire_msg m;

	assert_false(core_next(&m));
}

static inline struct wire_issued issued(void)
{
	return (struct wire_issued){
		.alg = -7,
		.iat = 1700000000,
		.exp = 1731536000,
		.ledger_index = WIRE_NO_LEDGER_INDEX,
		.kid = {0xd9, 0x19, 0x37, 0x5f, 0xc1, 0xe7, 0xb6, 0xb2},
		.cose = SPAN_LIT("\xd2\x84 the signed bytes"),
		.uvci = SPAN_LIT("URN:UVCI:01:VN:1\"")};
}

static inline struct exchange request(enum http_method method, const char *path)
{
	return (struct exchange){
		.request = {.method = method, .path = span_str(path)},
		.peer = &PEER,
		.front = front,
		.opened_us = clock_mono_us(),
		.transport = &TRANSPORT};
}

/* X came in by DOOR. */
static inline void at_door(struct exchange *x, enum door door)
{
	x->door = door;
	x->peer = door == DOOR_CLIENTS ? &PEER : NULL;
}

static inline struct exchange post(const char *path, const char *type,
				   const char *accept)
{
	struct exchange x = request(HTTP_POST, path);

	x.request.content_type = span_str(type);
	x.request.accept = span_str(accept);
	return x;
}

/* Send X with BODY, as far as the API listens. */
static inline void play(struct exchange *x, struct span body)
{
	got.calls = 0;
	x->request.has_length = true;
	x->request.length = body.n;
	api_open(x);
	if (!x->answered && body.n > 0)
		api_data(x, body);
	if (!x->answered)
		api_end(x);
}

static inline json_t *answer_json(int status, const char *type)
{
	json_t *doc;

	assert_int_equal(got.calls, 1);
	assert_int_equal(got.r.status, status);
	assert_string_equal(got.r.content_type, type);
	doc = json_loadb(got.body, got.r.body.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	return doc;
}

static inline const char *text(const json_t *map, const char *key)
{
	const char *s = json_string_value(json_object_get(map, key));

	return s == NULL ? "" : s;
}

static inline void expect_problem(int status, const char *name,
				  const char *detail)
{
	json_t *doc = answer_json(status, "application/problem+json");
	char type[64];

	(void)snprintf(type, sizeof(type), "/problems/%s", name);
	assert_string_equal(text(doc, "type"), type);
	assert_int_equal(json_integer_value(json_object_get(doc, "status")),
			 status);
	if (strstr(text(doc, "detail"), detail) == NULL)
		fail_msg("%s", text(doc, "detail"));
	json_decref(doc);
}

static inline int setup(void **state)
{
	(void)state;
	front = calloc(1, sizeof(*front));
	assert_non_null(front);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(api_create(&front->api), SG_OK);
	assert_int_equal(core_link_create(&loop, on_status, NULL, &front->link),
			 SG_OK);
	front->loop = &loop;
	front->settings.body_bytes_max = BODY_MAX;
	front->settings.request_ms = 2000;
	core_connect(&loop, front->link);
	core_credit(CREDIT);
	core_status_is(true, 0);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	assert_int_equal(core_link_in_flight(front->link), 0);
	core_link_free(front->link);
	(void)close(core.fd);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	api_free(front->api);
	free(front);
	return 0;
}

/* The members of the CBOR map in the answer: value of KEY. */
static inline struct cbor_item member(const char *key, size_t members)
{
	struct cbor_reader r =
		cbor_read(span_of(got.body, got.r.body.n), CBOR_DETERMINISTIC);
	struct cbor_item item;
	struct cbor_item found = {0};

	assert_string_equal(got.r.content_type, CBOR);
	assert_int_equal(cbor_next(&r, &item), SG_OK);
	assert_int_equal(item.type, CBOR_MAP);
	assert_int_equal(item.arg, members);
	for (size_t i = 0; i < members; i++) {
		struct cbor_reader peek;

		assert_int_equal(cbor_next(&r, &item), SG_OK);
		peek = r;
		if (span_is(item.run, key))
			assert_int_equal(cbor_next(&peek, &found), SG_OK);
		assert_int_equal(cbor_skip(&r, 8, NULL), SG_OK);
	}
	assert_true(cbor_at_end(&r));
	return found;
}
/* NOLINTEND(bugprone-not-null-terminated-result) */

#define API_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif /* SG_TESTS_API_WORLD_H */
