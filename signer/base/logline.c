/* SPDX-License-Identifier: Apache-2.0 */
#include "logline.h"

#include <string.h>

static const char *const LEVELS[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};
enum { LEVEL_COUNT = sizeof(LEVELS) / sizeof(LEVELS[0]) };

const char *logline_level(enum log_level level)
{
	return LEVELS[level];
}

/* A line as it is read. */
struct reading {
	const char *text;
	size_t n;
	size_t at; /* what is next */
};

/* The next word: its length, 0 where there is none; it begins at *BEGIN. */
static size_t word(struct reading *r, size_t *begin)
{
	size_t n = 0;

	*begin = r->at;
	while (r->at < r->n && r->text[r->at] != ' ') {
		r->at++;
		n++;
	}
	if (r->at < r->n)
		r->at++; /* the space */
	return n;
}

static bool read_level(const char *p, size_t n, enum log_level *out)
{
	for (unsigned i = 0; i < LEVEL_COUNT; i++)
		if (strlen(LEVELS[i]) == n && memcmp(p, LEVELS[i], n) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

static bool is_event(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < 'a' || p[i] > 'z') && (p[i] < '0' || p[i] > '9') &&
		    p[i] != '-')
			return false;
	return n > 0 && n <= LOGLINE_EVENT_MAX;
}

bool logline_read(const char *text, size_t n, struct logline *out)
{
	struct reading r = {.text = text, .n = n};
	size_t time;
	size_t level;
	size_t level_n;

	if (n > LOGLINE_MAX || word(&r, &time) == 0)
		return false;
	level_n = word(&r, &level);
	out->role_n = word(&r, &out->role);
	out->event_n = word(&r, &out->event);
	/* With the space before them, as they are written. */
	out->members = out->event + out->event_n;
	return read_level(text + level, level_n, &out->level) &&
	       out->role_n > 0 && is_event(text + out->event, out->event_n);
}
