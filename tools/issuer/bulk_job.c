/* SPDX-License-Identifier: Apache-2.0 */
#include "bulk_job.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal.h"
#include "output.h"
#include "resume.h"

enum { SYNC_EVERY_US = 1000000 };

enum { SUFFIX_MAX = 16 };

struct bulk_job {
	struct lines *in;
	const char *in_path;
	bool refused_again;
	char path[PATH_MAX];		     /* OUT */
	char partial[PATH_MAX + SUFFIX_MAX]; /* OUT.partial */
	char mended[PATH_MAX + SUFFIX_MAX];  /* OUT.mended */
	struct output *out;
	/* While answers amid OUT are replaced: the new file, the old answers
	 * and how many they are. */
	struct output *mend;
	struct lines *old;
	uint64_t old_n;
	struct journal *journal;
	char mark[JOURNAL_MARK_BYTES]; /* empty: no line was read */
	struct tally *tally;
	uint64_t first,
		next;  /* numbers: of this run's first, to be read next */
	uint64_t kept; /* answers of earlier runs */
	uint64_t synced_us;
	char why[WHY_MAX];
};

__attribute__((format(printf, 3, 4))) static enum sg_err fail(
	struct bulk_job *job, enum sg_err err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(job->why, sizeof(job->why), fmt, ap);
	va_end(ap);
	return err;
}

static enum sg_err write_failed(struct bulk_job *job, const char *path)
{
	return fail(job, SG_IO, "%.*s: %s", WHY_MAX / 2, path,
		    strerrordesc_np(errno));
}

static bool is_blank(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ' ' && text.p[i] != '\t' && text.p[i] != '\r')
			return false;
	return true;
}

struct span bulk_job_local(const struct line *line)
{
	if (line->too_long)
		return SPAN_LIT("{\"type\":\"/problems/too-large\",\"title\":"
				"\"Request too large\",\"status\":413,"
				"\"detail\":\"the line is longer than a "
				"mebibyte and was not sent\"}");
	if (is_blank(line->text))
		return SPAN_LIT("{\"type\":\"/problems/malformed\",\"title\":"
				"\"Malformed request\",\"status\":400,"
				"\"detail\":\"the line is empty and was not "
				"sent\"}");
	return (struct span){0};
}

static void take_mark(void *ctx, struct span first)
{
	struct bulk_job *job = ctx;

	journal_mark(first, job->mark);
}

/* Both files are open: they must not be one. */
static enum sg_err check_apart(struct bulk_job *job)
{
	struct stat in;
	struct stat out;

	if (fstat(lines_fd(job->in), &in) == 0 && stat(job->path, &out) == 0 &&
	    in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		return fail(job, SG_CONFIG, "%.*s: input and output are one",
			    WHY_MAX / 2, job->path);
	return SG_OK;
}

/* Begin a file anew, or go on with one that an earlier run began. */
static enum sg_err open_mend(struct bulk_job *job, struct survey *s)
{
	struct stat st;
	enum sg_err err;
	bool made;

	if (lstat(job->mended, &st) == 0 && !S_ISREG(st.st_mode))
		return fail(job, SG_CONFIG, "%.*s: not a regular file",
			    WHY_MAX / 2, job->mended);
	err = output_open(job->mended, &made, &job->mend, job->why,
			  sizeof(job->why));
	*s = (struct survey){0};
	/* Refusals in it are of the run that is gone on with. */
	if (err == SG_OK && !made)
		err = resume_survey(job->mended, false, s, job->why,
				    sizeof(job->why));
	if (err == SG_OK)
		err = output_cut(job->mend, s->end) == SG_OK
			      ? SG_OK
			      : write_failed(job, job->mended);
	if (err == SG_OK)
		err = lines_open(job->path, &job->old, job->why,
				 sizeof(job->why));
	return err;
}

/* Read N answers of the file at PATH beside the input. */
static enum sg_err pair_up(struct bulk_job *job, const char *path, uint64_t n)
{
	struct resume_files f = {.in = job->in,
				 .path = path,
				 .n = n,
				 .old = job->old,
				 .old_n = job->old_n};
	enum sg_err err =
		lines_open(path, &f.answers, job->why, sizeof(job->why));

	if (err != SG_OK)
		return err;
	err = resume_pair_up(&f, job->tally, take_mark, job, job->why,
			     sizeof(job->why));
	lines_close(f.answers);
	job->first = job->next = job->kept = n;
	return err;
}

/* The old answers are all in the new file: it takes their place. */
static enum sg_err end_mending(struct bulk_job *job)
{
	if (job->mend == NULL || job->next < job->old_n)
		return SG_OK;
	if (output_replace(job->mend, job->path) != SG_OK)
		return write_failed(job, job->mended);
	output_close(job->out);
	job->out = job->mend;
	job->mend = NULL;
	lines_close(job->old);
	job->old = NULL;
	return SG_OK;
}

static enum sg_err take_up(struct bulk_job *job)
{
	struct survey s;
	struct survey mended = {0};
	enum sg_err err = resume_survey(job->path, job->refused_again, &s,
					job->why, sizeof(job->why));

