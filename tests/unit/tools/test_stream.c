/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>

#include "fake_server.h"

enum { NOW = 1768435200, RUN = 77, RECORDS = 12, SAMPLES_MAX = 64 };

static const char GOOD[] = "{\"hcert\":\"HC1:X\",\"uvci\":\"U\"}\n";
static const char BAD[] = "{\"type\":\"/problems/policy\",\"status\":422}\n";

struct world {
	struct target target;
	struct records records;
	struct bulk_settings settings;
	struct bulk_result result;
	struct bulk bulk;
	struct stream stream;
	struct fake_server *server;
	size_t samples;
	char sampled[SAMPLES_MAX][RECORDS_UVCI + 1];
};

static bool sample(void *ctx, struct span answer, struct span uvci)
{
	struct world *w = ctx;

	assert_true(answer.n > 0 && uvci.n == RECORDS_UVCI);
	assert_true(w->samples < SAMPLES_MAX);
	memcpy(w->sampled[w->samples++], uvci.p, uvci.n);
	return w->samples != 2; /* the second is wrong */
}

static struct world *make(bool http2, enum records_form form, uint64_t flawed)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct records_settings wanted = {
		.seed = 1,
		.now = NOW,
		.kinds = "vtr",
		.n = RECORDS,
		.flawed = flawed,
		.plain = true,
		.form = form,
	};

	assert_non_null(w);
	assert_int_equal(records_make(&wanted, &w->records), SG_OK);
	(void)snprintf(w->target.authority, sizeof(w->target.authority),
		       "localhost:1");
	w->settings = (struct bulk_settings){.target = &w->target,
					     .http2 = http2,
					     .form = form,
					     .window = 8,
					     .records = &w->records,
					     .run = RUN,
					     .sample_every = 3,
					     .sample = sample,
					     .sample_ctx = w};
	w->bulk.settings = &w->settings;
	w->bulk.result = &w->result;
	w->bulk.phase = BULK_MEASURING;
	w->bulk.nstreams = 1;
	w->bulk.protocol = http2 ? &STREAM_H2 : &STREAM_H1;
	w->stream.bulk = &w->bulk;
	w->stream.settings = &w->settings;
	w->stream.window = 8;
	w->stream.answers.form = form;
	w->server = fake_server(http2);
	assert_int_equal(w->bulk.protocol->open(&w->stream), SG_OK);
	assert_int_equal(w->bulk.protocol->begin(&w->stream), SG_OK);
	return w;
}

static void drop(struct world *w)
{
	w->bulk.protocol->close(&w->stream);
	fake_free(w->server);
	records_free(&w->records);
	free(w);
}

/* Move bytes to and fro until nothing moves any more, STEP of the answer at a
 * time. */
static enum sg_err pump_by(struct world *w, size_t step)
{
	struct fake_server *f = w->server;
	struct link *k = &w->stream.link;

	for (;;) {
		size_t n;

		assert_int_equal(w->bulk.protocol->output(&w->stream), SG_OK);
		fake_take(f, k->out, k->out_n);
		n = k->out_n;
		k->out_n = 0;
		fake_flush(f);
		if (n == 0 && f->out_n == 0)
			return SG_OK;
		for (size_t at = 0; at < f->out_n; at += step) {
			const size_t some =
				f->out_n - at < step ? f->out_n - at : step;
			const enum sg_err err = w->bulk.protocol->input(
				&w->stream, span_of(f->out + at, some));

			if (err != SG_OK)
				return err;
		}
		f->out_n = 0;
	}
}

static enum sg_err pump(struct world *w)
{
	return pump_by(w, FAKE_MAX);
}

static size_t lines(const struct fake_server *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->body_n; i++)
		n += f->body[i] == '\n';
	return n;
}

static bool has(const struct fake_server *f, const char *text)
{
	return memmem(f->head, f->head_n, text, strlen(text)) != NULL;
}

static void answer(struct world *w, const char *text, size_t n, bool last)
{
	for (size_t i = 0; i < n; i++)
		fake_send(w->server, span_str(text), false);
	if (last)
		fake_send(w->server, SPAN_LIT(""), true);
}

