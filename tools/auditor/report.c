/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "base/clock.h"
#include "filter.h"
#include "tools/common/printable.h"

enum { MS = 1000, GAP_MAX_S = 366 * 86400 };

enum {
	OPT_FILTER = OPT_LOG,
	OPT_WALK = OPT_FILTER + FILTER_OPTION_COUNT,
	OPT_HTML = OPT_WALK + WALK_OPTION_COUNT,
	OPT_TEXT,
	OPT_GAP,
	OPT_REPORT
};

static const struct arg_option OPTIONS[OPT_REPORT] = {
	COMMON_OPTIONS,
	LOG_OPTIONS,
	FILTER_PERIOD_OPTIONS(OPT_FILTER),
	WALK_OPTIONS(OPT_WALK),
	[OPT_HTML] = {"html", "FILE", NULL,
		      "write it as HTML there; \"-\": to standard output"},
	[OPT_TEXT] = {"text", NULL, NULL,
		      "print it as text (as without --html and --json)"},
	[OPT_GAP] = {"gap", "SECONDS", NULL,
		     "list longer times without any entry (3600)"},
};

static enum sg_err count_one(void *ctx, const struct walk_entry *e,
			     char why[WHY_MAX])
{
	(void)why;
	survey_add(ctx, e);
	return SG_OK;
}

/* By a temporary file beside it: a report is whole, or the old one. */
static int write_html(const struct account *a, const char *path)
{
	char temporary[WHY_MAX / 2];
	char why[WHY_MAX];
	int fd;
	FILE *to;
	enum sg_err err = SG_IO;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >=
	    (int)sizeof(temporary))
		return auditor_trouble("--html: too long a name");
	fd = mkostemp(temporary, O_CLOEXEC);
	to = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (to != NULL) {
		err = account_print(a, SHEET_HTML, to);
		if (err == SG_OK && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
			err = SG_IO;
		if (fclose(to) != 0 && err == SG_OK)
			err = SG_IO;
	} else if (fd >= 0) {
		(void)close(fd);
	}
	if (err == SG_OK && rename(temporary, path) == 0)
		return EXIT_GOOD;
	(void)snprintf(why, sizeof(why), "%s: %s", path,
		       err == SG_NO_MEMORY
			       ? err_text(err)
			       : strerror(/* NOLINT(concurrency-mt-unsafe) */
					  errno));
	if (fd >= 0)
		(void)unlink(temporary);
	return auditor_trouble(why);
}

static int print_json(const struct account *a)
{
	json_t *j = account_json(a);
	char *text = printable_json(j, JSON_INDENT(1));

	json_decref(j);
	if (text == NULL)
		return auditor_trouble(err_text(SG_NO_MEMORY));
	puts(text);
	free(text);
	return EXIT_GOOD;
}

static int print(const struct args *args, const struct account *a)
{
	const char *html = args->value[OPT_HTML];
	enum sg_err err = SG_OK;
	int status = EXIT_GOOD;

	if (html != NULL && strcmp(html, "-") == 0)
		err = account_print(a, SHEET_HTML, stdout);
	else if (html != NULL)
		status = write_html(a, html);
	if (err == SG_OK && status == EXIT_GOOD &&
	    args->value[OPT_JSON] != NULL)
		status = print_json(a);
	else if (err == SG_OK && status == EXIT_GOOD &&
		 (html == NULL || args->value[OPT_TEXT] != NULL))
		err = account_print(a, SHEET_TEXT, stdout);
	return err == SG_OK ? status : auditor_trouble(err_text(err));
}

/* Two documents on one output would be none. */
static const char *clash(const struct args *args)
{
	const char *html = args->value[OPT_HTML];
	const int outputs = (html != NULL && strcmp(html, "-") == 0) +
			    (args->value[OPT_TEXT] != NULL) +
			    (args->value[OPT_JSON] != NULL);

	if (args->n != 1)
		return "one log is needed: a directory or a URL";
	return outputs > 1 ? "--text, --json or --html -: only one can go to "
			     "standard output"
			   : NULL;
}

static int run(const struct args *args)
{
	struct filter period = {0};
	struct account a = {.where = args->rest[0], .made_ms = clock_wall_ms()};
	struct survey *survey = NULL;
	struct walk *walk = NULL;
	char why[WHY_MAX] = "";
	uint64_t gap = SURVEY_GAP_S;
	enum sg_err err;
	int status;

	if (clash(args) != NULL)
		return auditor_trouble(clash(args));
	if (args->value[OPT_GAP] != NULL &&
	    !args_number(args->value[OPT_GAP], 1, GAP_MAX_S, &gap))
		return auditor_trouble("--gap: not a number of seconds");
	err = filter_read(args, OPT_FILTER, &period, why, sizeof(why));
	if (err == SG_OK)
		err = survey_create(period.from_ms, period.to_ms,
				    (int64_t)gap * MS, &survey);
	if (err == SG_OK)
		err = walk_open(args, OPT_WALK, a.where, &walk, why);
	if (err == SG_OK)
		err = walk_run(walk, &period.index, count_one, survey, why);
	if (err == SG_OK) {
		a.survey = survey;
		a.head = walk_head(walk);
		a.selected = period.index.n > 0;
		status = print(args, &a);
	} else {
		status =
			walk_trouble(err, why[0] != '\0' ? why : err_text(err));
	}
	walk_close(walk);
	survey_free(survey);
	filter_clear(&period);
	return status;
}

const struct command AUDIT_REPORT_COMMAND = {
	"report",
	"[OPTIONS] LOG",
	"report on a period: who signed what, how much, by which key and "
	"policy",
	"HTML for the browser and for paper (one file, no scripts), text, or "
	"JSON.\nAll entries are read, as they are not in the order of time to "
	"the second; every\nbundle is proven against the log's signed "
	"checkpoint.\n",
	OPTIONS,
	OPT_REPORT,
	run,
};