	if (err != SG_OK)
		return err;
	/* A torn line, and answers at the end that ask to come again. */
	if (output_cut(job->out, s.end) != SG_OK)
		return write_failed(job, job->path);
	job->old_n = s.lines;
	/* Without refused_again, too, a run that had it is gone on with. */
	if (s.later == 0 && access(job->mended, F_OK) != 0)
		return pair_up(job, job->path, s.lines);
	err = open_mend(job, &mended);
	if (err == SG_OK)
		err = pair_up(job, job->mended, mended.lines);
	return err == SG_OK ? end_mending(job) : err;
}

static enum sg_err open_all(struct bulk_job *job)
{
	bool made;
	enum sg_err err = tally_create(false, &job->tally);

	if (err != SG_OK)
		return fail(job, err, "%s", err_text(err));
	err = lines_open(job->in_path, &job->in, job->why, sizeof(job->why));
	if (err == SG_OK)
		err = output_open(job->path, &made, &job->out, job->why,
				  sizeof(job->why));
	if (err == SG_OK)
		err = check_apart(job);
	if (err != SG_OK)
		return err;
	if (made) { /* what stands beside it is of no job that can go on */
		(void)unlink(job->partial);
		(void)unlink(job->mended);
		return SG_OK;
	}
	return take_up(job);
}

enum sg_err bulk_job_open(const char *in, const char *out, bool refused_again,
			  struct bulk_job **job, char *why)
{
	struct bulk_job *b = calloc(1, sizeof(*b));
	enum sg_err err;

