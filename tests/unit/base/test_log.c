/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
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
	log_event(LOG_INFO, "e", "x=%s", "Bộ Y tế \xc2\xa0 \xff");
	(void)end_capture();
	assert_non_null(strstr(line, "x=Bộ Y tế \xc2\xa0 \xff\n"));
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
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_at_character),
		cmocka_unit_test(test_errno_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