/* Records arrive whole and in order, each with the UVCI of its number. */
static void check_body(const struct world *w, size_t n)
{
	const char *at = (const char *)w->server->body;

	for (size_t i = 0; i < n; i++) {
		const char *end = strchr(at, '\n');
		char uvci[RECORDS_UVCI];
		json_t *j;

		assert_non_null(end);
		records_uvci(RUN, i, uvci);
		assert_non_null(
			memmem(at, (size_t)(end - at), uvci, sizeof(uvci)));
		j = json_loadb(at, (size_t)(end - at), 0, NULL);
		assert_non_null(j);
		json_decref(j);
		at = end + 1;
	}
}

/* From the first record to the end of the answer. */
static void whole_way(bool http2, size_t step)
{
	struct world *w = make(http2, RECORDS_JSON, 0);

	assert_int_equal(pump(w), SG_OK);
	assert_true(has(w->server, "/v1/certificates"));
	assert_true(has(w->server, "content-type: application/x-ndjson"));
	assert_true(has(w->server, "accept: application/x-ndjson"));
	/* Not one more than the window. */
	assert_int_equal(lines(w->server), 8);
	fake_answer(w->server, 200);
	answer(w, GOOD, 1, false);
	assert_int_equal(pump_by(w, step), SG_OK);
	assert_int_equal(w->result.answers, 1);
	/* One record is not worth a frame of its own, two are. */
	assert_int_equal(lines(w->server), 8);
	answer(w, GOOD, 4, false);
	assert_int_equal(pump_by(w, step), SG_OK);
	assert_int_equal(lines(w->server), 13);
	assert_false(w->server->ended);
	w->bulk.phase = BULK_DRAINING;
	assert_int_equal(pump(w), SG_OK);
	assert_true(w->server->ended);
	check_body(w, 13);
	answer(w, GOOD, 8, true);
	assert_int_equal(pump_by(w, step), SG_OK);
	assert_true(w->stream.done);
	assert_false(w->stream.broken);
	assert_int_equal(w->result.sent_all, 13);
	assert_int_equal(w->result.answers_all, 13);
	assert_int_equal(w->result.answers, 5); /* while measuring */
	assert_int_equal(w->result.by_status[200], 5);
	assert_int_equal(w->result.unexpected, 0);
	/* One in three, with the UVCI that was sent. */
	assert_int_equal(w->result.sampled, 5);
	assert_int_equal(w->result.sampled_wrong, 1);
	for (size_t i = 0; i < w->samples; i++) {
		char uvci[RECORDS_UVCI + 1] = "";

		records_uvci(RUN, 3 * i, uvci);
		assert_string_equal(w->sampled[i], uvci);
	}
	drop(w);
}

static void test_h1(void **state)
{
	(void)state;
	whole_way(false, FAKE_MAX);
	whole_way(false, 1);
	whole_way(false, 7);
}

static void test_h2(void **state)
{
	(void)state;
	whole_way(true, FAKE_MAX);
	whole_way(true, 1);
}

/* More than a buffer, a frame and a chunk hold, cut anywhere. */
static void long_way(bool http2, enum records_form form)
{
	struct world *w = make(http2, form, 0);
	const size_t n = 1500;

	w->stream.window = BULK_WINDOW_MAX;
	w->settings.nrecords = n;
	assert_int_equal(pump(w), SG_OK);
	if (form == RECORDS_JSON) {
		assert_int_equal(lines(w->server), n);
		check_body(w, n);
	}
	assert_true(w->server->body_n > 4 * LINK_OUT_MAX);
	assert_true(w->server->ended);
	assert_int_equal(w->stream.sent, n);
	drop(w);
}

static void test_long(void **state)
{
	(void)state;
	long_way(false, RECORDS_JSON);
	long_way(true, RECORDS_JSON);
	long_way(false, RECORDS_CBOR);
	long_way(true, RECORDS_CBOR);
}

static void refused(bool http2)
{
	struct world *w = make(http2, RECORDS_JSON, 0);

	assert_int_equal(pump(w), SG_OK);
	fake_answer(w->server, 415);
	fake_send(w->server, SPAN_LIT("{\"title\":\"no\"}"), true);
	assert_int_equal(pump(w), SG_OK);
	assert_true(w->stream.done && w->stream.broken);
	assert_string_equal(w->result.reason, "status 415: {\"title\":\"no\"}");
	assert_int_equal(w->result.answers_all, 0);
	drop(w);
}

