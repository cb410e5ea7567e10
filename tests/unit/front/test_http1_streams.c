/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http1_world.h"

#define HEAD "POST / HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define ANSWER_HEAD                                                            \
	"HTTP/1.1 200 OK\r\ndate: DATE\r\ntransfer-encoding: chunked\r\n"      \
	"content-type: text/plain\r\n\r\n"

static void test_answer_while_it_comes(void **state)
{
	(void)state;
	fake.mode = FAKE_STREAM;
	feed(SPAN_LIT(CHUNKED "5\r\nhello\r\n"), SIZE_MAX);
	assert_string_equal(out, ANSWER_HEAD "5\r\nhello\r\n");
	out_len = 0;
	feed(SPAN_LIT("6\r\n world\r\n"), SIZE_MAX);
	assert_string_equal(out, "6\r\n world\r\n");
	assert_true(h1->ops->streaming(h1));
	assert_true(fake.rooms >= 2);
	out_len = 0;
	feed(SPAN_LIT("0\r\n\r\n"), SIZE_MAX);
	assert_string_equal(out, "0\r\n\r\n");
	assert_int_equal(fake.gone, 1);
	assert_false(h1->ops->streaming(h1));
	assert_false(h1->ops->done(h1));
	/* The connection goes on. */
	fake.mode = FAKE_ECHO;
	out_len = 0;
	feed(SPAN_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), SIZE_MAX);
	assert_int_equal(status(), 200);
}

static void test_at_every_split(void **state)
{
	static const char text[] = CHUNKED
		"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n";

	(void)state;
	fake.mode = FAKE_STREAM;
	for (size_t step = 1; step < sizeof(text); step++) {
		out_len = 0;
		feed(span_of(text, sizeof(text) - 1), step);
		assert_memory_equal(out, ANSWER_HEAD, strlen(ANSWER_HEAD));
		assert_string_equal(out + out_len - 5, "0\r\n\r\n");
		assert_int_equal(h1->ops->queued(h1), 0);
	}
}

/* Longer than any single request may be; and nothing is asked before. */
static void test_no_limit(void **state)
{
	static char body[3000];
	char head[200];

	(void)state;
	fake.mode = FAKE_STREAM;
	memset(body, 'x', sizeof(body));
	(void)snprintf(head, sizeof(head),
		       HEAD
		       "Expect: 100-continue\r\nContent-Length: %d\r\n\r\n",
		       3000 * 20);
	feed(span_str(head), SIZE_MAX);
	assert_string_equal(out, "HTTP/1.1 100 Continue\r\n\r\n");
	for (int i = 0; i < 20; i++) {
		out_len = 0;
		feed(span_of(body, sizeof(body)), SIZE_MAX);
		fake_pass(9000); /* no deadline of a body either */
	}
	assert_string_equal(out + out_len - 5, "0\r\n\r\n");
	assert_int_equal(fake.gone, 1);
}

/* What is not taken keeps the rest with the connection. */
static void test_backlog(void **state)
{
	static char body[EXCHANGE_BACKLOG_MAX + 1];
	struct exchange *x;

	(void)state;
	fake.mode = FAKE_STREAM;
	fake.keep = true;
	memset(body, 'x', sizeof(body));
	feed(SPAN_LIT(HEAD "Content-Length: 1000000\r\n\r\n"), SIZE_MAX);
	assert_int_equal(h1->ops->feed(h1, span_of(body, sizeof(body))),
			 sizeof(body));
	assert_int_equal(h1->ops->feed(h1, span_of(body, 100)), 0);
	x = fake.last;
	fake_wakes = 0;
	exchange_took(x, x->owed);
	assert_true(fake_wakes > 0);
	assert_int_equal(h1->ops->feed(h1, span_of(body, 100)), 100);
	assert_int_equal(fake_front->body_bytes, 100);
}

static void test_http10(void **state)
{
	(void)state;
	fake.mode = FAKE_STREAM;
	feed(SPAN_LIT("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"),
	     SIZE_MAX);
	assert_string_equal(out, "HTTP/1.1 200 OK\r\ndate: DATE\r\n"
				 "connection: close\r\n"
				 "content-type: text/plain\r\n\r\nhello");
	assert_true(h1->ops->done(h1));
}

