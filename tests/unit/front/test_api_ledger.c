/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_world.h"
#include "base/log.h"
#include "front/api.h"
#include "front/ledger_files.h"
#include "log_dir.h"

static const char PLAIN[] = "text/plain; charset=utf-8";
static const char OCTETS[] = "application/octet-stream";
static const char ENTRIES[] = "/v1/ledger/tile/entries/000";

static int begin(void **state)
{
	log_limit(LOG_ERROR);
	log_make();
	(void)setup(state);
	(void)snprintf(front->settings.ledger, sizeof(front->settings.ledger),
		       "%s", log_dir);
	front->ledger = -1; /* opened by who needs it */
	return 0;
}

static int end(void **state)
{
	ledger_files_close(&front->ledger);
	assert_int_equal(front->api->bundles, 0);
	(void)teardown(state);
	log_remove();
	return 0;
}

/* The core is asked QUESTION about who asks. */
static uint64_t asked(enum wire_question question)
{
	const struct wire_msg m = core_takes(WIRE_ASK);
	struct wire_ask q;

	assert_int_equal(wire_get_ask(&m, &q), SG_OK);
	assert_int_equal(q.question, question);
	assert_true(span_is(q.identity, "who"));
	return m.id;
}

/* PATH for a client, whom the core knows. */
static void get(const char *path, enum wire_question question)
{
	struct exchange x = request(HTTP_GET, path);

	play(&x, SPAN_LIT(""));
	assert_int_equal(got.calls, 0);
	core_tells(asked(question), SPAN_LIT(""));
	api_gone(&x);
	assert_int_equal(got.calls, 1);
}

/* PATH for anybody. */
static void get_public(const char *path)
{
	struct exchange x = request(HTTP_GET, path);

	at_door(&x, DOOR_PUBLIC);
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	assert_int_equal(got.calls, 1);
	core_silent();
}

static void expect(const char *type, const char *cache, size_t n)
{
	assert_int_equal(got.r.status, 200);
	assert_string_equal(got.r.content_type, type);
	assert_string_equal(header("cache-control"), cache);
	assert_int_equal(got.r.body.n, n);
}

static void test_client(void **state)
{
	(void)state;
	get("/v1/ledger/checkpoint", WIRE_ASK_CLIENT);
	expect(PLAIN, "no-cache", 16);
	assert_string_equal(got.body, "log.example\n300\n");
	assert_string_equal(header("vary"), "accept, accept-language");
	get("/v1/ledger/vkey", WIRE_ASK_CLIENT);
	expect(PLAIN, "public, max-age=31536000, immutable", 26);
	get("/v1/ledger/tile/0/000", WIRE_ASK_CLIENT);
	expect(OCTETS, "public, max-age=31536000, immutable", 8192);
	assert_int_equal((uint8_t)got.body[8191], 255);
	get("/v1/ledger/tile/0/001.p/44", WIRE_ASK_CLIENT);
	expect(OCTETS, "public, max-age=60", (size_t)44 * 32);
	get("/v1/ledger/tile/0/000.p/3", WIRE_ASK_CLIENT);
	expect(OCTETS, "public, max-age=60", (size_t)3 * 32);
	get("/v1/ledger/tile/0/002", WIRE_ASK_CLIENT);
	expect_problem(404, "not-found", "");
	assert_string_equal(header("cache-control"), "no-store");
	core_silent();
}

static void test_entries(void **state)
{
	struct exchange x = request(HTTP_GET, ENTRIES);

	(void)state;
	get(ENTRIES, WIRE_ASK_AUDIT);
	expect(OCTETS, "private, max-age=31536000, immutable",
	       2 * 256 + 255 * 128);
	get("/v1/ledger/tile/entries/000.p/2", WIRE_ASK_AUDIT);
	expect(OCTETS, "private, max-age=60", 5);
	get("/v1/ledger/tile/entries/007", WIRE_ASK_AUDIT);
	expect_problem(404, "not-found", "");
	/* for who may audit, and nobody else */
	play(&x, SPAN_LIT(""));
	core_refuses(asked(WIRE_ASK_AUDIT), SG_FORBIDDEN, 0);
	api_gone(&x);
	expect_problem(403, "forbidden", "");
	get_public(ENTRIES);
	expect_problem(404, "not-found", "");
	get_public("/v1/ledger/tile/entries/000.p/2");
	expect_problem(404, "not-found", "");
}

static void test_public(void **state)
{
	struct exchange x = request(HTTP_HEAD, "/v1/ledger/tile/0/000");

	(void)state;
	get_public("/v1/ledger/checkpoint");
	expect(PLAIN, "no-cache", 16);
	assert_null(header("vary"));
	get_public("/v1/ledger/vkey");
	expect(PLAIN, "public, max-age=31536000, immutable", 26);
	get_public("/v1/ledger/tile/1/000.p/1");
	expect(OCTETS, "public, max-age=60", 32);
	/* what is not there yet may be there soon */
	get_public("/v1/ledger/tile/1/000");
	expect_problem(404, "not-found", "");
	assert_string_equal(header("cache-control"), "no-store");
	at_door(&x, DOOR_PUBLIC);
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	expect(OCTETS, "public, max-age=31536000, immutable", 8192);
}

