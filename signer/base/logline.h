/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LOGLINE_H
#define SG_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"

/*
 * logline: the parts of a line of the log, as log_event() writes it, without
 * its newline:
 *	2026-01-31T09:00:00.123Z info front/0 tls-refused peer=... reason="..."
 * Pure.
 */
enum { LOGLINE_MAX = 1000 /* bytes */, LOGLINE_EVENT_MAX = 63 };

struct logline {
	enum log_level level;
	size_t role; /* where it begins in the line */
	size_t role_n;
	size_t event; /* where it begins, as its members do */
	size_t event_n;
	size_t members; /* to the end; logfmt_next() reads them */
};

/* The word for LEVEL in a line. */
const char *logline_level(enum log_level level);

/* Read the N bytes at TEXT.  False: that is no line; a name of the event is
 * lower-case letters, digits and hyphens. */
bool logline_read(const char *text, size_t n, struct logline *out);

#endif /* SG_LOGLINE_H */
