/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_reading.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "literal.h"

enum { FAULT_BYTES = 256, SHOWN_BYTES = 40 };

void reading_fault(struct reading *r, const char *path, const char *fmt, ...)
{
	char text[FAULT_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	faults_add(r->faults, r->name, yaml_line(&r->out->source->tree, path),
		   "%s%s%s", path, path[0] != '\0' ? ": " : "", text);
}

/* Of our own keys and of indices, so it fits. */
void reading_path(char out[READING_PATH_BYTES], const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(out, READING_PATH_BYTES, fmt, args);
	va_end(args);
	assert(n >= 0 && n < READING_PATH_BYTES);
	(void)n;
}

/* Bytes of TEXT to show in a fault: whole characters (RFC 3629 s. 3). */
int reading_shown(const char *text)
{
	size_t n = strnlen(text, SHOWN_BYTES);

	while (n > 0 && ((unsigned char)text[n] & 0xC0U) == 0x80U)
		n--;
	return (int)n;
}

void reading_missing(struct reading *r, const char *path, const char *key)
{
	char inner[READING_PATH_BYTES];

	reading_path(inner, "%s.%s", path, key);
	reading_fault(r, inner, "is missing");
}

/* Check the name of a profile or client. */
bool reading_check_name(struct reading *r, const char *path, const char *name)
{
	char inner[READING_PATH_BYTES];

	if (name == NULL) {
		reading_missing(r, path, "name");
		return false;
	}
	if (literal_is_name(name))
		return true;
	reading_path(inner, "%s.name", path);
	reading_fault(r, inner,
		      "must be 1 to %d of the letters A-Z a-z 0-9 . _ -",
		      LITERAL_NAME_MAX);
	return false;
}