/* A stranger with a certificate gets nothing, whatever may be public. */
static void test_stranger(void **state)
{
	static const char *const paths[] = {"/v1/ledger/checkpoint",
					    "/v1/ledger/vkey",
					    "/v1/ledger/tile/0/000"};
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		x = request(HTTP_GET, paths[i]);
		play(&x, SPAN_LIT(""));
		core_refuses(asked(WIRE_ASK_CLIENT), SG_FORBIDDEN, 0);
		api_gone(&x);
		expect_problem(403, "forbidden", "");
	}
}

static void test_no_such_path(void **state)
{
	static const char *const paths[] = {
		"/v1/ledger/",
		"/v1/ledger/checkpoint/",
		"/v1/ledger/vkey2",
		"/v1/ledger/tile",
		"/v1/ledger/tile/",
		"/v1/ledger/tile/0/00",
		"/v1/ledger/tile/../checkpoint",
		"/v1/ledger/tile/0/000/",
		"/v1/ledger/tile/0/x000/001",
		"/v1/ledger/tile/64/000",
		"/v1/ledger/tile/entries/../../../journal",
		"/v1/ledger/tile/entries/",
		"/v1/ledger/tile/entries/000.p/256"};
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		x = request(HTTP_GET, paths[i]);
		play(&x, SPAN_LIT(""));
		api_gone(&x);
		expect_problem(404, "not-found", "");
		get_public(paths[i]);
		expect_problem(404, "not-found", "");
	}
	core_silent();
}

static void test_forms(void **state)
{
	struct exchange x = request(HTTP_GET, "/v1/ledger/tile/0/000");

	(void)state;
	at_door(&x, DOOR_PUBLIC);
	x.request.accept = SPAN_LIT("application/json");
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	expect_problem(406, "not-acceptable", "application/octet-stream");
	x = request(HTTP_GET, "/v1/ledger/checkpoint");
	at_door(&x, DOOR_PUBLIC);
	x.request.accept = SPAN_LIT("text/html, */*;q=0.8");
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	expect(PLAIN, "no-cache", 16);
}

/* What is wrong with the files is not the client's fault. */
static void test_bad_files(void **state)
{
	static const uint8_t large[LEDGER_TILE_MAX + 1];

	(void)state;
	log_file("tile/0/003", large, sizeof(large));
	get_public("/v1/ledger/tile/0/003");
	expect_problem(500, "internal", "");
	log_file("tile/0/004", large, 10);
	get_public("/v1/ledger/tile/0/004.p/7");
	expect_problem(500, "internal", "");
}

/* Bundles that nobody reads are bounded, all together. */
static void test_large_bundles(void **state)
{
	static const char path[] = "/v1/ledger/tile/entries/005";
	static const uint8_t large[ANSWER_MAX - 1];
	const size_t others = (64 << 20) - sizeof(large);
	struct exchange x = request(HTTP_GET, path);
	struct exchange y = request(HTTP_GET, path);

	(void)state;
	log_file("tile/entries/005", large, sizeof(large));
	front->api->bundles = others;
	play(&x, SPAN_LIT(""));
	core_tells(asked(WIRE_ASK_AUDIT), SPAN_LIT(""));
	assert_int_equal(got.r.status, 200);
	assert_int_equal(got.r.body.n, sizeof(large));
	play(&y, SPAN_LIT(""));
	core_tells(asked(WIRE_ASK_AUDIT), SPAN_LIT(""));
	expect_problem(503, "unavailable", "");
	assert_string_equal(header("retry-after"), "1");
	api_gone(&y);
	api_gone(&x); /* it has left */
	assert_int_equal(front->api->bundles, others);
	get(path, WIRE_ASK_AUDIT);
	assert_int_equal(got.r.status, 200);
	front->api->bundles = 0;
}

/* --- proofs --------------------------------------------------------------- */

static void ask_proof(struct exchange *x, const char *query, enum door door)
{
	*x = request(HTTP_GET, "/v1/ledger/proof");
	at_door(x, door);
	x->request.query = span_str(query);
	play(x, SPAN_LIT(""));
}

