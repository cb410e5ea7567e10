/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/log.h"
#include "base/logline.h"

static char entry[JOURNAL_ENTRY_MAX + 1];
static char directory[] = "/tmp/signerd-journal-XXXXXX";

/* What MEMBERS become: the entry, behind its own fields. */
static const char *members(const char *text)
{
	static const char own[] = "MESSAGE=m\nPRIORITY=6\n"
				  "SYSLOG_IDENTIFIER=signerd\n"
				  "SIGNERD_ROLE=core/0\nSIGNERD_EVENT=e\n";
	const struct journal_line l = {.priority = 6,
				       .role = "core/0",
				       .event = "e",
				       .message = "m",
				       .message_n = 1,
				       .members = text,
				       .members_n = strlen(text)};

	entry[journal_entry(&l, entry)] = '\0';
	assert_memory_equal(entry, own, sizeof(own) - 1);
	return entry + sizeof(own) - 1;
}

static void test_members(void **state)
{
	(void)state;
	assert_string_equal(members(""), "");
	assert_string_equal(members(" a=1 b_2=x"),
			    "SIGNERD_A=1\nSIGNERD_B_2=x\n");
	assert_string_equal(members(" reason=\"no key\" left=0"),
			    "SIGNERD_REASON=no key\nSIGNERD_LEFT=0\n");
	assert_string_equal(members(" empty= quoted=\"\""),
			    "SIGNERD_EMPTY=\nSIGNERD_QUOTED=\n");
	assert_string_equal(members(" a=b=c"), "SIGNERD_A=b=c\n");
}

/* What is no pair is in the message only. */
static void test_no_members(void **state)
{
	(void)state;
	assert_string_equal(members(" word a=1"), "SIGNERD_A=1\n");
	assert_string_equal(members(" =x A=1 \xc3\xa9=1 "), "");
	assert_string_equal(members(" a=\"open b=1"), "SIGNERD_A=open b=1\n");
	assert_string_equal(members(" a=\""), "SIGNERD_A=\n");
	assert_string_equal(members("     "), "");
}

/* A quote within a value does not end it, and stands in the field as it is. */
static void test_quote_in_value(void **state)
{
	(void)state;
	assert_string_equal(members(" a=\"x\\\" c=\\\\\" b=1"),
			    "SIGNERD_A=x\" c=\\\nSIGNERD_B=1\n");
}

static void test_too_much(void **state)
{
	static char text[2 * JOURNAL_ENTRY_MAX];
	char long_name[80];
	size_t n = 0;

	(void)state;
	while (n + 8 < sizeof(text))
		n += (size_t)snprintf(text + n, sizeof(text) - n, " k=%zu", n);
	(void)members(text);
	assert_in_range(strlen(entry), JOURNAL_ENTRY_MAX - 20,
			JOURNAL_ENTRY_MAX);
	assert_int_equal(entry[strlen(entry) - 1], '\n');
	memset(long_name, 'k', sizeof(long_name));
	memcpy(long_name + sizeof(long_name) - 3, "=1", 3);
	assert_string_equal(members(long_name), "");
}

