/* SPDX-License-Identifier: Apache-2.0 */
#include "resume.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * Can TEXT, the only line of a file, be the beginning of an answer that was cut
 * short?  Any other file that has no line's end is not ours to cut.
 */
static bool is_torn_answer(struct span text)
{
	static const char *const begin[] = {"{\"id\":\"", "{\"hcert\":\"",
					    "{\"verdict\":\"", "{\"type\":\""};

	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++) {
		const size_t n = strlen(begin[i]);

		if (memcmp(text.p, begin[i], text.n < n ? text.n : n) == 0)
			return true;
	}
	return false;
}

static enum sg_err no_answer(const char *path, uint64_t line, char *why,
			     size_t cap)
{
	(void)snprintf(why, cap,
		       "%s, line %" PRIu64 ": this is no answer of a server",
		       path, line);
	return SG_MALFORMED;
}

/* LINE, behind S, has no end. */
static enum sg_err look_at_torn(const struct survey *s, const struct line *line,
				const char *path, char *why, size_t cap)
{
	if (s->lines + s->loose > 0 ||
	    (!line->too_long && is_torn_answer(line->text)))
		return SG_OK;
	return no_answer(path, 1, why, cap);
}

enum sg_err resume_survey(const char *path, bool refused, struct survey *out,
			  char *why, size_t cap)
{
	struct survey s = {0};
	struct lines *l;
	struct answer a;
	struct line line;
	uint64_t later = 0;
	bool open;
	enum sg_err err = lines_open(path, &l, why, cap);
	enum lines_got got;

	if (err != SG_OK)
		return err;
	while ((got = lines_next_wait(l, &line)) == LINES_LINE && line.ended) {
		answer_read(line.text, &a);
		if (a.kind == ANSWER_NONE) {
			err = no_answer(path, s.lines + s.loose + 1, why, cap);
			break;
		}
		s.loose++;
		open = answer_is_open(&a, refused);
		later += open;
		if (open)
			continue;
		s.lines += s.loose;
		s.loose = 0;
		s.later = later;
		s.end = lines_offset(l);
	}
	if (err == SG_OK && got == LINES_LINE)
		err = look_at_torn(&s, &line, path, why, cap);
	if (got == LINES_FAULT) {
		(void)snprintf(why, cap, "%s: %s", path, lines_why(l));
		err = SG_IO;
	}
	if (lines_are_packed(l)) {
		(void)snprintf(why, cap, "%s: packed by gzip: unpack it first",
			       path);
		err = SG_CONFIG;
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

/* An older answer that was good is still the answer; a problem may have been
 * sent again (--refused-again). */
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
	return a.kind == ANSWER_PROBLEM || span_eq(old.text, answer);
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
