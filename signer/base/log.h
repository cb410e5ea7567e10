/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LOG_H
#define SG_LOG_H

#include <stdbool.h>
#include <stddef.h>

/*
 * log: one line an event on standard error, logfmt:
 *	2026-01-31T09:00:00.123Z info front/0 tls-refused peer=... reason="..."
 * EVENT is a fixed lower-case-hyphen name; FMT gives the key=value pairs, and
 * a value that may have spaces has double quotes around it there (see LOG_Q).
 * No value can forge a pair, whoever it is from: logfmt escapes it, or says '?'
 * where FMT has no quotes; and control characters of the whole become '?', so
 * that none can forge a line.  A line is cut at 1,000 bytes and written by one
 * write(2).  A reader that has stopped stops nobody: a line that there is no
 * room for is dropped, counted (METRIC_LOG_DROPPED), and the next one that gets
 * out stands behind "log-dropped lines=N".  Where standard error is systemd's
 * journal a line is an entry there, with a field for each pair.  Never log
 * personal data, secrets or request bodies.  Thread-safe.
 */
/* A quoted value in FMT: "reason=" LOG_Q. */
#define LOG_Q "\"%s\""
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket" /* journald's */

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Name this process in its lines ("front/0").  Kept by copy, 15 bytes. */
void log_role(const char *role);
/* For a process that shares a pipe or a terminal with others: without it two
 * of them that see the last room at the same moment could still wait. */
void log_no_wait(void);
/* Where lines are written to: standard error, or after log_no_wait() another
 * descriptor of the same, which must stay open. */
int log_descriptor(void);
/* Where standard error is the journal's stream, as JOURNAL_STREAM says it, send
 * entries with fields to the journal's SOCKET from now on, and lines to
 * standard error only if there is nobody.  Once a process, while it is not
 * confined. */
void log_journal(const char *socket);
/* The same by FD, if it is a socket whose other end the process that started
 * this one reads, and gives to log_relay(). */
void log_journal_by(int fd);
/* The socket for that, which must stay open; -1: none. */
int log_journal_descriptor(void);
/* Log TEXT of N bytes, which the process ROLE wrote: the journal knows it by
 * our word.  False: it is no line of that process, and is not logged. */
bool log_relay(const char *role, const char *text, size_t n);
/* Lines above LEVEL are dropped (default LOG_INFO). */
void log_limit(enum log_level level);
/* Is each request to have a line of its own (log_requests of signerd.yaml)?
 * Not before it is said. */
void log_requests(bool on);
bool log_has_requests(void);
/* While ON nothing is written at all: for a process of which it is known that
 * it says what the one before it has said.  Returns what was. */
bool log_mute(bool on);

__attribute__((format(printf, 3, 4))) void log_event(enum log_level level,
						     const char *event,
						     const char *fmt, ...);

#endif /* SG_LOG_H */
