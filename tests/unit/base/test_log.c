/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum { LINE_LIMIT = 1000 };

static char line[8192];
static int saved_stderr;
static int reader;

/* Standard error becomes a pipe until end_capture(). */
static void begin_capture(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(saved_stderr >= 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	(void)close(ends[1]);
	reader = ends[0];
}

static size_t end_capture(void)
{
	ssize_t n;

	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	n = read(reader, line, sizeof(line) - 1);
	(void)close(reader);
	if (n < 0)
		n = 0;
	line[n] = '\0';
	return (size_t)n;
}

static void assert_matches(const char *pattern)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED), 0);
	if (regexec(&regex, line, 0, NULL, 0) != 0)
		fail_msg("\"%s\" does not match %s", line, pattern);
	regfree(&regex);
}

static void test_form(void **state)
{
	(void)state;
	log_role("front/0");
	begin_capture();
	log_event(LOG_INFO, "tls-refused", "peer=%d reason=" LOG_Q, 7,
		  "no certificate");
	(void)end_capture();
	assert_matches("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:"
		       "[0-9]{2}\\.[0-9]{3}Z info front/0 tls-refused peer=7 "
		       "reason=\"no certificate\"\n$");
}

static void test_no_text(void **state)
{
	(void)state;
	log_role("a-name-longer-than-fits");
	begin_capture();
	log_event(LOG_ERROR, "ready", "%s", "");
	(void)end_capture();
	assert_matches("Z error a-name-longer-t ready\n$");
}

static void test_level(void **state)
{
	(void)state;
	begin_capture();
	log_event(LOG_DEBUG, "hidden", "a=%d", 1);
	assert_int_equal(end_capture(), 0);
	log_limit(LOG_DEBUG);
	begin_capture();
	log_event(LOG_DEBUG, "shown", "a=%d", 1);
	assert_true(end_capture() > 0);
	log_limit(LOG_ERROR);
	begin_capture();
	log_event(LOG_WARNING, "hidden", "a=%d", 1);
	assert_int_equal(end_capture(), 0);
	log_limit(LOG_INFO);
}

/* Neither ASCII controls nor C1 controls (here CSI) come through; other
 * characters and broken UTF-8 do. */
static void test_controls(void **state)
{
	(void)state;
	log_role("core");
	begin_capture();
	log_event(LOG_INFO, "e", "x=%s",
		  "a\nb\rc\x1b[2Jd\x7f"
		  "e\xc2\x9b"
		  "f\x1fg");
	(void)end_capture();
	assert_matches("x=a\\?b\\?c\\?\\[2Jd\\?e\\?\\?f\\?g\n$");
	begin_capture();
	log_event(LOG_INFO, "e", "x=" LOG_Q, "Bộ Y tế \xc2\xa0 \xff");
	(void)end_capture();
	assert_non_null(strstr(line, "x=\"Bộ Y tế \xc2\xa0 \xff\"\n"));
}

static void test_cut(void **state)
{
	char text[4000];
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin_capture();
	log_event(LOG_INFO, "long", "%s", text);
	n = end_capture();
	assert_int_equal(n, LINE_LIMIT + 1);
	assert_int_equal(line[LINE_LIMIT], '\n');
}

/* Whoever a value is from: it adds no pair and no line. */
static void test_forged(void **state)
{
	(void)state;
	log_role("core");
	begin_capture();
	log_event(LOG_INFO, "e", "a=" LOG_Q " b=%s n=%d",
		  "x\" n=2\nZ info core e", "y n=3", 1);
	(void)end_capture();
	assert_matches("Z info core e a=\"x\\\\\" n=2\\?Z info core e\" "
		       "b=y\\?n\\?3 n=1\n$");
}

/* However the cut falls, no character is halved. */
static void test_cut_at_character(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		char text[4000];
		size_t n = shift;

		memset(text, 'x', shift);
		for (; n + 3 < sizeof(text); n += 3)
			memcpy(text + n, "\xe1\xbb\x99", 3);
		text[n] = '\0';
		begin_capture();
		log_event(LOG_INFO, "long", "%s", text);
		n = end_capture();
		assert_in_range(n, LINE_LIMIT - 2, LINE_LIMIT + 1);
		assert_memory_equal(line + n - 4, "\xe1\xbb\x99\n", 4);
	}
}

/* Lines into standard error, which is ENDS[1] and which nobody reads; then
 * what a reader finds who comes back. */
static void stop_reading(const int ends[2], bool no_wait)
{
	enum { LINES = 5000 };
	const int saved = dup(STDERR_FILENO);
	size_t lines = 0;
	char *at;
	ssize_t n;

	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	if (no_wait)
		log_no_wait();
	(void)alarm(60); /* it must not wait, let alone for ever */
	for (int i = 0; i < LINES; i++)
		log_event(LOG_INFO, "unread", "n=%0500d", i);
	(void)alarm(0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	while ((n = read(ends[0], line, sizeof(line))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			lines += line[i] == '\n';
	}
	assert_in_range(lines, 1, LINES - 1);
	log_event(LOG_INFO, "read", "%s", "");
	log_event(LOG_INFO, "again", "%s", "");
	n = read(ends[0], line, sizeof(line) - 1);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	assert_true(n > 0);
	line[n] = '\0';
	at = strstr(line, " log-dropped lines=");
	assert_non_null(at);
	assert_int_equal(strtoul(at + 19, NULL, 10), LINES - lines);
	assert_non_null(strstr(at, " read\n"));
	assert_non_null(strstr(at, " again\n"));
	assert_null(strstr(at + 1, " log-dropped"));
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
}

static void test_reader_stops(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	stop_reading(ends, false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	stop_reading(ends, false);
}

/* Last of all: it redirects the log for good. */
static void test_reader_of_many_stops(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	stop_reading(ends, true);
}

static void test_errno_is_kept(void **state)
{
	(void)state;
	begin_capture();
	errno = ENOSPC;
	log_event(LOG_INFO, "e", "x=%d", 1);
	assert_int_equal(errno, ENOSPC);
	(void)end_capture();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_at_character),
		cmocka_unit_test(test_errno_is_kept),
		cmocka_unit_test(test_reader_stops),
		cmocka_unit_test(test_reader_of_many_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