static void test_stream(void **state)
{
	char word[64];
	struct stat st;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fstat(ends[1], &st), 0);
	(void)snprintf(word, sizeof(word), "%llu:%llu",
		       (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	assert_true(journal_is_stream(word, ends[1]));
	assert_false(journal_is_stream(word, STDIN_FILENO));
	assert_false(journal_is_stream("0:0", ends[1]));
	assert_false(journal_is_stream(NULL, ends[1]));
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
	assert_false(journal_is_stream(word, ends[1]));
}

static void test_no_journal(void **state)
{
	static char path[200];

	(void)state;
	assert_int_equal(journal_connect("/nonexistent/socket"), -1);
	memset(path, 'x', sizeof(path) - 1);
	assert_int_equal(journal_connect(path), -1);
}

/* --- the log ----------------------------------------------------------------
 */

static char socket_path[64];

/* A journald: datagrams to socket_path. */
static int open_journald(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket",
		       directory);
	memcpy(at.sun_path, socket_path, strlen(socket_path) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* Standard error becomes a pipe whose name is in JOURNAL_STREAM. */
static int redirect_stderr(int *saved)
{
	char word[64];
	struct stat st;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(fstat(ends[1], &st), 0);
	(void)snprintf(word, sizeof(word), "%llu:%llu",
		       (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	/* One thread. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	assert_int_equal(setenv("JOURNAL_STREAM", word, 1), 0);
	*saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
	return ends[0];
}

static void end_stderr(int saved)
{
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
}

static size_t take(int fd)
{
	const ssize_t n = recv(fd, entry, JOURNAL_ENTRY_MAX, MSG_DONTWAIT);

	entry[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static bool relay(const char *role, const char *line)
{
	return log_relay(role, line, strlen(line));
}

/* Of another process: one that is a line of it, and others. */
static void relay_some(void)
{
	static const char good[] = "2026-01-31T09:00:00.123Z warning front/1 "
				   "tls-refused reason=\"a b\" n=3\n";

	assert_true(relay("front/1", good));
	assert_false(relay("front/0", good));
	assert_false(relay("front/1", ""));
	assert_false(relay("front/1", "MESSAGE=a\nPRIORITY=0\n"));
	assert_false(log_relay("front/1", good, 41)); /* no event */
}

/* Entries while there is a journal, lines when it has gone. */
static void test_log(void **state)
{
	const int journald = open_journald();
	char line[256];
	ssize_t n;
	int saved;
	int reader;

	(void)state;
	log_role("core/0");
	log_journal(socket_path); /* not yet: standard error is not it */
	assert_int_equal(log_journal_descriptor(), -1);
	reader = redirect_stderr(&saved);
	log_journal(socket_path);
	assert_true(log_journal_descriptor() > STDERR_FILENO);
	log_journal_by(reader);	  /* no socket */
	log_journal_by(journald); /* one that reaches others */
	assert_true(log_journal_descriptor() != reader);
	assert_true(log_journal_descriptor() != journald);
	log_event(LOG_WARNING, "key-unusable", "key=" LOG_Q " hsm=%d", "a\nb",
		  2);
	assert_true(take(journald) > 0);
	assert_string_equal(entry,
			    "MESSAGE=core/0 key-unusable key=\"a?b\" hsm=2\n"
			    "PRIORITY=4\nSYSLOG_IDENTIFIER=signerd\n"
			    "SIGNERD_ROLE=core/0\nSIGNERD_EVENT=key-unusable\n"
			    "SIGNERD_KEY=a?b\nSIGNERD_HSM=2\n");
	log_event(LOG_WARNING, "e", "key=" LOG_Q " hsm=%d",
		  "a\" hsm=7\nSIGNERD_EVENT=key-usable", 2);
	assert_true(take(journald) > 0);
	assert_string_equal(strstr(entry, "SYSLOG_IDENTIFIER="),
			    "SYSLOG_IDENTIFIER=signerd\nSIGNERD_ROLE=core/0\n"
			    "SIGNERD_EVENT=e\n"
			    "SIGNERD_KEY=a\" hsm=7?SIGNERD_EVENT=key-usable\n"
			    "SIGNERD_HSM=2\n");
	relay_some();
	assert_true(take(journald) > 0);
	assert_string_equal(entry,
			    "MESSAGE=front/1 tls-refused reason=\"a b\" n=3?\n"
			    "PRIORITY=4\nSYSLOG_IDENTIFIER=signerd\n"
			    "SIGNERD_ROLE=front/1\n"
			    "SIGNERD_EVENT=tls-refused\n"
			    "SIGNERD_REASON=a b\nSIGNERD_N=3?\n");
	assert_int_equal(take(journald), 0);		   /* no other */
	assert_true(read(reader, line, sizeof(line)) < 0); /* nothing */
	assert_int_equal(close(journald), 0);
	assert_int_equal(unlink(socket_path), 0);
	log_event(LOG_ERROR, "gone", "a=%d", 1);
	n = read(reader, line, sizeof(line) - 1);
	end_stderr(saved);
	assert_true(n > 0);
	line[n] = '\0';
	assert_non_null(strstr(line, "Z error core/0 gone a=1\n"));
	(void)close(reader);
}

/* What goes to the process that started this one is the line itself. */
static void test_relayed(void **state)
{
	struct logline l;
	int pair[2];
	size_t n;

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	log_journal_by(pair[1]);
	assert_int_equal(log_journal_descriptor(), pair[1]);
	log_event(LOG_ERROR, "one", "a=" LOG_Q, "b\nc");
	n = take(pair[0]);
	assert_true(logline_read(entry, n, &l));
	assert_int_equal(l.level, LOG_ERROR);
	assert_string_equal(entry + l.role, "core/0 one a=\"b?c\"");
	assert_string_equal(entry + l.members, " a=\"b?c\"");
	log_event(LOG_DEBUG, "none", "a=%d", 1);
	assert_int_equal(take(pair[0]), 0);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void test_lines(void **state)
{
	static const char *const none[] = {
		"",
		" ",
		"t",
		"t info",
		"t info core/0",
		"t info core/0 ",
		"t info  event",
		" info core/0 event",
		"t notice core/0 event",
		"t info core/0 Event",
		"t info core/0 event_name",
		"t info core/0 "
		"an-event-whose-name-is-longer-than-that-of-any-which-there-is-"
		"ab",
	};
	static char longest[LOGLINE_MAX + 1];
	struct logline l;
	int n;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(logline_read(none[i], strlen(none[i]), &l));
	assert_true(logline_read("t debug core/0 an-event-2", 25, &l));
	assert_int_equal(l.level, LOG_DEBUG);
	assert_int_equal(l.event_n, 10);
	assert_int_equal(l.members, 25);
	n = snprintf(longest, sizeof(longest), "t info core/0 e a=");
	memset(longest + n, 'x', sizeof(longest) - (size_t)n);
	assert_true(logline_read(longest, LOGLINE_MAX, &l));
	assert_false(logline_read(longest, LOGLINE_MAX + 1, &l));
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_no_members),
		cmocka_unit_test(test_quote_in_value),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_no_journal),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_relayed),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