static void cut_short(bool http2)
{
	struct world *w = make(http2, RECORDS_JSON, 0);

	assert_int_equal(pump(w), SG_OK);
	fake_answer(w->server, 200);
	answer(w, GOOD, 3, true);
	assert_int_equal(pump(w), SG_OK);
	assert_true(w->stream.done && w->stream.broken);
	assert_int_equal(w->result.answers_all, 3);
	drop(w);
}

static void too_many(bool http2)
{
	struct world *w = make(http2, RECORDS_JSON, 0);

	w->settings.nrecords = 2;
	assert_int_equal(pump(w), SG_OK);
	assert_int_equal(lines(w->server), 2);
	fake_answer(w->server, 200);
	answer(w, GOOD, 3, false);
	assert_int_not_equal(pump(w), SG_OK);
	drop(w);
}

/* What is left of a line when the answer ends was no answer. */
static void half_a_line(bool http2)
{
	struct world *w = make(http2, RECORDS_JSON, 0);

	w->settings.nrecords = 2;
	assert_int_equal(pump(w), SG_OK);
	fake_answer(w->server, 200);
	answer(w, GOOD, 2, false);
	fake_send(w->server, SPAN_LIT("{\"hc"), true);
	assert_int_equal(pump(w), SG_OK);
	assert_true(w->stream.done && w->stream.broken);
	drop(w);
}

static void test_wrong_servers(void **state)
{
	(void)state;
	for (int http2 = 0; http2 < 2; http2++) {
		refused(http2 == 1);
		cut_short(http2 == 1);
		too_many(http2 == 1);
		half_a_line(http2 == 1);
	}
}

/* Each record has an answer that it deserves. */
static void test_expected(void **state)
{
	struct world *w = make(false, RECORDS_JSON, RECORDS / 2);

	(void)state;
	w->settings.nrecords = RECORDS;
	w->stream.window = RECORDS;
	assert_int_equal(pump(w), SG_OK);
	fake_answer(w->server, 200);
	for (size_t i = 0; i < RECORDS; i++)
		answer(w, w->records.record[i].flaw != NULL ? BAD : GOOD, 1,
		       false);
	assert_int_equal(pump(w), SG_OK);
	assert_int_equal(w->result.unexpected, 0);
	assert_int_equal(w->result.by_status[422], RECORDS / 2);
	drop(w);

	w = make(false, RECORDS_JSON, RECORDS);
	assert_int_equal(pump(w), SG_OK);
	fake_answer(w->server, 200);
	answer(w, GOOD, 4, false);
	assert_int_equal(pump(w), SG_OK);
	assert_int_equal(w->result.unexpected, 4);
	drop(w);

	/* What is refused without a reason of its own is told. */
	w = make(false, RECORDS_JSON, 0);
	assert_int_equal(pump(w), SG_OK);
	fake_answer(w->server, 200);
	answer(w, BAD, 2, false);
	assert_int_equal(pump(w), SG_OK);
	assert_int_equal(w->result.unexpected, 2);
	assert_int_equal(strncmp(w->result.surprise, BAD, sizeof(BAD) - 2), 0);
	drop(w);

	/* A verdict is no certificate. */
	w = make(false, RECORDS_JSON, 0);
	w->settings.validate = true;
	assert_int_equal(pump(w), SG_OK);
	fake_answer(w->server, 200);
	answer(w, GOOD, 1, false);
	answer(w, "{\"verdict\":\"accept\"}\n", 1, false);
	assert_int_equal(pump(w), SG_OK);
	assert_int_equal(w->result.unexpected, 1);
	drop(w);
}

/* One that waits sends nothing; one without a window sends all it can. */
static void test_held(void **state)
{
	struct world *w = make(false, RECORDS_JSON, 0);

	(void)state;
	w->stream.held = true;
	assert_int_equal(pump(w), SG_OK);
	assert_int_equal(lines(w->server), 0);
	w->stream.held = false;
	w->stream.window = 0;
	assert_int_equal(w->bulk.protocol->output(&w->stream), SG_OK);
	assert_true(w->stream.link.out_n > LINK_OUT_MAX - 16384);
	assert_true(w->stream.sent > 50);
	drop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_h1),
		cmocka_unit_test(test_h2),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_wrong_servers),
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
