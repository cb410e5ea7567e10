/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "witness/asker.h"

/* A server on the asker's own loop, which does with a request what the path in
 * its url says. */
enum { TEXT_MAX = 96 * 1024, HANDLES = 16, US_PER_MS = 1000 };

struct connection {
	uv_tcp_t tcp;
	bool open;
	size_t n;
	char text[TEXT_MAX];
};

static uv_loop_t loop;
static uv_tcp_t listener;
static uint16_t port;
static struct connection connection[HANDLES];
static size_t nconnections, requests;
static char last[TEXT_MAX]; /* request */

static struct witness_settings settings;
static struct asker *asker;
static size_t answers;
static uint64_t answered; /* id */
static struct wire_cosigned got;
static char got_body[ASKER_ANSWER_MAX + 1], got_type[128], got_reason[256];

/* --- the server ------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t n, uv_buf_t *buf)
{
	struct connection *c = handle->data;

	(void)n;
	*buf = uv_buf_init(c->text + c->n,
			   (unsigned)(sizeof(c->text) - 1 - c->n));
}

static void on_closed(uv_handle_t *handle)
{
	((struct connection *)handle->data)->open = false;
}

static void hang_up(struct connection *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void put(struct connection *c, char *text, size_t n)
{
	uv_buf_t buf = uv_buf_init(text, (unsigned)n);

	while (buf.len > 0) {
		const int sent = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);

		if (sent == UV_EAGAIN)
			continue;
		if (sent < 0)
			return;
		buf.base += sent;
		buf.len -= (size_t)sent;
	}
}

static void answer(struct connection *c, const char *status, size_t body)
{
	static char text[ASKER_ANSWER_MAX + 1024];
	const int n = snprintf(text, sizeof(text),
			       "HTTP/1.1 %s\r\nContent-Type: Text/X.tlog.size; "
			       "charset=utf-8\r\nContent-Length: %zu\r\n\r\n",
			       status, body);

	memset(text + n, 'b', body);
	put(c, text, (size_t)n + body);
}

static void serve(struct connection *c)
{
	static char moved[] = "HTTP/1.1 307 Moved\r\n"
			      "Location: /ok/add-checkpoint\r\n"
			      "Content-Length: 0\r\n\r\n";

	requests++;
	memcpy(last, c->text, c->n + 1);
	c->n = 0;
	if (strstr(last, "POST /ok/") == last)
		answer(c, "200 OK", 3);
	else if (strstr(last, "POST /full/") == last)
		answer(c, "200 OK", ASKER_ANSWER_MAX);
	else if (strstr(last, "POST /big/") == last)
		answer(c, "200 OK", ASKER_ANSWER_MAX + 1);
	else if (strstr(last, "POST /moved/") == last)
		put(c, moved, sizeof(moved) - 1);
	else if (strstr(last, "POST /gone/") == last)
		hang_up(c);
	/* /hang: nothing */
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *c = stream->data;
	const char *end;
	const char *length;

	(void)buf;
	if (n < 0) {
		hang_up(c);
		return;
	}
	c->n += (size_t)n;
	c->text[c->n] = '\0';
	end = strstr(c->text, "\r\n\r\n");
	length = strstr(c->text, "Content-Length: ");
	if (end == NULL || length == NULL)
		return;
	if (c->n ==
	    (size_t)(end + 4 - c->text) +
		    strtoul(length + strlen("Content-Length: "), NULL, 10))
		serve(c);
}

static void on_connection(uv_stream_t *server, int status)
{
	struct connection *c = &connection[nconnections++];

	assert_int_equal(status, 0);
	assert_true(nconnections <= HANDLES);
	assert_int_equal(uv_tcp_init(&loop, &c->tcp), 0);
	c->tcp.data = c;
	c->open = true;
	c->n = 0;
	assert_int_equal(uv_accept(server, (uv_stream_t *)&c->tcp), 0);
	assert_int_equal(
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read), 0);
}

/* --- the asker -------------------------------------------------------- */

static void keep(struct span s, char *out, size_t cap)
{
	assert_true(s.n < cap);
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static void on_done(void *ctx, uint64_t id, const struct wire_cosigned *m)
{
	(void)ctx;
	answers++;
	answered = id;
	got = *m;
	keep(m->body, got_body, sizeof(got_body));
	keep(m->type, got_type, sizeof(got_type));
	keep(m->reason, got_reason, sizeof(got_reason));
}

static enum sg_err post(uint64_t id, uint16_t witness, struct span body,
			unsigned ms)
{
	const struct wire_cosign m = {.witness = witness,
				      .deadline_us = clock_mono_us() +
						     (uint64_t)ms * US_PER_MS,
				      .body = body};

	return asker_post(asker, id, &m);
}

static void until_answers(size_t n)
{
	for (int i = 0; i < 20000 && answers < n; i++) {
		(void)uv_run(&loop, UV_RUN_NOWAIT);
		(void)usleep(500);
	}
	assert_int_equal(answers, n);
}

static void ask(const char *what)
{
	const size_t before = answers;

	assert_int_equal(post(before + 1, 0, span_str(what), 10000), SG_OK);
	assert_int_equal(answers, before); /* later */
	until_answers(before + 1);
	assert_int_equal(answered, before + 1);
}

static void begin(const char *first, const char *second)
{
	settings = (struct witness_settings){.n = 2};
	(void)snprintf(settings.url[0], WITNESS_URL_MAX,
		       "http://127.0.0.1:%u/%s", port, first);
	(void)snprintf(settings.url[1], WITNESS_URL_MAX,
		       "http://127.0.0.1:%u/%s", port, second);
	assert_int_equal(asker_create(&loop, &settings, on_done, NULL, &asker),
			 SG_OK);
}

static int before(void **state)
{
	struct sockaddr_in address;
	int n = sizeof(address);

	(void)state;
	nconnections = requests = answers = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(uv_tcp_init(&loop, &listener), 0);
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &address), 0);
	assert_int_equal(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0),
			 0);
	assert_int_equal(
		uv_listen((uv_stream_t *)&listener, HANDLES, on_connection), 0);
	assert_int_equal(
		uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &n),
		0);
	port = ntohs(address.sin_port);
	return 0;
}

