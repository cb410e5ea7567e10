/* SPDX-License-Identifier: Apache-2.0 */
#include "key_usage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fileio.h"
#include "base/hex.h"
#include "base/log.h"
#include "core.h"
#include "ledger/journal_read.h"

enum {
	WRITE_US = 10 * 1000 * 1000,
	RETRY_US = 1000 * 1000,
	BATCH = 8192, /* records with a tick: some 10 ms */
	KID_HEX = 2 * COSE_KID_BYTES,
	LINE_MAX_BYTES = KID_HEX + 48,
	FILE_MODE = 0600
};

struct usage {
	uint8_t kid[COSE_KID_BYTES];
	uint64_t count;
	int64_t exp;
};

struct key_usage {
	char file[CORE_PATH_MAX + 16];
	char *journal_dir;
	struct journal_reader *reader; /* of what is left to be counted */
	uint64_t next; /* the first leaf that is not counted yet, of those */
	uint64_t end;  /* before END, from which on all is counted live */
	uint64_t upto; /* the leaf after the last one that was counted live */
	bool failed;   /* reading: logged */
	bool dirty;
	uint64_t written_us, retry_us;
	size_t last; /* that was found */
	size_t n;
	struct usage kid[KEY_USAGE_KIDS_MAX];
	struct entry entry;
};

/* --- counts --------------------------------------------------------------- */

/* NULL: there is none. */
static const struct usage *find(const struct key_usage *u, const uint8_t *kid)
{
	for (size_t i = 0; i < u->n; i++) {
		if (memcmp(u->kid[i].kid, kid, COSE_KID_BYTES) == 0)
			return &u->kid[i];
	}
	return NULL;
}

/* One with the earliest end gives up its place when there is none. */
static size_t place(struct key_usage *u)
{
	size_t first = 0;

	if (u->n < KEY_USAGE_KIDS_MAX)
		return u->n++;
	for (size_t i = 1; i < u->n; i++) {
		if (u->kid[i].exp < u->kid[first].exp)
			first = i;
	}
	return first;
}

static void add(struct key_usage *u, const uint8_t *kid, int64_t exp)
{
	const struct usage *known;

	if (u->last >= u->n ||
	    memcmp(u->kid[u->last].kid, kid, COSE_KID_BYTES) != 0) {
		known = find(u, kid);
		u->last = known != NULL ? (size_t)(known - u->kid) : place(u);
		if (known == NULL) {
			u->kid[u->last] = (struct usage){.count = 0};
			memcpy(u->kid[u->last].kid, kid, COSE_KID_BYTES);
		}
	}
	u->kid[u->last].count++;
	if (exp > u->kid[u->last].exp)
		u->kid[u->last].exp = exp;
	u->dirty = true;
}

void key_usage_count(struct key_usage *u, const uint8_t kid[COSE_KID_BYTES],
		     int64_t exp, uint64_t leaf)
{
	add(u, kid, exp);
	u->upto = leaf + 1;
}

bool key_usage_complete(const struct key_usage *u)
{
	return u->next >= u->end;
}

void key_usage_of(const struct key_usage *u, const uint8_t kid[COSE_KID_BYTES],
		  uint64_t *count, int64_t *exp)
{
	const struct usage *k = find(u, kid);

	*count = k != NULL ? k->count : 0;
	*exp = k != NULL ? k->exp : 0;
}

int64_t key_usage_others(const struct key_usage *u,
			 bool (*known)(void *ctx,
				       const uint8_t kid[COSE_KID_BYTES]),
			 void *ctx)
{
	int64_t latest = 0;

	for (size_t i = 0; i < u->n; i++) {
		if (u->kid[i].exp > latest && !known(ctx, u->kid[i].kid))
			latest = u->kid[i].exp;
	}
	return latest;
}

/* --- what was on record before -------------------------------------------- */

static enum sg_err take(struct key_usage *u, const struct record *record)
{
	if (record->uci == NULL) /* no certificate */
		return SG_OK;
	if (entry_decode(record->entry, &u->entry) != SG_OK ||
	    u->entry.kid == NULL)
		return SG_MALFORMED;
	add(u, u->entry.kid, u->entry.exp);
	return SG_OK;
}

static enum sg_err open_reader(struct key_usage *u)
{
	enum sg_err err = journal_reader_open(u->journal_dir, &u->reader);

	if (err == SG_OK)
		err = journal_reader_find(u->reader, u->next);
	return err;
}

