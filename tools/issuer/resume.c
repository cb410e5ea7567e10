/* SPDX-License-Identifier: Apache-2.0 */
#include "resume.h"

#include <inttypes.h>
#include <stdio.h>

enum sg_err resume_survey(const char *path, struct survey *out, char *why,
			  size_t cap)
{
	struct survey s = {0};
	struct lines *l;
	struct answer a;
	struct line line;
	uint64_t later = 0;
	enum sg_err err = lines_open(path, &l, why, cap);
	enum lines_got got;

	if (err != SG_OK)
		return err;
	while ((got = lines_next_wait(l, &line)) == LINES_LINE && line.ended) {
		answer_read(line.text, &a);
		if (a.kind == ANSWER_NONE) {
			(void)snprintf(why, cap,
				       "%s, line %" PRIu64
				       ": this is no answer of a server",
				       path, s.lines + s.loose + 1);
			err = SG_MALFORMED;
			break;
		}
		s.loose++;
		later += a.again;
		if (a.again)
			continue;
		s.lines += s.loose;
		s.loose = 0;
		s.later = later;
		s.end = lines_offset(l);
	}
	if (got == LINES_FAULT) {
		(void)snprintf(why, cap, "%s: %s", path, lines_why(l));
		err = SG_IO;
	}
	lines_close(l);
	if (err == SG_OK)
		*out = s;
	return err;
}

static enum sg_err mismatch(const struct resume_files *f, uint64_t line,
			    const char *what, char *why, size_t cap)
{
	(void)snprintf(why, cap, "%s, line %" PRIu64 ": %s", f->path, line,
		       what);
	return SG_CONFLICT;
}

/* An older answer that was final is still the answer. */
static bool is_kept(const struct resume_files *f, uint64_t i,
		    struct span answer)
{
	struct answer a;
	struct line old;

	if (f->old == NULL || i >= f->old_n)
		return true;
	if (lines_next_wait(f->old, &old) != LINES_LINE)
		return false;
	answer_read(old.text, &a);
	return a.again || span_eq(old.text, answer);
}

enum sg_err resume_pair_up(const struct resume_files *f, struct tally *tally,
			   void (*mark)(void *ctx, struct span), void *ctx,
			   char *why, size_t cap)
{
	for (uint64_t i = 0; i < f->n; i++) {
		struct answer a;
		struct line answer;
		struct line in;
		const enum lines_got got = lines_next_wait(f->in, &in);

		if (got == LINES_FAULT) {
			(void)snprintf(why, cap, "the input: %s",
				       lines_why(f->in));
			return SG_IO;
		}
		if (got == LINES_END)
			return mismatch(f, i + 1,
					"the input has fewer lines than this",
					why, cap);
		if (i == 0)
			mark(ctx, in.text);
		if (lines_next_wait(f->answers, &answer) != LINES_LINE)
			return mismatch(f, i + 1, "cannot be read again", why,
					cap);
		answer_read(answer.text, &a);
		if (!answer_fits(&a, in.text))
			return mismatch(f, i + 1,
					"this is the answer to another record "
					"than the input's",
					why, cap);
		if (!is_kept(f, i, answer.text))
			return mismatch(f, i + 1,
					"this is not the answer that was there "
					"before; remove this file",
					why, cap);
		tally_add(tally, i + 1, in.text, &a);
	}
	return SG_OK;
}