static int after(void **state)
{
	(void)state;
	asker_free(asker);
	if (!uv_is_closing((uv_handle_t *)&listener))
		uv_close((uv_handle_t *)&listener, NULL);
	for (size_t i = 0; i < nconnections; i++)
		if (connection[i].open)
			hang_up(&connection[i]);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

/* --- tests ------------------------------------------------------------ */

static void test_an_answer(void **state)
{
	(void)state;
	begin("ok", "ok");
	for (int i = 0; i < 3; i++) {
		ask("old 0\n\nbody");
		assert_int_equal(got.status, 200);
		assert_string_equal(got_type, "text/x.tlog.size");
		assert_string_equal(got_body, "bbb");
		assert_string_equal(got_reason, "");
	}
	assert_int_equal(nconnections, 1); /* it stays open */
	assert_ptr_equal(strstr(last, "POST /ok/add-checkpoint HTTP/1.1\r\n"),
			 last);
	assert_non_null(strstr(last, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(last, "\r\n\r\nold 0\n\nbody"));
	assert_null(strstr(last, "Expect"));
}

static void test_long_bodies(void **state)
{
	static uint8_t body[ASKER_REQUEST_MAX + 1];

	(void)state;
	memset(body, 'a', sizeof(body));
	begin("full", "big");
	assert_int_equal(post(1, 0, span_of(body, sizeof(body)), 10000),
			 SG_TOO_BIG);
	assert_int_equal(post(1, 0, span_of(body, sizeof(body) - 1), 10000),
			 SG_OK);
	until_answers(1);
	assert_int_equal(got.status, 200);
	assert_int_equal(strlen(got_body), ASKER_ANSWER_MAX);
	assert_int_equal(strlen(strstr(last, "\r\n\r\n") + 4),
			 ASKER_REQUEST_MAX);
	assert_int_equal(post(2, 1, SPAN_LIT("x"), 10000), SG_OK);
	until_answers(2);
	assert_int_equal(got.status, 0);
	assert_string_equal(got_reason, "the answer is too long");
	assert_string_equal(got_body, "");
}

static void test_no_redirect(void **state)
{
	(void)state;
	begin("moved", "ok");
	ask("x");
	assert_int_equal(got.status, 307);
	assert_int_equal(requests, 1);
}

static void test_who_is_away(void **state)
{
	(void)state;
	begin("gone", "ok");
	ask("x");
	assert_int_equal(got.status, 0);
	assert_true(strlen(got_reason) > 0);
	uv_close((uv_handle_t *)&listener, NULL);
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	ask("x");
	assert_int_equal(got.status, 0);
	assert_true(strlen(got_reason) > 0);
}

/* One that hangs has its deadline, and the other one need not wait for it. */
static void test_one_hangs(void **state)
{
	(void)state;
	begin("hang", "ok");
	assert_int_equal(post(1, 0, SPAN_LIT("x"), 300), SG_OK);
	assert_int_equal(post(2, 0, SPAN_LIT("x"), 300), SG_BUSY);
	assert_int_equal(post(2, 2, SPAN_LIT("x"), 300), SG_NOT_FOUND);
	assert_int_equal(post(2, 1, SPAN_LIT("x"), 10000), SG_OK);
	until_answers(1);
	assert_int_equal(answered, 2);
	until_answers(2);
	assert_int_equal(answered, 1);
	assert_int_equal(got.status, 0);
	assert_int_equal(post(3, 0, SPAN_LIT("x"), 0), SG_OK);
	until_answers(3);
}

static void test_abandoned(void **state)
{
	(void)state;
	begin("hang", "ok");
	assert_int_equal(post(1, 0, SPAN_LIT("x"), 100), SG_OK);
	assert_int_equal(post(2, 1, SPAN_LIT("x"), 10000), SG_OK);
	asker_abandon(asker);
	assert_int_equal(post(3, 1, SPAN_LIT("x"), 10000), SG_OK);
	until_answers(1);
	assert_int_equal(answered, 3);
	for (int i = 0; i < 200; i++) {
		(void)uv_run(&loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
	}
	assert_int_equal(answers, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, before, after)
	const struct CMUnitTest tests[] = {
		T(test_an_answer),   T(test_long_bodies), T(test_no_redirect),
		T(test_who_is_away), T(test_one_hangs),	  T(test_abandoned)};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
