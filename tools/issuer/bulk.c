/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "bulk_job.h"
#include "client_signing.h"
#include "progress.h"
#include "renewing.h"
#include "streaming.h"
#include "tally_print.h"
#include "tools/common/number.h"

enum { OPT_REFUSED_AGAIN = OPT_STREAMING, OPT_BULK };

static const struct arg_option OPTIONS[OPT_BULK] = {
	COMMON_OPTIONS,
	ONLINE_OPTIONS,
	SIGNING_OPTIONS,
	STREAMING_OPTIONS,
	[OPT_REFUSED_AGAIN] = {"refused-again", NULL, NULL,
			       "send what OUT has as refused again, too"},
};

/* What is done with the records. */
struct bulk_work {
	const char *path, *done; /* "signed" */
	const char *operation;
	bool renews;
};

/* What the hooks need beside the job. */
struct bulk {
	const struct bulk_work *work;
	struct renewing renewing;
	struct client_signing *signing;
	struct bulk_job *job;
	struct progress progress;
	struct engine_stats stats;
	bool whole; /* every record has its line */
	bool no_memory;
};

static struct progress_state state_of(const struct bulk *b)
{
	struct progress_state s = {.tally = bulk_job_tally(b->job),
				   .note = b->stats.note};

	bulk_job_place(b->job, &s.bytes, &s.size);
	return s;
}

static enum lines_got on_next(void *ctx, struct span *text, struct span *known)
{
	struct bulk *b = ctx;
	const enum lines_got got = bulk_job_next(b->job, text, known);
	struct span local;

	if (got != LINES_LINE || known->n > 0)
		return got;
	if (b->work->renews) {
		if (renewing_request(&b->renewing, *text, text, &local) !=
		    SG_OK) {
			b->no_memory = true;
			return LINES_FAULT;
		}
		*known = local;
		if (local.n > 0)
			return LINES_LINE;
	}
	if (client_signing_sign(b->signing, clock_wall_s(), text) != SG_OK) {
		b->no_memory = true;
		return LINES_FAULT;
	}
	return LINES_LINE;
}

static int on_fd(void *ctx)
{
	const struct bulk *b = ctx;

	return bulk_job_fd(b->job);
}

static enum sg_err on_early(void *ctx, uint64_t seq, struct span line)
{
	const struct bulk *b = ctx;

	return bulk_job_early(b->job, seq, line);
}

static enum sg_err on_put(void *ctx, uint64_t seq, struct span text,
			  struct span line)
{
	const struct bulk *b = ctx;

	return bulk_job_put(b->job, seq, text, line);
}

static enum sg_err on_turn(void *ctx, const struct window *w)
{
	struct bulk *b = ctx;
	const struct progress_state s = state_of(b);

	progress_show(&b->progress, &s);
	return bulk_job_turn(b->job, w);
}

static void print_json(struct bulk *b)
{
	struct tally *t = bulk_job_tally(b->job);
	json_t *j = tally_json(t);
	double seconds;
	const double rate = progress_rate(&b->progress, t, &seconds);

	json_object_set_new(j, "complete", json_boolean(b->whole));
	json_object_set_new(j, b->work->done,
			    json_integer((json_int_t)t->good));
	json_object_set_new(j, "replayed",
			    json_integer((json_int_t)t->replayed));
	json_object_set_new(j, "answered_before",
			    json_integer((json_int_t)bulk_job_kept(b->job)));
	json_object_set_new(
		j, "resumed_at",
		json_integer((json_int_t)bulk_job_first(b->job) + 1));
	json_object_set_new(j, "sent_again",
			    json_integer((json_int_t)b->stats.again));
	json_object_set_new(j, "breaks",
			    json_integer((json_int_t)b->stats.breaks));
	json_object_set_new(j, "seconds", json_real(seconds));
	json_object_set_new(j, "rate", json_real(rate));
	tally_print_json(stdout, j);
}

static void print_summary(struct bulk *b)
{
	struct tally *t = bulk_job_tally(b->job);
	char n[6][32];
	double seconds;
	const double rate = progress_rate(&b->progress, t, &seconds);

	printf("%s records: %s %s (%s replayed), %s refused, %s refused "
	       "for now\n",
	       number_text(t->records, n[0]), number_text(t->good, n[1]),
	       b->work->done, number_text(t->replayed, n[2]),
	       number_text(t->refused, n[3]), number_text(t->again, n[4]));
	if (bulk_job_kept(b->job) > 0)
		printf("%s answered in earlier runs\n",
		       number_text(bulk_job_kept(b->job), n[0]));
	printf("%.1f s, %s records a second; %" PRIu64 " sent again, %" PRIu64
	       " stream%s broken\n",
	       seconds, number_text((uint64_t)rate, n[5]), b->stats.again,
	       b->stats.breaks, b->stats.breaks == 1 ? "" : "s");
	if (t->warned > 0)
		printf("%s with warnings\n", number_text(t->warned, n[0]));
	tally_print_table(stdout, t);
	if (t->again > 0)
		puts("\nThe same command again sends what was refused for now "
		     "once more.");
}

static void say_refused(const struct tally *t, bool renews)
{
	char n[32];

	if (t->refused > 0)
		(void)fprintf(stderr,
			      "Refused: %s. The same command again does not "
			      "send these records; once they are\ncorrected in "
			      "the input%s, it does so with --refused-again.\n",
			      number_text(t->refused, n),
			      renews ? ", or due for renewal" : "");
}