/* Framing that breaks in the middle: the API says so in the answer. */
static void test_broken_chunks(void **state)
{
	(void)state;
	fake.mode = FAKE_STREAM;
	feed(SPAN_LIT(CHUNKED "5\r\nhello\r\nzz\r\n"), SIZE_MAX);
	assert_string_equal(out, ANSWER_HEAD "8\r\nhellocut\r\n0\r\n\r\n");
	assert_int_equal(fake.cut, SG_MALFORMED);
	assert_true(h1->ops->done(h1));
}

/* Chunks of a byte are allowed, chunk extensions without end are not. */
static void test_framing(void **state)
{
	char junk[3000];

	(void)state;
	fake.mode = FAKE_STREAM;
	feed(SPAN_LIT(CHUNKED), SIZE_MAX);
	for (int i = 0; i < 20000; i++) {
		out_len = 0;
		feed(SPAN_LIT("1\r\nx\r\n"), SIZE_MAX);
	}
	assert_int_equal(fake.cuts, 0);
	memset(junk, 'y', sizeof(junk));
	feed(SPAN_LIT("1;"), SIZE_MAX);
	for (int i = 0; i < 100 && fake.cuts == 0; i++)
		feed(span_of(junk, sizeof(junk)), SIZE_MAX);
	assert_int_equal(fake.cut, SG_TOO_BIG);
	assert_true(h1->ops->done(h1));
}

/* The API ends the answer early: the rest is read away, for a while. */
static void test_answered_early(void **state)
{
	static char body[100000];

	(void)state;
	fake.mode = FAKE_STREAM;
	memset(body, 'x', sizeof(body));
	feed(SPAN_LIT(HEAD "Content-Length: 500000\r\n\r\nhello"), SIZE_MAX);
	exchange_finish(fake.last);
	pull();
	assert_string_equal(out + out_len - 5, "0\r\n\r\n");
	out_len = 0;
	feed(span_of(body, sizeof(body)), SIZE_MAX);
	assert_int_equal(out_len, 0);
	assert_int_equal(fake.gone, 0);
	assert_false(h1->ops->done(h1));
	fake_pass(61000);
	pull();
	assert_true(h1->ops->done(h1));
}

static void test_drain(void **state)
{
	(void)state;
	fake.mode = FAKE_STREAM;
	feed(SPAN_LIT(CHUNKED "5\r\nhello\r\n"), SIZE_MAX);
	h1->ops->finish(h1, false);
	assert_int_equal(fake.cut, SG_CLOSED);
	pull();
	assert_true(h1->ops->done(h1));
	assert_non_null(strstr(out, "3\r\ncut\r\n0\r\n\r\n"));
}

/* One whose head comes when the server is going already. */
static void test_drain_within_the_head(void **state)
{
	(void)state;
	fake.mode = FAKE_STREAM;
	feed(span_of(CHUNKED, 20), SIZE_MAX);
	h1->ops->finish(h1, false);
	assert_false(h1->ops->done(h1));
	feed(span_of(&CHUNKED[20], sizeof(CHUNKED) - 21), SIZE_MAX);
	pull();
	assert_int_equal(fake.cut, SG_CLOSED);
	assert_true(h1->ops->done(h1));
	assert_non_null(strstr(out, "3\r\ncut\r\n0\r\n\r\n"));
}

/* The client is gone in the middle. */
static void test_client_goes(void **state)
{
	(void)state;
	fake.mode = FAKE_STREAM;
	fake.keep = true;
	feed(SPAN_LIT(CHUNKED "5\r\nhello\r\n"), SIZE_MAX);
	h1->ops->finish(h1, true);
	assert_true(h1->ops->done(h1));
	assert_int_equal(fake.cuts, 0);
}

/* An answer larger than one pull. */
static void test_long_answer(void **state)
{
	static char run[20000];
	char small[64];
	size_t n;
	size_t all = 0;

	(void)state;
	fake.mode = FAKE_STREAM;
	memset(run, 'z', sizeof(run));
	feed(SPAN_LIT(HEAD "Content-Length: 5\r\n\r\nhell"), SIZE_MAX);
	pull();
	fake_write(fake.last, span_of(run, sizeof(run)));
	while ((n = h1->ops->pull(h1, (uint8_t *)small, sizeof(small))) > 0) {
		for (size_t i = 0; i < n; i++)
			all += small[i] == 'z';
	}
	assert_int_equal(all, sizeof(run));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_answer_while_it_comes),
		T(test_at_every_split),
		T(test_no_limit),
		T(test_backlog),
		T(test_http10),
		T(test_broken_chunks),
		T(test_framing),
		T(test_answered_early),
		T(test_drain),
		T(test_drain_within_the_head),
		T(test_client_goes),
		T(test_long_answer),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
