/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

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
	if (fits && putf(f, &at, "\n"))
		f->len = at;
	f->text[f->len] = '\0';
}
