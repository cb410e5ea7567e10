/* SPDX-License-Identifier: Apache-2.0 */
#include "cleaning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "bulk_job.h"
#include "client_signing.h"
#include "faults.h"
#include "progress.h"
#include "scan.h"
#include "tally_print.h"
#include "tools/common/number.h"

struct cleaning {
	struct lines *l;
	const char *path;
	struct client_signing *signing;
	struct tally *tally;
	struct progress progress;
	struct engine_stats stats;
	uint64_t line;
	FILE *faults; /* NULL: not asked for */
	char why[WHY_MAX];
};

static struct progress_state state_of(const struct cleaning *c)
{
	return (struct progress_state){.tally = c->tally,
				       .bytes = lines_offset(c->l),
				       .size = lines_size(c->l),
				       .note = c->stats.note};
}

static enum lines_got on_next(void *ctx, struct span *text, struct span *known)
{
	struct cleaning *c = ctx;
	struct line line;
	const enum lines_got got = lines_next(c->l, &line);

	if (got == LINES_FAULT)
		(void)snprintf(c->why, sizeof(c->why),
			       "%.*s, after line %" PRIu64 ": %s", WHY_MAX / 2,
			       c->path, c->line, lines_why(c->l));
	if (got != LINES_LINE)
		return got;
	c->line++;
	*text = line.text;
	*known = bulk_job_local(&line);
	if (known->n == 0 &&
	    client_signing_sign(c->signing, clock_wall_s(), text) != SG_OK) {
		(void)snprintf(c->why, sizeof(c->why), "%s",
			       err_text(SG_NO_MEMORY));
		return LINES_FAULT;
	}
	return got;
}

static int on_fd(void *ctx)
{
	const struct cleaning *c = ctx;

	return lines_fd(c->l);
}

static enum sg_err on_put(void *ctx, uint64_t seq, struct span text,
			  struct span line)
{
	const struct cleaning *c = ctx;
	struct answer a;

	answer_read(line, &a);
	tally_add(c->tally, seq + 1, text, &a);
	if (c->faults != NULL)
		faults_add(c->faults, seq + 1, &a, line);
	return SG_OK;
}

static enum sg_err on_turn(void *ctx, const struct window *w)
{
	struct cleaning *c = ctx;
	const struct progress_state s = state_of(c);

	(void)w;
	progress_show(&c->progress, &s);
	return SG_OK;
}

static void print_report(struct tally *t, bool json, bool csv, bool complete)
{
	char n[4][32];
	json_t *j;

	if (csv) {
		tally_print_csv(stdout, t);
		return;
	}
	if (json) {
		j = tally_json(t);
		json_object_set_new(j, "complete", json_boolean(complete));
		json_object_set_new(j, "accepted",
				    json_integer((json_int_t)t->good));
		tally_print_json(stdout, j);
		return;
	}
	printf("%s records: %s accepted (%.1f %%), %s refused, %s with "
	       "warnings\n",
	       number_text(t->records, n[0]), number_text(t->good, n[1]),
	       t->records > 0 ? 100.0 * (double)t->good / (double)t->records
			      : 0.0,
	       number_text(t->records - t->good, n[2]),
	       number_text(t->warned, n[3]));
	tally_print_table(stdout, t);
	puts("\nAccepted means: by the policy that is in force for this client "
	     "(GET /v1/policy).\nWhether the person exists, and was vaccinated "
	     "or tested, is not known here.");
}

static enum sg_err open_faults(struct cleaning *c, const char *path, char *why)
{
	if (path == NULL)
		return SG_OK;
	c->faults = fopen(path, "we");
	if (c->faults == NULL) {
		(void)snprintf(why, WHY_MAX, "--faults: %s: %s", path,
			       strerrordesc_np(errno));
		return SG_IO;
	}
	faults_begin(c->faults);
	return SG_OK;
}

static int close_faults(struct cleaning *c, int status)
{
	bool bad;

	if (c->faults == NULL)
		return status;
	bad = ferror(c->faults) != 0;
	bad = fclose(c->faults) != 0 || bad;
	return bad ? trouble("--faults: cannot write all of it") : status;
}

static int judge(struct cleaning *c, const struct args *args,
		 struct engine_settings *settings, bool csv)
{
	const struct engine_job hooks = {
		.ctx = c,
		.next = on_next,
		.wait_fd = on_fd,
		.put = on_put,
		.turn = on_turn,
	};
	char why[WHY_MAX];
	enum sg_err err;

	settings->path = "/v1/validations";
	settings->first = 0;
	err = engine_run(args, settings, &hooks, &c->stats, why);
	progress_end(&c->progress);
	print_report(c->tally, args->value[OPT_JSON] != NULL, csv,
		     err == SG_OK);
	if (err != SG_OK)
		return trouble(why[0] != '\0' ? why : c->why);
	if (c->tally->records == 0)
		return trouble("the input holds no record");
	return c->tally->good < c->tally->records ? EXIT_REFUSED : EXIT_GOOD;
}

int cleaning_run(const struct args *args, struct engine_settings *settings,
		 struct lines *l, const char *path,
		 const struct cleaning_form *form)
{
	struct cleaning c = {.l = l, .path = path};
	struct progress_state begin;
	char why[WHY_MAX];
	int status;

	if (client_signing_open(args, "validate", &c.signing, why) != SG_OK)
		return trouble(why);
	if (tally_create(true, &c.tally) != SG_OK) {
		client_signing_close(c.signing);
		return trouble(err_text(SG_NO_MEMORY));
	}
	if (open_faults(&c, form->faults, why) != SG_OK) {
		tally_free(c.tally);
		client_signing_close(c.signing);
		return trouble(why);
	}
	begin = state_of(&c);
	progress_begin(&c.progress, form->quiet, "accepted", &begin);
	status = close_faults(&c, judge(&c, args, settings, form->csv));
	tally_free(c.tally);
	client_signing_close(c.signing);
	return status;
}

static bool ends_in(const char *text, const char *end)
{
	const size_t n = strlen(text);
	const size_t m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

bool cleaning_is_ndjson(const char *path)
{
	return ends_in(path, ".ndjson") || ends_in(path, ".jsonl") ||
	       ends_in(path, ".gz");
}

/* Cut the first line that is not blank off TEXT.  False: there is none. */
static bool cut_line(struct span *text, struct span *line)
{
	while (text->n > 0) {
		const uint8_t *lf = memchr(text->p, '\n', text->n);
		const size_t n = lf != NULL ? (size_t)(lf - text->p) : text->n;
		const size_t skip = lf != NULL ? n + 1 : n;
		struct line whole = {.text = span_of(text->p, n)};

		*line = whole.text;
		*text = span_of(text->p + skip, text->n - skip);
		if (bulk_job_local(&whole).n == 0)
			return true;
	}
	return false;
}

bool cleaning_is_many(struct span text)
{
	struct span first;
	struct span second;

	return cut_line(&text, &first) && scan_is_object(first) &&
	       cut_line(&text, &second);
}