static void test_proof(void **state)
{
	struct exchange x;
	struct wire_msg m;
	struct wire_ask q;

	(void)state;
	ask_proof(&x, "index=18446744073709551615", DOOR_CLIENTS);
	m = core_takes(WIRE_ASK);
	assert_int_equal(wire_get_ask(&m, &q), SG_OK);
	assert_int_equal(q.question, WIRE_ASK_PROOF);
	assert_true(q.index == UINT64_MAX);
	assert_true(span_is(q.identity, "who"));
	core_tells(m.id, SPAN_LIT("c2sp.org/tlog-proof@v1\n"));
	api_gone(&x);
	expect(PLAIN, "no-cache", 23);
	assert_string_equal(got.body, "c2sp.org/tlog-proof@v1\n");
	/* anybody: without an identity */
	ask_proof(&x, "index=0", DOOR_PUBLIC);
	m = core_takes(WIRE_ASK);
	assert_int_equal(wire_get_ask(&m, &q), SG_OK);
	assert_int_equal(q.index, 0);
	assert_int_equal(q.identity.n, 0);
	core_refuses(m.id, SG_NOT_YET, 2);
	api_gone(&x);
	expect_problem(503, "unavailable", "checkpoint");
	assert_string_equal(header("retry-after"), "2");
	ask_proof(&x, "index=7", DOOR_CLIENTS);
	core_refuses(core_takes(WIRE_ASK).id, SG_NOT_FOUND, 0);
	api_gone(&x);
	expect_problem(404, "not-found", "");
	/* no text is no proof */
	ask_proof(&x, "index=7", DOOR_CLIENTS);
	core_tells(core_takes(WIRE_ASK).id, SPAN_LIT(""));
	api_gone(&x);
	expect_problem(500, "internal", "");
}

static void test_bad_index(void **state)
{
	static const char *const queries[] = {"",
					      "index",
					      "index=",
					      "index=-1",
					      "index=+1",
					      "index=01",
					      "index=00",
					      "index=1 ",
					      "index=1&index=2",
					      "index=1x",
					      "Index=1",
					      "i=1",
					      "index=0x1",
					      "index=18446744073709551616",
					      "index=99999999999999999999",
					      "index=%31"};
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		ask_proof(&x, queries[i], DOOR_CLIENTS);
		api_gone(&x);
		expect_problem(400, "malformed", "index=N");
	}
	core_silent();
}

/* Anybody's proofs are few, so that the core can sign. */
static void test_public_proofs(void **state)
{
	struct exchange x;
	unsigned given = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		ask_proof(&x, "index=1", DOOR_PUBLIC);
		if (x.answered) {
			expect_problem(503, "unavailable", "");
			assert_string_equal(header("retry-after"), "1");
		} else {
			given++;
			core_tells(core_takes(WIRE_ASK).id, SPAN_LIT("p"));
		}
		api_gone(&x);
	}
	assert_in_range(given, 50, 199); /* each second */
	/* A client's are not held up by them. */
	ask_proof(&x, "index=1", DOOR_CLIENTS);
	core_tells(core_takes(WIRE_ASK).id, SPAN_LIT("p"));
	api_gone(&x);
	assert_int_equal(got.r.status, 200);
}

/* All that are made at a time hold up the core no longer than a moment. */
static void test_proofs_in_flight(void **state)
{
	enum { MAX = 64 };
	static struct exchange x[MAX + 1];

	(void)state;
	core_credit(1024);
	for (int i = 0; i <= MAX; i++) {
		ask_proof(&x[i], "index=1", DOOR_CLIENTS);
		assert_int_equal(x[i].answered, i == MAX);
	}
	expect_problem(503, "unavailable", "");
	api_gone(&x[0]); /* one is given up, */
	core_tells(core_takes(WIRE_ASK).id, SPAN_LIT("p"));
	core_tells(core_takes(WIRE_ASK).id, SPAN_LIT("p")); /* one is made */
	assert_true(x[1].answered);
	for (int i = 0; i < 2; i++) {
		api_gone(&x[MAX - i]);
		ask_proof(&x[MAX - i], "index=1", DOOR_CLIENTS);
		assert_false(x[MAX - i].answered);
	}
	for (int i = 1; i <= MAX; i++)
		api_gone(&x[i]);
	assert_int_equal(front->api->proofs, 0);
}

/* Nor do those that the core is slow with take all of its credit. */
static void test_public_proofs_in_flight(void **state)
{
	enum { OWED = 16 };
	struct exchange x[OWED + 1];
	struct exchange y;

	(void)state;
	core_credit(256);
	for (int i = 0; i <= OWED; i++) {
		ask_proof(&x[i], "index=1", DOOR_PUBLIC);
		assert_int_equal(x[i].answered, i == OWED);
	}
	expect_problem(503, "unavailable", "");
	ask_proof(&y, "index=1", DOOR_CLIENTS);
	assert_false(y.answered);
	api_gone(&y);
	for (int i = 0; i <= OWED; i++)
		api_gone(&x[i]);
}

#define LEDGER_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEDGER_TEST(test_client),
		LEDGER_TEST(test_entries),
		LEDGER_TEST(test_public),
		LEDGER_TEST(test_stranger),
		LEDGER_TEST(test_no_such_path),
		LEDGER_TEST(test_forms),
		LEDGER_TEST(test_bad_files),
		LEDGER_TEST(test_large_bundles),
		LEDGER_TEST(test_proof),
		LEDGER_TEST(test_bad_index),
		LEDGER_TEST(test_public_proofs),
		LEDGER_TEST(test_proofs_in_flight),
		LEDGER_TEST(test_public_proofs_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
