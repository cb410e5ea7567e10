/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Append to F at *AT; false when it does not fit. */
__attribute__((format(printf, 3, 0))) static bool put(struct faults *f,
						      size_t *at,
						      const char *fmt,
						      va_list ap)
{
	const size_t room = sizeof(f->text) - *at;
	const int n = vsnprintf(f->text + *at, room, fmt, ap);

	if (n < 0 || (size_t)n >= room)
		return false;
	*at += (size_t)n;
	return true;
}

__attribute__((format(printf, 3, 4))) static bool putf(struct faults *f,
						       size_t *at,
						       const char *fmt, ...)
{
	va_list ap;
	bool fits;

	va_start(ap, fmt);
	fits = put(f, at, fmt, ap);
	va_end(ap);
	return fits;
}

/* Where the first fault of F stands that is of a line of NAME after LINE;
 * F->len: nowhere. */
static size_t place_of(const struct faults *f, const char *name, unsigned line)
{
	const size_t name_n = strlen(name);
	size_t at = 0;

	while (at < f->len) {
		const char *p = f->text + at;

		if (strncmp(p, name, name_n) == 0 && p[name_n] == ':' &&
		    strtoul(p + name_n + 1, NULL, 10) > line)
			return at;
		at += strcspn(p, "\n") + 1;
	}
	return f->len;
}

static void reverse(char *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		const char c = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = c;
	}
}

/* Move the text from F->len to END to TO, in front of what stands there. */
static void move_up(struct faults *f, size_t to, size_t end)
{
	reverse(f->text + to, f->len - to);
	reverse(f->text + f->len, end - f->len);
	reverse(f->text + to, end - to);
}

void faults_add(struct faults *f, const char *name, unsigned line,
		const char *fmt, ...)
{
	size_t at = f->len;
	bool fits;
	va_list ap;

	f->n++;
	fits = line == 0 ? putf(f, &at, "%s: ", name)
			 : putf(f, &at, "%s:%u: ", name, line);
	va_start(ap, fmt);
	fits = fits && put(f, &at, fmt, ap);
	va_end(ap);
	/* A value of the file may be quoted in a fault: keep it one line. */
	for (size_t i = f->len; fits && i < at; i++)
		if ((unsigned char)f->text[i] < 0x20 || f->text[i] == 0x7f)
			f->text[i] = '?';
	if (fits && putf(f, &at, "\n")) {
		if (line > 0)
			move_up(f, place_of(f, name, line), at);
		f->len = at;
	}
	f->text[f->len] = '\0';
}
