/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a bundle of entries, as a log that was signed by anybody may
 * have them: in print they are one line of CSV, or JSON that can be read back,
 * each; a report counts them all, and is HTML without markup of theirs. */
#include <jansson.h>
#include <stdlib.h>

#include "tools/auditor/account.h"
#include "tools/auditor/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct walk_entry *w, enum row_form form)
{
	char *out;
	size_t n;
	FILE *f = open_memstream(&out, &n);
	struct row r;
	json_t *j;

	if (f == NULL)
		abort();
	row_begin(&r, f, form);
	row_put(&r, w);
	row_end(&r);
	if (fclose(f) != 0)
		abort();
	if (form == ROW_JSON || form == ROW_NDJSON) {
		j = json_loadb(out, n, JSON_ALLOW_NUL, NULL);
		/* jansson alone takes no NUL in a name. */
		if (j == NULL && strstr(out, "\\u0000") == NULL)
			abort();
		json_decref(j);
	}
	for (size_t i = 0; i < n; i++)
		if (out[i] == '\x1b' && form != ROW_CSV)
			abort();
	free(out);
}

/* Of the report's own markup no "<" stands before an "i". */
static void check_html(const char *out, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++)
		if ((out[i] == '<' && out[i + 1] == 'i') || out[i] == '\x1b')
			abort();
}

static void check_report(struct survey *s)
{
	static struct walk_head head;
	const struct account a = {.survey = s, .head = &head, .where = "x"};
	json_t *j;

	head.checkpoint.c.origin = SPAN_LIT("x");
	for (int form = SHEET_TEXT; form <= SHEET_HTML; form++) {
		char *out;
		size_t n;
		FILE *f = open_memstream(&out, &n);

		if (f == NULL ||
		    account_print(&a, (enum sheet_form)form, f) != SG_OK ||
		    fclose(f) != 0)
			abort();
		check_html(out, n);
		free(out);
	}
	j = account_json(&a);
	if (j == NULL)
		abort();
	json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct merkle_hash leaf;
	struct span rest = span_of(data, size);
	struct walk_entry w = {.leaf = &leaf};
	struct survey *s;
	uint64_t inside = 0;
	uint64_t n = 0;

	if (survey_create(INT64_MIN, INT64_MAX, 1000, &s) != SG_OK)
		abort();
	while (tile_next_entry(&rest, &w.bytes) == SG_OK) {
		if (entry_decode(w.bytes, &w.e) != SG_OK)
			continue;
		w.index = n++;
		for (int form = ROW_TABLE; form <= ROW_NDJSON; form++)
			check_row(&w, (enum row_form)form);
		survey_add(s, &w);
		inside += w.e.time_ms < INT64_MAX; /* the end: none */
	}
	if (s->entries != inside)
		abort();
	check_report(s);
	survey_free(s);
	return 0;
}
