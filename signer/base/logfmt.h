/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BASE_LOGFMT_H
#define SG_BASE_LOGFMT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * logfmt: the "key=value" pairs of a line of the log, written and read.  What
 * is written for a value, whoever it is from, is read as that value and as
 * nothing else: of a value in double quotes '"' and '\' stand behind a '\', and
 * a value without them gets '?' for what would end it or begin another ('"',
 * '=' and the space).  Control characters are the line's business.  Pure.
 */

struct logfmt_pair {
	const char *key; /* in the text, KEY_N bytes, 1 or more */
	size_t key_n;
	const char *value; /* as written, without its quotes, VALUE_N bytes */
	size_t value_n;
	bool quoted;
};

/* Write FMT, whose own text has pairs and the quotes of their values, with its
 * arguments, to OUT, which holds SIZE bytes, at least one; what does not fit is
 * cut off, maybe within an escape.  Conversions: %s and %.*s, whose texts are
 * values or parts of them (NULL: none); %d %u %x %o, with l, ll or z, zeros and
 * a width; %%.  No other: that is asserted, and tests/events looks at all
 * lines.  NUL-terminated; returns the length. */
size_t logfmt_write(char *out, size_t size, const char *fmt, va_list ap);

/* The next pair of the *N bytes at *P, which move behind it; words that are no
 * pair are passed over.  False: there is none. */
bool logfmt_next(const char **p, size_t *n, struct logfmt_pair *pair);
/* PAIR's value as it was given, to OUT, which holds value_n bytes.  Returns the
 * length.  Half an escape at the end, of a line that was cut, is left out. */
size_t logfmt_value(const struct logfmt_pair *pair, char *out);

#endif /* SG_BASE_LOGFMT_H */
