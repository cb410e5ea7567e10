/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleaning.h"
#include "report.h"
#include "streaming.h"
#include "submit.h"

enum { OPT_CSV = OPT_STREAMING, OPT_FAULTS, OPT_VALIDATE };

static const struct arg_option OPTIONS[OPT_VALIDATE] = {
	COMMON_OPTIONS,
	ONLINE_OPTIONS,
	SUBMIT_OPTIONS,
	SIGNING_OPTIONS,
	STREAMING_OPTIONS,
	[OPT_CSV] = {"csv", NULL, NULL, "print the report as CSV"},
	[OPT_FAULTS] = {"faults", "FILE", NULL,
			"write a row (CSV) for each fault there"},
};

static int say_verdict(const struct https_reply *reply, bool json)
{
	json_t *j = report_parse(reply);
	int status = reply->status == 200 ? EXIT_GOOD : EXIT_REFUSED;

	if (j == NULL && reply->status == 200) {
		status = trouble("the server's answer is not a verdict");
		report_request(stderr, reply);
	} else if (json && j != NULL) {
		report_raw(stdout, reply);
		if (status == EXIT_REFUSED)
			report_request(stderr, reply);
	} else if (reply->status == 200) {
		puts("accepted");
		report_violations(stdout, json_object_get(j, "warnings"));
	} else {
		report_problem(stdout, reply, j);
	}
	json_decref(j);
	return status;
}

/* One record, and the answer in words. */
static int ask(const struct args *args, const struct span *text)
{
	static const struct submit_to to = {"/v1/validations",
					    "application/json", "validate"};
	struct https_reply reply;
	char why[WHY_MAX];
	int status;
	const enum sg_err err =
		text != NULL ? submit_text(args, *text, &to, &reply, why)
			     : submit_record(args, &to, &reply, why);

	if (err != SG_OK)
		return trouble(why);
	status = say_verdict(&reply, args->value[OPT_JSON] != NULL);
	free(reply.body);
	return status;
}

static int report(const struct args *args, struct lines *l)
{
	const struct cleaning_form form = {
		.csv = args->value[OPT_CSV] != NULL,
		.quiet = args->value[OPT_QUIET] != NULL,
		.faults = args->value[OPT_FAULTS],
	};
	struct engine_settings settings;
	char why[WHY_MAX];

	if (args->value[OPT_EXP] != NULL || args->value[OPT_ID] != NULL)
		return trouble("--exp and --id are for one record");
	if (streaming_settings(args, &settings, why) != SG_OK)
		return trouble(why);
	streaming_catch_signals();
	return cleaning_run(args, &settings, l, args->rest[0], &form);
}

/* One record or many?  Read on until that is clear. */
static int look(const struct args *args, struct lines *l)
{
	struct span text = {0};
	bool end = false;

	while (!end && text.n < LINES_LINE_MAX) {
		if (lines_peek(l, text.n + 1, &text, &end) != LINES_LINE)
			return trouble(lines_why(l));
		if (cleaning_is_many(text))
			return report(args, l);
	}
	if (text.n == 0)
		return trouble("the input holds no record");
	if (!end && lines_fd(l) == STDIN_FILENO)
		return trouble("the record is too long");
	/* A file is read again, whole. */
	return ask(args, lines_fd(l) == STDIN_FILENO ? &text : NULL);
}

static int run(const struct args *args)
{
	struct lines *l;
	char why[WHY_MAX];
	int status;

	if (args->n != 1)
		return trouble("give one file with the record or records, "
			       "or -");
	if (lines_open(args->rest[0], &l, why, sizeof(why)) != SG_OK)
		return trouble(why);
	if (args->value[OPT_CSV] != NULL || args->value[OPT_FAULTS] != NULL ||
	    cleaning_is_ndjson(args->rest[0]))
		status = report(args, l);
	else
		status = look(args, l);
	lines_close(l);
	return status;
}

const struct command VALIDATE_COMMAND = {
	.name = "validate",
	.usage = "[OPTIONS] FILE",
	.about = "ask whether records would be signed; nothing is signed",
	.more = "FILE holds one request {\"dcc\": ...} or bare payload, or "
		"many requests, one a line\n(.ndjson, also packed by gzip); - "
		"is standard input.  For many the answer is a\nreport for "
		"whoever cleans the data: what is wrong how often, in which "
		"fields, by\nwhich issuers and on which lines, and nothing of "
		"a person.\nAccepted means: by the policy that is in force for "
		"this client.\n",
	.options = OPTIONS,
	.noptions = OPT_VALIDATE,
	.run = run,
};
