/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http1_world.h"

/* --- what is refused ------------------------------------------------------ */

#define HEAD "POST / HTTP/1.1\r\nHost: x\r\n"

static const struct {
	const char *name;
	const char *text;
	int status;
} BAD[] = {
	{"garbage", "\x16\x03\x01\x02", 400},
	{"no method", " / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
	{"unknown method that begins as one",
	 "GETS / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
	{"unknown method, bare LF", "BREW / HTTP/1.1\nHost: x\r\n\r\n", 400},
	{"no method alone", "BREW\r\n\r\n", 400},
	{"lower case method", "get / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
	{"http/0.9", "GET /\r\n\r\n", 400},
	{"http/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 400},
	{"http/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 400},
	{"connect", "CONNECT h:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"relative target", "GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
	{"two hosts", HEAD "Host: y\r\n\r\n", 400},
	{"bare lf after the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n",
	 400},
	{"bare lf after a field", "GET / HTTP/1.1\r\nHost: x\n\r\n", 400},
	{"bare lf as the end", "GET / HTTP/1.1\r\nHost: x\r\n\n", 400},
	{"bare cr in a value", HEAD "A: b\rc\r\n\r\n", 400},
	{"bare cr before a field", "GET / HTTP/1.1\r\n\rHost: x\r\n\r\n", 400},
	{"folded with blank", HEAD "A: b\r\n c\r\n\r\n", 400},
	{"folded with tab", HEAD "A: b\r\n\tc\r\n\r\n", 400},
	{"blank before the first field", "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
	 400},
	{"blank before the colon", HEAD "Content-Length : 0\r\n\r\n", 400},
	{"no colon", HEAD "Content-Length\r\n\r\n", 400},
	{"empty name", HEAD ": x\r\n\r\n", 400},
	{"control in a value",
	 HEAD "A: b\x01"
	      "c\r\n\r\n",
	 400},
	{"two lengths", HEAD "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
	 400},
	{"list of lengths", HEAD "Content-Length: 1, 1\r\n\r\na", 400},
	{"signed length", HEAD "Content-Length: +1\r\n\r\na", 400},
	{"negative length", HEAD "Content-Length: -1\r\n\r\na", 400},
	{"hex length", HEAD "Content-Length: 0x1\r\n\r\na", 400},
	{"empty length", HEAD "Content-Length:\r\n\r\n", 400},
	{"length over 64 bits",
	 HEAD "Content-Length: 18446744073709551617\r\n\r\na", 400},
	{"length and chunks",
	 HEAD
	 "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	 400},
	{"chunks and length",
	 HEAD
	 "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
	 400},
	{"gzip", HEAD "Transfer-Encoding: gzip\r\n\r\n", 400},
	{"gzip, chunked",
	 HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
	{"chunked twice",
	 HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400},
	{"two codings",
	 HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: "
	      "identity\r\n\r\n0\r\n\r\n",
	 400},
	{"odd chunked", HEAD "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	 400},
	{"chunked in 1.0",
	 "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"bad chunk size", HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
	 400},
	{"signed chunk size", HEAD "Transfer-Encoding: chunked\r\n\r\n+1\r\na",
	 400},
	{"chunk size over 64 bits",
	 HEAD "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\na", 400},
	{"chunk size and bare lf",
	 HEAD "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400},
	{"chunk without its end",
	 HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400},
	{"two types", HEAD "Content-Type: a/b\r\nContent-Type: a/b\r\n\r\n",
	 400},
	{"length over the limit", HEAD "Content-Length: 4097\r\n\r\n", 413},
	{"chunk over the limit",
	 HEAD "Transfer-Encoding: chunked\r\n\r\n1001\r\n", 0},
};

static void check_bad(size_t i, size_t step)
{
	out_len = 0;
	out[0] = '\0';
	feed(span_str(BAD[i].text), step);
	if (status() != BAD[i].status)
		fail_msg("%s, step %zu: %d", BAD[i].name, step, status());
	if (BAD[i].status != 0) {
		assert_int_equal(answers(), 1);
		assert_non_null(strstr(out, "connection: close\r\n"));
		assert_true(h1->ops->done(h1));
	}
	h1->ops->free(h1);
	assert_int_equal(http1_create(&fake_host, &h1), SG_OK);
}

static void test_bad_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		check_bad(i, 1);
		check_bad(i, 3);
		check_bad(i, SIZE_MAX);
	}
}

/* Nothing that follows a refused request may be read as one. */
static void test_nothing_after_a_refusal(void **state)
{
	(void)state;
	feed(SPAN_LIT(HEAD "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"
			   "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n"
			   "\r\n"),
	     SIZE_MAX);
	assert_int_equal(answers(), 1);
	assert_int_equal(fake.opened, 0);
}

static void test_head_at_its_limit(void **state)
{
	char text[2048];
	size_t n;

	(void)state;
	for (int over = 0; over < 2; over++) {
		n = (size_t)snprintf(text, sizeof(text),
				     "GET / HTTP/1.1\r\nHost: x\r\nA: ");
		while (n < 1024U - 4 + (size_t)over)
			text[n++] = 'a';
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\r\n\r\n");
		out_len = 0;
		feed(span_of(text, n), 100);
		assert_int_equal(status(), over != 0 ? 413 : 200);
	}
	assert_true(h1->ops->done(h1));
}

static void test_blanks_count_for_the_limit(void **state)
{
	char text[2048];

	(void)state;
	memset(text, ' ', sizeof(text));
	feed(SPAN_LIT("GET / HTTP/1.1\r\nHost:"), SIZE_MAX);
	feed(span_of(text, sizeof(text)), 64);
	assert_int_equal(status(), 413);
}

static void test_empty_lines_count_for_the_limit(void **state)
{
	(void)state;
	for (int i = 0; i < 1000 && out_len == 0; i++)
		feed(SPAN_LIT("\r\n"), SIZE_MAX);
	assert_int_equal(status(), 413);
}

static void test_megabyte_of_garbage(void **state)
{
	static uint8_t noise[1 << 20];
	uint32_t x = 12345;

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++) {
		x = x * 1664525U + 1013904223U;
		noise[i] = (uint8_t)(x >> 24);
	}
	feed(span_of(noise, sizeof(noise)), 4096);
	assert_int_equal(status(), 400);
	assert_true(h1->ops->done(h1));
	assert_int_equal(fake.opened, 0);
}

static void test_chunked_body_over_the_limit(void **state)
{
	(void)state;
	feed(SPAN_LIT(HEAD "Transfer-Encoding: chunked\r\n\r\n"), SIZE_MAX);
	for (int i = 0; i < 5000 && out_len == 0; i++)
		feed(SPAN_LIT("10\r\n0123456789abcdef\r\n"), SIZE_MAX);
	assert_int_equal(status(), 413);
	assert_true(h1->ops->done(h1));
	assert_int_equal(fake.gone, 1);
}

static void test_framing_over_the_limit(void **state)
{
	(void)state;
	feed(SPAN_LIT(HEAD "Transfer-Encoding: chunked\r\n\r\n"), SIZE_MAX);
	for (int i = 0; i < 3000 && out_len == 0; i++)
		feed(SPAN_LIT("1\r\na\r\n"), SIZE_MAX);
	assert_int_equal(status(), 413);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_bad_requests),
		CASE(test_nothing_after_a_refusal),
		CASE(test_head_at_its_limit),
		CASE(test_blanks_count_for_the_limit),
		CASE(test_empty_lines_count_for_the_limit),
		CASE(test_megabyte_of_garbage),
		CASE(test_chunked_body_over_the_limit),
		CASE(test_framing_over_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
