/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hcert/cbor.h"
#include "tools/bench/answers.h"

enum { SEEN_MAX = 32 };

struct seen {
	size_t n;
	int status[SEEN_MAX];
	bool certificate[SEEN_MAX];
	size_t length[SEEN_MAX];
	size_t stop; /* at that many; 0: never */
};

static enum sg_err take(void *ctx, const struct answer *a)
{
	struct seen *s = ctx;

	assert_true(s->n < SEEN_MAX);
	s->status[s->n] = a->status;
	s->certificate[s->n] = a->certificate;
	s->length[s->n++] = a->text.n;
	return s->n == s->stop ? SG_MALFORMED : SG_OK;
}

/* The whole TEXT in pieces of STEP bytes. */
static struct seen feed(enum records_form form, struct span text, size_t step)
{
	static struct answers a;
	struct seen seen = {.n = 0};

	a.n = 0;
	a.form = form;
	for (size_t at = 0; at < text.n; at += step) {
		const size_t n = text.n - at < step ? text.n - at : step;

		assert_int_equal(
			answers_feed(&a, span_of(text.p + at, n), take, &seen),
			SG_OK);
	}
	assert_true(answers_whole(&a));
	return seen;
}

static const char LINES[] =
	"{\"hcert\":\"HC1:ABC\",\"uvci\":\"X\"}\n"
	"{\"id\":\"7\",\"hcert\":\"HC1:ABC\",\"uvci\":\"X\"}\n"
	"{\"type\":\"/problems/policy\",\"title\":\"Refused\",\"status\":422,"
	"\"detail\":\"\\\"status\\\":200\"}\n"
	"{\"verdict\":\"accept\"}\n"
	"{\"type\":\"/problems/rate\",\"status\":429}\n"
	"\n"
	"{\"status\":4}\n";

static void check_lines(struct seen s)
{
	static const int status[] = {200, 200, 422, 200, 429, 0, 0};
	static const bool certificate[7] = {true, true};

	assert_int_equal(s.n, 7);
	for (size_t i = 0; i < s.n; i++) {
		assert_int_equal(s.status[i], status[i]);
		assert_int_equal(s.certificate[i], certificate[i]);
	}
	assert_int_equal(s.length[3], 20); /* without the line end */
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t step = 1; step < 40; step++)
		check_lines(feed(RECORDS_JSON, span_str(LINES), step));
	check_lines(feed(RECORDS_JSON, span_str(LINES), sizeof(LINES)));
}

static void test_items(void **state)
{
	uint8_t buf[512];
	struct cbor_writer w = cbor_write(buf, sizeof(buf));
	size_t n;

	(void)state;
	cbor_put_map(&w, 2); /* a certificate */
	cbor_put_text(&w, SPAN_LIT("cose"));
	cbor_put_bytes(&w, SPAN_LIT("\x00\x01\x02"));
	cbor_put_text(&w, SPAN_LIT("exp"));
	cbor_put_uint(&w, 1768435200);
	cbor_put_map(&w, 2); /* a problem: "cose" is a word in it, no key */
	cbor_put_text(&w, SPAN_LIT("violations"));
	cbor_put_array(&w, 1);
	cbor_put_text(&w, SPAN_LIT("cose"));
	cbor_put_text(&w, SPAN_LIT("status"));
	cbor_put_uint(&w, 422);
	cbor_put_map(&w, 1);
	cbor_put_text(&w, SPAN_LIT("verdict"));
	cbor_put_text(&w, SPAN_LIT("accept"));
	cbor_put_uint(&w, 1); /* no map */
	assert_int_equal(cbor_done(&w, &n), SG_OK);
	for (size_t step = 1; step <= n; step++) {
		const struct seen s = feed(RECORDS_CBOR, span_of(buf, n), step);

		assert_int_equal(s.n, 4);
		assert_int_equal(s.status[0], 200);
		assert_true(s.certificate[0]);
		assert_int_equal(s.status[1], 422);
		assert_false(s.certificate[1]);
		assert_int_equal(s.status[2], 200);
		assert_false(s.certificate[2]);
		assert_int_equal(s.status[3], 0);
	}
}

static void test_errors(void **state)
{
	static struct answers a = {.form = RECORDS_JSON};
	static uint8_t endless[ANSWERS_MAX + 1];
	struct seen seen = {.stop = 2};

	(void)state;
	memset(endless, 'x', sizeof(endless));
	assert_int_equal(
		answers_feed(&a, span_of(endless, ANSWERS_MAX), take, &seen),
		SG_OK);
	assert_false(answers_whole(&a));
	assert_int_equal(answers_feed(&a, span_of(endless, 1), take, &seen),
			 SG_TOO_BIG);
	a.n = 0;
	assert_int_equal(answers_feed(&a, SPAN_LIT("a\nb\nc\n"), take, &seen),
			 SG_MALFORMED);
	assert_int_equal(seen.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
