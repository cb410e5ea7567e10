/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "journal.h"
#include "logfmt.h"
#include "logline.h"
#include "metrics.h"

enum {
	ROLE_SIZE = 16, /* 15 bytes and the NUL */
	MS_PER_S = 1000
};

/* Of syslog(3), whose names for them are ours for levels. */
static const int PRIORITIES[] = {
	[LOG_ERROR] = 3,
	[LOG_WARNING] = 4,
	[LOG_INFO] = 6,
	[LOG_DEBUG] = 7,
};

/* A line as it is made. */
struct line {
	enum log_level level;
	const char *process; /* whose line it is */
	const char *event;
	/* Room for the NUL, or the newline in its place, and for the first
	 * byte beyond the cut, which tells where a character begins. */
	char text[LOGLINE_MAX + 2];
	size_t n;	/* of the text */
	size_t role;	/* where the role begins in it, */
	size_t members; /* and what follows the event */
};

static char role_name[ROLE_SIZE] = "signerd";
static _Atomic int level_limit = LOG_INFO;
static _Atomic bool muted;
static _Atomic bool requests;
static _Atomic int log_fd = STDERR_FILENO;
static _Atomic int journal_fd = -1;
static _Atomic bool relayed;	 /* it leads to our parent, who sends entries */
static _Atomic uint64_t dropped; /* lines since the last one that got out */

void log_role(const char *role)
{
	(void)snprintf(role_name, sizeof(role_name), "%s", role);
}

void log_limit(enum log_level level)
{
	atomic_store_explicit(&level_limit, (int)level, memory_order_relaxed);
}

void log_requests(bool on)
{
	atomic_store_explicit(&requests, on, memory_order_relaxed);
}

bool log_has_requests(void)
{
	return atomic_load_explicit(&requests, memory_order_relaxed);
}

bool log_mute(bool on)
{
	return atomic_exchange_explicit(&muted, on, memory_order_relaxed);
}

void log_no_wait(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) != 0 ||
	    (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return;
	/* Another opening of the same thing: the flag of the one that is
	 * inherited belongs to our parents and children, too. */
	fd = open("/proc/self/fd/2",
		  O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		fd = atomic_exchange(&log_fd, fd);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

void log_journal(const char *socket)
{
	/* Nothing here changes the environment while others read it. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	const char *stream = getenv("JOURNAL_STREAM");

	if (atomic_load(&journal_fd) < 0 &&
	    journal_is_stream(stream, STDERR_FILENO))
		atomic_store(&journal_fd, journal_connect(socket));
}

void log_journal_by(int fd)
{
	if (!journal_is_relay(fd))
		return;
	atomic_store(&relayed, true);
	atomic_store(&journal_fd, fd);
}

int log_journal_descriptor(void)
{
	return atomic_load(&journal_fd);
}

int log_descriptor(void)
{
	return atomic_load(&log_fd);
}

/* U+0000-001F, U+007F and, as UTF-8, U+0080-009F: a terminal acts on all. */
static void blank_controls(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)s[i];
		const unsigned char next =
			i + 1 < n ? (unsigned char)s[i + 1] : 0;

		if (c < 0x20 || c == 0x7f) {
			s[i] = '?';
		} else if (c == 0xc2 && next >= 0x80 && next <= 0x9f) {
			s[i] = '?';
			s[i + 1] = '?';
		}
	}
}

/* Bytes of S that remain when a UTF-8 character that the cut at N went
 * through is dropped. */
static size_t cut_at_character(const char *s, size_t n)
{
	size_t at = n;

	while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80 && n - at < 3)
		at--;
	return at;
}

/* snprintf() as a length that never exceeds what was written. */
static size_t written(int n, size_t room)
{
	if (n < 0)
		return 0;
	return (size_t)n < room ? (size_t)n : room - 1;
}

/* Begin L, of this process: all up to the event's name. */
static void put_prefix(struct line *l)
{
	const int64_t ms = clock_wall_ms();
	const time_t s = (time_t)(ms / MS_PER_S);
	const size_t size = sizeof(l->text);
	struct tm tm = {0};
	size_t n;

	l->process = role_name;
	(void)gmtime_r(&s, &tm);
	n = strftime(l->text, size, "%Y-%m-%dT%H:%M:%S", &tm);
	n += written(snprintf(l->text + n, size - n, ".%03dZ %s ",
			      (int)(ms % MS_PER_S), logline_level(l->level)),
		     size - n);
	l->role = n;
	n += written(
		snprintf(l->text + n, size - n, "%s %s", l->process, l->event),
		size - n);
	l->members = n;
	l->n = n;
}

