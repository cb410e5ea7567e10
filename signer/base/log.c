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
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "metrics.h"

enum {
	ROLE_SIZE = 16,	       /* 15 bytes and the NUL */
	LINE_MAX_BYTES = 1000, /* without the newline */
	MS_PER_S = 1000
};

static const char *const LEVEL_NAMES[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

static char role_name[ROLE_SIZE] = "signerd";
static _Atomic int level_limit = LOG_INFO;
static _Atomic bool muted;
static _Atomic int log_fd = STDERR_FILENO;
static _Atomic uint64_t dropped; /* lines since the last one that got out */

void log_role(const char *role)
{
	(void)snprintf(role_name, sizeof(role_name), "%s", role);
}

void log_limit(enum log_level level)
{
	atomic_store_explicit(&level_limit, (int)level, memory_order_relaxed);
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

static size_t put_prefix(char *line, size_t size, enum log_level level,
			 const char *event)
{
	const int64_t ms = clock_wall_ms();
	const time_t s = (time_t)(ms / MS_PER_S);
	struct tm tm = {0};
	size_t n;

	(void)gmtime_r(&s, &tm);
	n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + written(snprintf(line + n, size - n, ".%03dZ %s %s %s",
				    (int)(ms % MS_PER_S), LEVEL_NAMES[level],
				    role_name, event),
			   size - n);
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

/* Say that lines are missing.  False: there is no room for that either. */
static bool tell_dropped(void)
{
	const uint64_t n = atomic_exchange(&dropped, 0);
	char line[LINE_MAX_BYTES];
	size_t len;

	if (n == 0)
		return true;
	len = put_prefix(line, sizeof(line), LOG_WARNING, "log-dropped");
	len += written(snprintf(line + len, sizeof(line) - len, " lines=%llu\n",
				(unsigned long long)n),
		       sizeof(line) - len);
	if (write_line(line, len))
		return true;
	atomic_fetch_add(&dropped, n);
	return false;
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
	n = written(vsnprintf(p + 1, size - 1, fmt, ap), size - 1);
	p[0] = ' ';
	return n > 0 ? n + 1 : 0;
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	/* Room for the NUL, or the newline in its place, and for the first
	 * byte beyond the cut, which tells where a character begins. */
	char line[LINE_MAX_BYTES + 2];
	const int saved = errno;
	size_t n;
	va_list ap;

	if ((int)level >
		    atomic_load_explicit(&level_limit, memory_order_relaxed) ||
	    atomic_load_explicit(&muted, memory_order_relaxed))
		return;
	n = put_prefix(line, sizeof(line), level, event);
	va_start(ap, fmt);
	n += put_text(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (n > LINE_MAX_BYTES)
		n = cut_at_character(line, LINE_MAX_BYTES);
	blank_controls(line, n);
	line[n] = '\n';
	if (!tell_dropped() || !write_line(line, n + 1)) {
		atomic_fetch_add(&dropped, 1);
		metric_add(METRIC_LOG_DROPPED, 1);
	}
	errno = saved;
}
