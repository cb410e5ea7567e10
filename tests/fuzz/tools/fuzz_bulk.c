/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What signer-issuer bulk finds when it goes on: the input (plain, or packed by
 * gzip), the answers so far, and its own journal of answers that came out of
 * order, a chunk each.
 */
#include <stdlib.h>

#include "../files.h"
#include "tools/issuer/journal.h"
#include "tools/issuer/resume.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WHY_BYTES = 256, SEQ_MAX = 64 };

static const char MARK[] = "0123456789abcdef0123456789abcdef";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void on_first(void *ctx, struct span record)
{
	char *mark = ctx;

	journal_mark(record, mark);
	must(strlen(mark) == JOURNAL_MARK_BYTES - 1);
}

/* The journal, as it is, and written anew. */
static void read_journal(const char *path)
{
	struct journal *j;
	struct span line;

	must(journal_open(path, MARK, 1, &j) == SG_OK);
	for (uint64_t i = 1; i < SEQ_MAX; i++)
		if (journal_find(j, i, &line))
			must(line.n > 0);
	must(journal_renew(j) == SG_OK &&
	     journal_put(j, 2, SPAN_LIT("{\"id\":\"a\"}")) == SG_OK &&
	     journal_renewed(j) == SG_OK);
	must(journal_flush(j) == SG_OK && !journal_is_long(j));
	journal_close(j);
	must(journal_open(path, MARK, 1, &j) == SG_OK);
	must(journal_find(j, 2, &line) && span_is(line, "{\"id\":\"a\"}"));
	journal_close(j);
}

static void go_on(const char *in, const char *answers)
{
	struct tally *tally;
	struct resume_files f = {.path = answers};
	char mark[JOURNAL_MARK_BYTES];
	char why[WHY_BYTES] = "";
	struct survey s;

	if (resume_survey(answers, false, &s, why, sizeof(why)) != SG_OK) {
		must(why[0] != '\0');
		return;
	}
	must(s.later <= s.lines + s.loose);
	must(lines_open(in, &f.in, why, sizeof(why)) == SG_OK &&
	     lines_open(answers, &f.answers, why, sizeof(why)) == SG_OK);
	f.n = s.lines;
	must(tally_create(true, &tally) == SG_OK);
	if (resume_pair_up(&f, tally, on_first, mark, why, sizeof(why)) !=
	    SG_OK)
		must(why[0] != '\0');
	lines_close(f.in);
	lines_close(f.answers);
	tally_free(tally);
}

/* Each line of PATH, which holds BYTES, and where it is plain, each byte but
 * for a byte order mark. */
static void read_lines(const char *path, struct span bytes)
{
	static const char bom[] = "\xef\xbb\xbf";
	const size_t n = bytes.n >= 3 && memcmp(bytes.p, bom, 3) == 0
				 ? bytes.n - 3
				 : bytes.n;
	char why[WHY_BYTES];
	struct lines *l;
	struct line line;
	size_t sum = 0;
	struct span ahead;
	bool end;

	must(lines_open(path, &l, why, sizeof(why)) == SG_OK);
	(void)lines_peek(l, 64, &ahead, &end);
	while (lines_next_wait(l, &line) == LINES_LINE)
		sum += line.text.n + line.ended;
	must(lines_are_packed(l) || sum == n);
	lines_close(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size);
	char in[FILES_PATH];
	char answers[FILES_PATH];
	char journal[FILES_PATH];
	struct span chunk = files_chunk(&rest);

	files_begin();
	files_put("in", chunk);
	files_put("answers", files_chunk(&rest));
	files_put("journal", files_chunk(&rest));
	(void)files_path("in", in);
	(void)files_path("answers", answers);
	read_lines(in, chunk);
	read_journal(files_path("journal", journal));
	go_on(in, answers);
	return 0;
}
