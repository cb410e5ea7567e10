/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/request_id.h"
#include "core/asked.h"

static char text[8192];
static int saved_stderr;
static int reader;

static void begin_capture(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
	reader = ends[0];
}

static const char *end_capture(void)
{
	ssize_t n;

	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	n = read(reader, text, sizeof(text) - 1);
	(void)close(reader);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* The fourth record of a stream. */
static struct asked a_record(void)
{
	return (struct asked){
		.name = request_id_next(request_id_begin(0, 4000)),
		.line = 4,
		.operation = CLIENT_RENEW,
		.began_us = clock_mono_us(),
		.queue_us = 17,
		.sign_us = 18,
	};
}

static void test_done(void **state)
{
	const struct asked a = a_record();

	(void)state;
	begin_capture();
	asked_done(&a, "renewed", 3);
	assert_string_equal(end_capture(), ""); /* unless it is asked for */
	log_requests(true);
	begin_capture();
	asked_done(&a, "renewed", 3);
	assert_non_null(strstr(end_capture(),
			       " request-done request=0000000z9.1:4 "
			       "client=\"-\" operation=renew outcome=renewed "
			       "codes=- index=3 queue_us=17 sign_us=18 us="));
	log_requests(false);
}

/* Codes, and never the pointers, in which a client's own words may be. */
static void test_refused(void **state)
{
	static struct verdict v;
	const struct asked a = a_record();

	(void)state;
	verdict_init(&v);
	verdict_add(&v, VIOLATION_BAD_FORMAT, false, SPAN_LIT("/dcc/secret"));
	verdict_add(&v, VIOLATION_UNKNOWN_FIELD, true, SPAN_LIT("/dcc/word"));
	verdict_add(&v, VIOLATION_TOO_LONG, false, SPAN_LIT("/dcc/other"));
	log_requests(true);
	begin_capture();
	asked_refused(&a, SG_REFUSED, &v);
	(void)end_capture();
	log_requests(false);
	assert_non_null(strstr(text, "outcome=policy "
				     "codes=bad-format,too-long index=-1"));
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "request-failed"));
}

/* As many codes as there is room for, whole ones. */
static void test_many_codes(void **state)
{
	static struct verdict v;
	const struct asked a = a_record();

	(void)state;
	verdict_init(&v);
	for (int i = 0; i < 30; i++)
		verdict_add(&v, VIOLATION_BEYOND_SIGNER_CERTIFICATE, false,
			    SPAN_LIT("/dcc"));
	log_requests(true);
	begin_capture();
	asked_refused(&a, SG_REFUSED, &v);
	(void)end_capture();
	log_requests(false);
	assert_non_null(strstr(text, "-certificate,beyond-"));
	assert_non_null(strstr(text, "-certificate index=-1"));
}

/* What is our own fault is told always, a few times a second. */
static void test_failed(void **state)
{
	const struct asked a = a_record();
	size_t lines = 0;

	(void)state;
	begin_capture();
	for (int i = 0; i < 100; i++)
		asked_refused(&a, SG_TIMED_OUT, NULL);
	(void)end_capture();
	for (const char *at = text; (at = strstr(at, " request-failed ")); at++)
		lines++;
	assert_in_range(lines, 1, 30);
	assert_non_null(strstr(text, "request=0000000z9.1:4 client=\"-\" "
				     "operation=renew status=504 reason="));
	assert_null(strstr(text, "request-done"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_many_codes),
		cmocka_unit_test(test_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
