/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "submit.h"
#include "tools/common/input.h"
#include "tools/common/times.h"

enum { OPT_FORM = OPT_SUBMIT, OPT_OUTPUT, NOPTIONS };

static const struct arg_option OPTIONS[NOPTIONS] = {
	COMMON_OPTIONS,
	ONLINE_OPTIONS,
	SUBMIT_OPTIONS,
	SIGNING_OPTIONS,
	[OPT_FORM] = {"form", "FORM", NULL,
		      "hc1 (default), svg, png, cose or json"},
	[OPT_OUTPUT] = {"output", "FILE", NULL,
			"write there, not to standard output"},
};

struct form {
	const char *name;
	const char *accept;
	bool json;   /* the answer is JSON */
	bool binary; /* not for terminals */
};

static const struct form FORMS[] = {
	{"hc1", "application/json", true, false},
	{"json", "application/json", true, false},
	{"svg", "image/svg+xml", false, false},
	{"png", "image/png", false, true},
	{"cose", "application/cose", false, true},
};

static const struct form *find_form(const char *name)
{
	for (size_t i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++)
		if (strcmp(FORMS[i].name, name) == 0)
			return &FORMS[i];
	return NULL;
}

static void say_time(const char *label, const json_t *t)
{
	char text[TIMES_TEXT];

	if (!json_is_integer(t))
		return;
	times_format((int64_t)json_integer_value(t), text);
	(void)fprintf(stderr, "  %-9s%s\n", label, text);
}

static void say_text(const char *label, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	(void)fprintf(stderr, "  %-9s", label);
	report_text(stderr, text);
	(void)fputc('\n', stderr);
}

/* What was issued, from the JSON answer; on standard error, so that standard
 * output is the certificate alone.  What tells of the person, too, where
 * somebody sits before it: a program's standard error is kept in logs. */
static void say_summary(const json_t *j)
{
	const json_t *ledger = json_object_get(j, "ledger");
	const json_t *index = json_object_get(ledger, "index");

	(void)fputs(json_is_true(json_object_get(j, "replayed"))
			    ? "issued before, given again\n"
			    : "issued\n",
		    stderr);
	if (isatty(STDERR_FILENO)) {
		say_text("id", json_string_value(json_object_get(j, "id")));
		say_text("uvci", json_string_value(json_object_get(j, "uvci")));
	}
	say_text("kid", json_string_value(json_object_get(j, "kid")));
	say_text("alg", json_string_value(json_object_get(j, "alg")));
	say_time("issued", json_object_get(j, "iat"));
	say_time("expires", json_object_get(j, "exp"));
	if (json_is_integer(index))
		(void)fprintf(stderr, "  %-9s%" JSON_INTEGER_FORMAT "\n",
			      "ledger", json_integer_value(index));
	report_violations(stderr, json_object_get(j, "warnings"));
}

static void say_headers(const struct https_reply *reply)
{
	char text[TIMES_TEXT];
	uint64_t exp;

	(void)fputs("issued\n", stderr);
	say_text("kid", reply->kid);
	if (args_number(reply->expires, 0, INT64_MAX, &exp)) {
		times_format((int64_t)exp, text);
		say_text("expires", text);
	}
	say_text("ledger", reply->index);
}

/* The certificate as JSON: print its HC1 text, or all of it. */
static int put_json(const struct https_reply *reply, const char *output,
		    bool whole)
{
	char why[WHY_MAX];
	json_t *j = report_parse(reply);
	const json_t *hcert = json_object_get(j, "hcert");
	enum sg_err err = SG_OK;
	char *text = NULL;

	if (!json_is_string(hcert)) {
		json_decref(j);
		(void)trouble("the server's answer is not a certificate");
		report_request(stderr, reply);
		return EXIT_TROUBLE;
	}
	if (whole) {
		err = output_bytes(output, reply->body, reply->n, why,
				   sizeof(why));
		if (err == SG_OK && output == NULL)
			(void)fputc('\n', stdout);
	} else {
		const size_t n = json_string_length(hcert);

		text = malloc(n + 2);
		if (text == NULL) {
			json_decref(j);
			return trouble(err_text(SG_NO_MEMORY));
		}
		memcpy(text, json_string_value(hcert), n);
		text[n] = '\n';
		err = output_bytes(output, text, n + 1, why, sizeof(why));
		if (err == SG_OK)
			say_summary(j);
	}
	free(text);
	json_decref(j);
	return err == SG_OK ? EXIT_GOOD : trouble(why);
}

static int put_form(const struct https_reply *reply, const char *output)
{
	char why[WHY_MAX];

	if (output_bytes(output, reply->body, reply->n, why, sizeof(why)) !=
	    SG_OK)
		return trouble(why);
	say_headers(reply);
	return EXIT_GOOD;
}

static int put_refusal(const struct https_reply *reply, bool json)
{
	json_t *j = report_parse(reply);

	if (json && j != NULL) {
		report_raw(stdout, reply);
		report_request(stderr, reply);
	} else {
		report_problem(stdout, reply, j);
	}
	json_decref(j);
	return EXIT_REFUSED;
}

static int run(const struct args *args)
{
	const bool json = args->value[OPT_JSON] != NULL;
	const char *output = args->value[OPT_OUTPUT];
	const char *name = args->value[OPT_FORM];
	const struct form *form = find_form(name != NULL ? name : "hc1");
	struct submit_to to = {.path = "/v1/certificates",
			       .operation = "issue"};
	struct https_reply reply;
	char why[WHY_MAX];
	int status;

	if (form == NULL)
		return trouble("--form: hc1, svg, png, cose or json");
	if (json && !form->json)
		return trouble("--json and --form ask for different things");
	if (form->binary && output == NULL && isatty(STDOUT_FILENO))
		return trouble("--output is missing: this form is binary");
	to.accept = form->accept;
	if (submit_record(args, &to, &reply, why) != SG_OK)
		return trouble(why);
	if (reply.status != 200)
		status = put_refusal(&reply, json);
	else if (form->json)
		status = put_json(&reply, output,
				  json || strcmp(form->name, "json") == 0);
	else
		status = put_form(&reply, output);
	free(reply.body);
	return status;
}

const struct command ISSUE_COMMAND = {
	.name = "issue",
	.usage = "[OPTIONS] FILE.json",
	.about = "have one certificate signed and print it",
	.more = "FILE.json holds a request {\"dcc\": ...} or the bare payload; "
		"- is standard input.\n"
		"The certificate goes to standard output, a summary to "
		"standard error.\n",
	.options = OPTIONS,
	.noptions = NOPTIONS,
	.run = run,
};
