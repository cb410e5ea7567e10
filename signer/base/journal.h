/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BASE_JOURNAL_H
#define SG_BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * journal: a line of the log as an entry of systemd's journal, in its native
 * protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram of NAME=VALUE
 * lines.  libsystemd's own sender opens its socket at the first entry, which a
 * process that is confined cannot.  The ledger's journal is another thing.
 */
enum { JOURNAL_ENTRY_MAX = 4096 };

/* What goes into an entry; no text has control characters in it. */
struct journal_line {
	int priority;	     /* of syslog(3) */
	const char *role;    /* SIGNERD_ROLE */
	const char *event;   /* SIGNERD_EVENT */
	const char *message; /* MESSAGE: MESSAGE_N bytes, not NUL-terminated, */
	size_t message_n;
	const char *members; /* with logfmt's pairs in it, MEMBERS_N bytes: */
	size_t members_n;    /* SIGNERD_KEY each, with the value as given */
};

/* Pure.  Write LINE to OUT; what does not fit is left out.  Returns the
 * length. */
size_t journal_entry(const struct journal_line *line,
		     char out[JOURNAL_ENTRY_MAX]);

/* Is descriptor FD what WORD ("device:inode", JOURNAL_STREAM) says?  NULL: it
 * is not. */
bool journal_is_stream(const char *word, int fd);
/* Is FD a socket that keeps lines apart, and reaches its other end alone?  By a
 * datagram socket a process that was taken over could write to any other. */
bool journal_is_relay(int fd);
/* A socket to the journal at PATH, close-on-exec; -1: there is none. */
int journal_connect(const char *path);

#endif /* SG_BASE_JOURNAL_H */