/* Count some more of the journal. */
static void catch_up(struct key_usage *u, uint64_t now_us)
{
	struct record record;
	enum sg_err err = SG_OK;

	if (now_us < u->retry_us)
		return;
	if (u->reader == NULL)
		err = open_reader(u);
	for (unsigned i = 0; err == SG_OK && i < BATCH && u->next < u->end;
	     i++) {
		err = journal_reader_next(u->reader, UINT64_MAX, &record, NULL);
		if (err == SG_OK)
			err = take(u, &record);
		if (err == SG_OK)
			u->next = record.index + 1;
	}
	if (err != SG_OK || u->next >= u->end) {
		journal_reader_close(u->reader);
		u->reader = NULL;
	}
	if (err == SG_OK)
		return;
	u->retry_us = now_us + RETRY_US;
	if (!u->failed)
		log_event(LOG_ERROR, "key-usage-uncounted",
			  "leaf=%" PRIu64 " reason=\"%s\" text=\"no key can be "
			  "destroyed until it is\"",
			  u->next, err_text(err));
	u->failed = true;
}

/* --- the file ------------------------------------------------------------- */

static void write_file(struct key_usage *u)
{
	char hex[HEX_TEXT(COSE_KID_BYTES)];
	char *text = malloc((u->n + 1) * LINE_MAX_BYTES + 1);
	size_t n = 0;

	if (text == NULL)
		return;
	n += (size_t)snprintf(text, LINE_MAX_BYTES, "leaf %" PRIu64 "\n",
			      u->upto);
	for (size_t i = 0; i < u->n; i++)
		n += (size_t)snprintf(
			text + n, LINE_MAX_BYTES,
			"%s %" PRIu64 " %" PRId64 "\n",
			hex_encode(u->kid[i].kid, COSE_KID_BYTES, hex),
			u->kid[i].count, u->kid[i].exp);
	if (fileio_replace(u->file, span_of(text, n), FILE_MODE) == SG_OK)
		u->dirty = false;
	free(text);
}

static bool read_line(const char *line, struct usage *out)
{
	char *end;

	if (strlen(line) <= KID_HEX ||
	    !hex_decode(line, out->kid, COSE_KID_BYTES) || line[KID_HEX] != ' ')
		return false;
	out->count = strtoull(line + KID_HEX + 1, &end, 10);
	if (*end != ' ')
		return false;
	out->exp = strtoll(end + 1, &end, 10);
	return *end == '\0';
}

static bool read_lines(struct key_usage *u, char *text)
{
	char *rest = NULL;
	char *line = strtok_r(text, "\n", &rest);
	char *end;

	if (line == NULL || strncmp(line, "leaf ", 5) != 0)
		return false;
	u->next = strtoull(line + 5, &end, 10);
	if (*end != '\0')
		return false;
	while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
		if (u->n == KEY_USAGE_KIDS_MAX ||
		    !read_line(line, &u->kid[u->n]))
			return false;
		u->n++;
	}
	return true;
}

/* What cannot be read, or knows more than the journal, is counted anew. */
static void read_file(struct key_usage *u)
{
	uint8_t *text = NULL;
	size_t n = 0;
	const enum sg_err err = fileio_read(
		u->file, (size_t)(KEY_USAGE_KIDS_MAX + 1) * LINE_MAX_BYTES,
		&text, &n);
	const bool absent = err == SG_IO && errno == ENOENT;

	if (err == SG_OK && read_lines(u, (char *)text) && u->next <= u->end) {
		free(text);
		return;
	}
	if (!absent)
		log_event(LOG_WARNING, "key-usage-discarded",
			  "text=\"it is counted again from the journal\"");
	free(text);
	u->n = 0;
	u->next = 0;
}

/* --- life ----------------------------------------------------------------- */

void key_usage_tick(struct key_usage *u, uint64_t now_us)
{
	if (!key_usage_complete(u))
		catch_up(u, now_us);
	if (!u->dirty || !key_usage_complete(u) ||
	    now_us - u->written_us < WRITE_US)
		return;
	u->written_us = now_us;
	write_file(u);
}

enum sg_err key_usage_create(const char *state, const char *journal_dir,
			     const struct journal *journal,
			     struct key_usage **out)
{
	struct key_usage *u = calloc(1, sizeof(*u));
	uint64_t offset;

	*out = NULL;
	if (u == NULL)
		return SG_NO_MEMORY;
	u->journal_dir = strdup(journal_dir);
	if (u->journal_dir == NULL) {
		free(u);
		return SG_NO_MEMORY;
	}
	(void)snprintf(u->file, sizeof(u->file), "%s/key-usage", state);
	journal_end(journal, &u->end, &offset);
	u->upto = u->end;
	read_file(u);
	*out = u;
	return SG_OK;
}

void key_usage_free(struct key_usage *u)
{
	if (u == NULL)
		return;
	if (u->dirty && key_usage_complete(u))
		write_file(u);
	journal_reader_close(u->reader);
	free(u->journal_dir);
	free(u);
}
