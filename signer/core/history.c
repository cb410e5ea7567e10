/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fileio.h"
#include "base/log.h"
#include "core.h"

enum {
	PATH_BYTES = CORE_PATH_MAX + 16,
	FILE_MAX = 256 << 20, /* a larger one is taken for damaged */
	DIGITS_MAX = 12,
	HOUR_S = 3600
};

static const char HEAD[] = "signerd hours 1\n";
static const char TAIL[] = "end\n";

/* --- writing -------------------------------------------------------------- */

static void put(void *ctx, const char *name, int64_t hour, uint32_t n)
{
	(void)fprintf(ctx, "%s %lld %u\n", name, (long long)hour, n);
}

enum sg_err history_save(const char *state, const struct quota *q)
{
	char path[PATH_BYTES];
	char temporary[PATH_BYTES];
	bool ok;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/hours", state);
	(void)snprintf(temporary, sizeof(temporary), "%s/hours.tmp", state);
	f = fopen(temporary, "we");
	if (f == NULL)
		return SG_IO;
	(void)fputs(HEAD, f);
	quota_each_hour(q, put, f);
	(void)fputs(TAIL, f);
	ok = ferror(f) == 0;
	ok = fclose(f) == 0 && ok;
	return ok && rename(temporary, path) == 0 ? SG_OK : SG_IO;
}

void history_keep(const char *state, const struct quota *q, int64_t wall_s,
		  int64_t *kept_s)
{
	if (*kept_s / HOUR_S == wall_s / HOUR_S || !quota_counted(q))
		return;
	*kept_s = wall_s;
	if (history_save(state, q) != SG_OK)
		log_event(LOG_WARNING, "history-unwritten", "errno=%d", errno);
}

/* --- reading -------------------------------------------------------------- */

struct line {
	struct span name;
	int64_t hour, n;
};

/* Take the text up to END, which is taken too, off *REST. */
static bool take_until(struct span *rest, char end, struct span *out)
{
	const uint8_t *at = rest->n > 0 ? memchr(rest->p, end, rest->n) : NULL;

	if (at == NULL || at == rest->p)
		return false;
	*out = span_of(rest->p, (size_t)(at - rest->p));
	*rest = span_of(at + 1, rest->n - out->n - 1);
	return true;
}

static bool take_number(struct span *rest, char end, int64_t *out)
{
	struct span text;

	if (!take_until(rest, end, &text) || text.n > DIGITS_MAX)
		return false;
	*out = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		*out = *out * 10 + (text.p[i] - '0');
	}
	return true;
}

static bool take_line(struct span *rest, struct line *out)
{
	return take_until(rest, ' ', &out->name) &&
	       take_number(rest, ' ', &out->hour) &&
	       take_number(rest, '\n', &out->n) && out->n > 0 &&
	       out->n <= UINT32_MAX;
}

/* The lines between head and tail of TEXT; false: they are not there. */
static bool find_lines(struct span text, struct span *lines)
{
	const size_t head = sizeof(HEAD) - 1;
	const size_t tail = sizeof(TAIL) - 1;

	if (text.n < head + tail || memcmp(text.p, HEAD, head) != 0 ||
	    memcmp(text.p + text.n - tail, TAIL, tail) != 0)
		return false;
	*lines = span_of(text.p + head, text.n - head - tail);
	return true;
}

static bool is_sound(struct span lines)
{
	struct line line;

	while (lines.n > 0)
		if (!take_line(&lines, &line))
			return false;
	return true;
}

static enum sg_err count(struct span lines, int64_t before, struct quota *q)
{
	enum sg_err err = SG_OK;
	struct line line;

	while (err == SG_OK && take_line(&lines, &line))
		if (line.hour < before)
			err = quota_count_hour(q, line.name, line.hour,
					       (uint32_t)line.n);
	return err;
}

enum sg_err history_load(const char *state, int64_t before, struct quota *q)
{
	char path[PATH_BYTES];
	uint8_t *text = NULL;
	struct span lines;
	size_t n = 0;
	enum sg_err err;

	(void)snprintf(path, sizeof(path), "%s/hours", state);
	err = fileio_read(path, FILE_MAX, &text, &n);
	if (err == SG_IO || err == SG_NO_MEMORY) /* there is none, mostly */
		return err == SG_IO ? SG_OK : err;
	if (err != SG_OK || !find_lines(span_of(text, n), &lines) ||
	    !is_sound(lines) || count(lines, before, q) != SG_OK)
		log_event(LOG_WARNING, "history-damaged",
			  "file=" LOG_Q " text=\"what is usual for a client is "
			  "not known\"",
			  path);
	free(text);
	return SG_OK; /* without it nothing but what is usual is unknown */
}