/* Is it worth trying just so, or is there something to mend? */
static bool can_go_on(enum sg_err err)
{
	return err == SG_TIMED_OUT || err == SG_CLOSED;
}

static int conclude(struct bulk *b, const struct args *args, enum sg_err err,
		    const char *why)
{
	const struct tally *t = bulk_job_tally(b->job);

	b->whole = err == SG_OK;
	progress_end(&b->progress);
	if (bulk_job_finish(b->job, b->whole) != SG_OK && b->whole) {
		b->whole = false;
		why = "";
	}
	if (args->value[OPT_JSON] != NULL)
		print_json(b);
	else
		print_summary(b);
	if (!b->whole) {
		if (b->no_memory)
			why = err_text(SG_NO_MEMORY);
		(void)trouble(why[0] != '\0' ? why : bulk_job_why(b->job));
		(void)fprintf(stderr,
			      "%s same command again goes on where this one "
			      "has stopped.\n",
			      can_go_on(err) ? "The"
					     : "Once that is mended, the");
		return EXIT_TROUBLE;
	}
	say_refused(t, b->work->renews);
	return t->refused + t->again > 0 ? EXIT_REFUSED : EXIT_GOOD;
}

static int run_job(struct bulk *b, const struct args *args,
		   struct engine_settings *settings)
{
	const struct engine_job hooks = {
		.ctx = b,
		.next = on_next,
		.wait_fd = on_fd,
		.early = on_early,
		.put = on_put,
		.turn = on_turn,
	};
	const struct progress_state begin = state_of(b);
	char why[WHY_MAX];
	enum sg_err err;

	settings->path = b->work->path;
	settings->first = bulk_job_first(b->job);
	progress_begin(&b->progress, args->value[OPT_QUIET] != NULL,
		       b->work->done, &begin);
	if (settings->first > 0 && !b->progress.quiet)
		(void)fprintf(stderr,
			      "%" PRIu64 " records are answered; going on.\n",
			      settings->first);
	err = engine_run(args, settings, &hooks, &b->stats, why);
	return conclude(b, args, err, why);
}

static int run(const struct args *args, const struct bulk_work *work)
{
	struct engine_settings settings;
	struct bulk b = {.work = work};
	struct https *h;
	char why[WHY_MAX];
	int status;

	if (args->n != 2)
		return trouble("give the file of records (- is standard input) "
			       "and the file for the answers");
	if (streaming_settings(args, &settings, why) != SG_OK)
		return trouble(why);
	/* Whatever is wrong with the options is said before a file is made. */
	if (online_open(args, &h, why, sizeof(why)) != SG_OK)
		return trouble(why);
	https_close(h);
	if (client_signing_open(args, work->operation, &b.signing, why) !=
	    SG_OK)
		return trouble(why);
	streaming_catch_signals();
	if (bulk_job_open(args->rest[0], args->rest[1],
			  args->value[OPT_REFUSED_AGAIN] != NULL, &b.job,
			  why) == SG_OK) {
		status = run_job(&b, args, &settings);
		bulk_job_close(b.job);
		renewing_clear(&b.renewing);
	} else {
		status = trouble(why);
	}
	client_signing_close(b.signing);
	return status;
}

static int run_bulk(const struct args *args)
{
	static const struct bulk_work work = {.path = "/v1/certificates",
					      .done = "signed",
					      .operation = "issue"};

	return run(args, &work);
}

static int run_renew(const struct args *args)
{
	static const struct bulk_work work = {.path = "/v1/renewals",
					      .done = "renewed",
					      .operation = "renew",
					      .renews = true};

	return run(args, &work);
}

const struct command BULK_COMMAND = {
	.name = "bulk",
	.usage = "[OPTIONS] IN.ndjson OUT.ndjson",
	.about = "have a file of records signed; goes on where OUT ends",
	.more = "IN has one request {\"dcc\": ...} a line, may be packed by "
		"gzip, and - is\nstandard input.  OUT gets one line for each, "
		"in the same order: a certificate or\na problem.  The same "
		"command again goes on after any interruption, and sends\n"
		"again what was refused for now (408, 429, 503, 504).  What "
		"was "
		"refused for good\nit sends again with --refused-again alone: "
		"after these lines of IN were corrected.\n",
	.options = OPTIONS,
	.noptions = OPT_BULK,
	.run = run_bulk,
};

const struct command RENEW_COMMAND = {
	.name = "renew",
	.usage = "[OPTIONS] IN.ndjson OUT.ndjson",
	.about = "have a file of certificates renewed; goes on where OUT ends",
	.more = "IN has one request {\"hcert\": \"HC1:...\"} or {\"dcc\": ...} "
		"a line, or what bulk and\nrenew have written as their OUT; it "
		"may be packed by gzip, and - is standard input.\nOUT gets one "
		"line for each, in the same order: the renewed certificate or "
		"a\nproblem.  As with bulk, the same command again goes on "
		"after any interruption:\nwhat was renewed already comes as "
		"it is, and is not renewed twice.  What was not\ndue yet it "
		"sends again with --refused-again: a month later, with the "
		"same "
		"files.\n",
	.options = OPTIONS,
	.noptions = OPT_BULK,
	.run = run_renew,
};