	if (b == NULL) {
		(void)snprintf(why, WHY_MAX, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	/* A link stays one: the file that it leads to may be replaced. */
	if (realpath(out, b->path) != NULL)
		out = b->path;
	if (strlen(out) + sizeof(".partial.new") > sizeof(b->path)) {
		(void)snprintf(why, WHY_MAX, "the output's name is too long");
		free(b);
		return SG_CONFIG;
	}
	b->in_path = in;
	b->refused_again = refused_again;
	if (out != b->path)
		(void)snprintf(b->path, sizeof(b->path), "%s", out);
	(void)snprintf(b->partial, sizeof(b->partial), "%s.partial", out);
	(void)snprintf(b->mended, sizeof(b->mended), "%s.mended", out);
	b->synced_us = clock_mono_us();
	err = open_all(b);
	if (err != SG_OK) {
		(void)snprintf(why, WHY_MAX, "%s", b->why);
		bulk_job_close(b);
		return err;
	}
	*job = b;
	return SG_OK;
}

void bulk_job_close(struct bulk_job *job)
{
	if (job == NULL)
		return;
	lines_close(job->in);
	lines_close(job->old);
	output_close(job->out);
	output_close(job->mend);
	journal_close(job->journal);
	tally_free(job->tally);
	free(job);
}

uint64_t bulk_job_first(const struct bulk_job *job)
{
	return job->first;
}

uint64_t bulk_job_kept(const struct bulk_job *job)
{
	return job->kept;
}

struct tally *bulk_job_tally(const struct bulk_job *job)
{
	return job->tally;
}

void bulk_job_place(const struct bulk_job *job, uint64_t *bytes, uint64_t *size)
{
	*bytes = lines_offset(job->in);
	*size = lines_size(job->in);
}

const char *bulk_job_why(const struct bulk_job *job)
{
	return job->why;
}

/* What the old file says of TEXT, the record that is read next, if that is
 * final. */
static enum sg_err old_answer(struct bulk_job *job, struct span text,
			      struct span *known)
{
	struct answer a;
	struct line line;

	if (job->old == NULL || job->next >= job->old_n)
		return SG_OK;
	if (lines_next_wait(job->old, &line) != LINES_LINE)
		return fail(job, SG_IO, "%.*s cannot be read again",
			    WHY_MAX / 2, job->path);
	answer_read(line.text, &a);
	if (answer_is_open(&a, job->refused_again))
		return SG_OK;
	if (!answer_fits(&a, text))
		return fail(job, SG_CONFLICT,
			    "%.*s, line %" PRIu64
			    ": this is the answer to another record than the "
			    "input's",
			    WHY_MAX / 2, job->path, job->next + 1);
	*known = line.text;
	return SG_OK;
}

/* What the journal says of it.  A refusal may be of the record as it was. */
static void early_answer(const struct bulk_job *job, struct span *known)
{
	struct answer a;

	if (!journal_find(job->journal, job->next, known))
		return;
	answer_read(*known, &a);
	if (answer_is_open(&a, job->refused_again))
		*known = (struct span){0};
}

/* The answer to LINE, the record that is read next, that need not be asked. */
static enum sg_err known_answer(struct bulk_job *job, const struct line *line,
				struct span *known)
{
	const enum sg_err err = old_answer(job, line->text, known);

	if (err != SG_OK)
		return err;
	if (known->n == 0 && (*known = bulk_job_local(line)).n > 0)
		return SG_OK;
	if (known->n == 0)
		early_answer(job, known);
	job->kept += known->n > 0;
	return SG_OK;
}

static enum sg_err open_journal(struct bulk_job *job)
{
	const enum sg_err err = journal_open(job->partial, job->mark,
					     job->first, &job->journal);

	return err == SG_OK ? SG_OK : fail(job, err, "%s", err_text(err));
}

enum lines_got bulk_job_next(void *ctx, struct span *text, struct span *known)
{
	struct bulk_job *job = ctx;
	struct line line;
	const enum lines_got got = lines_next(job->in, &line);

	if (got == LINES_FAULT)
		(void)fail(job, SG_IO, "%.*s, after line %" PRIu64 ": %s",
			   WHY_MAX / 2, job->in_path, job->next,
			   lines_why(job->in));
	if (got == LINES_END && job->next < job->old_n) {
		(void)fail(job, SG_CONFLICT,
			   "%.*s has more lines than the input", WHY_MAX / 2,
			   job->path);
		return LINES_FAULT;
	}
	if (got != LINES_LINE)
		return got;
	if (job->mark[0] == '\0')
		take_mark(job, line.text);
	if (job->journal == NULL && open_journal(job) != SG_OK)
		return LINES_FAULT;
	*text = line.text;
	*known = (struct span){0};
	if (known_answer(job, &line, known) != SG_OK)
		return LINES_FAULT;
	job->next++;
	return LINES_LINE;
}

int bulk_job_fd(void *ctx)
{
	const struct bulk_job *job = ctx;

	return lines_fd(job->in);
}

enum sg_err bulk_job_early(void *ctx, uint64_t seq, struct span line)
{
	struct bulk_job *job = ctx;

	if (journal_put(job->journal, seq, line) != SG_OK)
		return write_failed(job, job->partial);
	return SG_OK;
}

enum sg_err bulk_job_put(void *ctx, uint64_t seq, struct span text,
			 struct span line)
{
	struct bulk_job *job = ctx;
	struct answer a;

	answer_read(line, &a);
	tally_add(job->tally, seq + 1, text, &a);
	if (output_put(job->mend != NULL ? job->mend : job->out, line) != SG_OK)
		return write_failed(job, job->path);
	return job->mend != NULL && seq + 1 == job->old_n ? end_mending(job)
							  : SG_OK;
}

/* The journal without the answers that are in OUT by now. */
static enum sg_err renew_journal(struct bulk_job *job, const struct window *w)
{
	enum sg_err err = journal_renew(job->journal);
	struct span line;

	for (uint64_t seq = window_base(w);
	     err == SG_OK && seq < window_next(w); seq++)
		if (window_done(w, seq, &line))
			err = journal_put(job->journal, seq, line);
	return err == SG_OK ? journal_renewed(job->journal) : err;
}

enum sg_err bulk_job_turn(void *ctx, const struct window *w)
{
	struct bulk_job *job = ctx;
	struct output *o = job->mend != NULL ? job->mend : job->out;
	const uint64_t now = clock_mono_us();

	if (output_flush(o) != SG_OK)
		return write_failed(job, job->path);
	if (job->journal != NULL && journal_flush(job->journal) != SG_OK)
		return write_failed(job, job->partial);
	if (job->journal != NULL && journal_is_long(job->journal) &&
	    renew_journal(job, w) != SG_OK)
		return write_failed(job, job->partial);
	if (now - job->synced_us < SYNC_EVERY_US)
		return SG_OK;
	if (output_sync(o) != SG_OK)
		return write_failed(job, job->path);
	job->synced_us = clock_mono_us();
	return SG_OK;
}

enum sg_err bulk_job_finish(struct bulk_job *job, bool whole)
{
	struct output *o = job->mend != NULL ? job->mend : job->out;

	if (output_sync(o) != SG_OK)
		return write_failed(job, job->path);
	if (job->journal != NULL && journal_flush(job->journal) != SG_OK)
		return write_failed(job, job->partial);
	if (whole)
		(void)unlink(job->partial);
	return SG_OK;
}