/* Write N bytes, or nothing: whoever reads the log must not be able to stop
 * us by not reading. */
static bool write_line(const char *line, size_t n)
{
	const int fd = atomic_load(&log_fd);
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	ssize_t done;

	do
		done = send(fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	if (done >= 0 || errno != ENOTSOCK)
		return done >= 0;
	if (fd == STDERR_FILENO && poll(&room, 1, 0) == 0)
		return false;
	do
		done = write(fd, line, n);
	while (done < 0 && errno == EINTR);
	return done >= 0;
}

/* The text after a space; nothing for an empty text. */
__attribute__((format(printf, 3, 0))) static size_t put_text(char *p,
							     size_t size,
							     const char *fmt,
							     va_list ap)
{
	size_t n;

	if (size < 3)
		return 0;
	n = logfmt_write(p + 1, size - 1, fmt, ap);
	p[0] = ' ';
	return n > 0 ? n + 1 : 0;
}

/* As an entry of the journal, to OUT.  Returns its length. */
static size_t make_entry(const struct line *l, char out[JOURNAL_ENTRY_MAX])
{
	const struct journal_line line = {
		.priority = PRIORITIES[l->level],
		.role = l->process,
		.event = l->event,
		.message = l->text + l->role,
		.message_n = l->n - l->role,
		.members = l->text + l->members,
		.members_n = l->n - l->members,
	};

	return journal_entry(&line, out);
}

/* To the journal, or to who has it.  *ABSENT: there is nobody any more. */
static bool write_entry(const struct line *l, int fd, bool *absent)
{
	const bool whole = atomic_load_explicit(&relayed, memory_order_relaxed);
	char entry[JOURNAL_ENTRY_MAX];
	const char *p = whole ? l->text : entry;
	const size_t n = whole ? l->n : make_entry(l, entry);
	ssize_t done;

	do
		done = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	*absent = done < 0 && errno != EAGAIN && errno != ENOBUFS;
	return done >= 0;
}

/* Cut L, and write it; false: it is lost. */
static bool finish(struct line *l)
{
	const int journal =
		atomic_load_explicit(&journal_fd, memory_order_relaxed);
	bool absent = true;

	if (l->n > LOGLINE_MAX)
		l->n = cut_at_character(l->text, LOGLINE_MAX);
	blank_controls(l->text, l->n);
	if (journal >= 0 && write_entry(l, journal, &absent))
		return true;
	l->text[l->n] = '\n';
	return absent && write_line(l->text, l->n + 1);
}

/* Say that lines are missing.  False: there is no room for that either. */
static bool tell_dropped(void)
{
	const uint64_t n = atomic_exchange(&dropped, 0);
	struct line l = {.level = LOG_WARNING, .event = "log-dropped"};

	if (n == 0)
		return true;
	put_prefix(&l);
	l.n += written(snprintf(l.text + l.n, sizeof(l.text) - l.n,
				" lines=%llu", (unsigned long long)n),
		       sizeof(l.text) - l.n);
	if (finish(&l))
		return true;
	atomic_fetch_add(&dropped, n);
	return false;
}

static void deliver(struct line *l)
{
	if (tell_dropped() && finish(l))
		return;
	atomic_fetch_add(&dropped, 1);
	metric_add(METRIC_LOG_DROPPED, 1);
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	struct line l;
	const int saved = errno;
	va_list ap;

	if ((int)level >
		    atomic_load_explicit(&level_limit, memory_order_relaxed) ||
	    atomic_load_explicit(&muted, memory_order_relaxed))
		return;
	l.level = level;
	l.event = event;
	put_prefix(&l);
	va_start(ap, fmt);
	l.n += put_text(l.text + l.n, sizeof(l.text) - l.n, fmt, ap);
	va_end(ap);
	deliver(&l);
	errno = saved;
}

bool log_relay(const char *role, const char *text, size_t n)
{
	char event[LOGLINE_EVENT_MAX + 1];
	struct logline parts;
	struct line l = {.process = role, .event = event, .n = n};

	if (!logline_read(text, n, &parts) || parts.role_n != strlen(role) ||
	    memcmp(text + parts.role, role, parts.role_n) != 0)
		return false;
	memcpy(event, text + parts.event, parts.event_n);
	event[parts.event_n] = '\0';
	l.level = parts.level;
	l.role = parts.role;
	l.members = parts.members;
	memcpy(l.text, text, n);
	deliver(&l);
	return true;
}
