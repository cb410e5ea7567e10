/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "report.h"
#include "submit.h"

static const struct arg_option OPTIONS[OPT_SUBMIT] = {
	COMMON_OPTIONS,
	ONLINE_OPTIONS,
	SUBMIT_OPTIONS,
};

static int say_verdict(const struct https_reply *reply, bool json)
{
	json_t *j = report_parse(reply);
	int status = reply->status == 200 ? EXIT_GOOD : EXIT_REFUSED;

	if (j == NULL && reply->status == 200) {
		status = trouble("the server's answer is not a verdict");
	} else if (json && j != NULL) {
		report_raw(stdout, reply);
	} else if (reply->status == 200) {
		puts("accepted");
		report_violations(stdout, json_object_get(j, "warnings"));
	} else {
		report_problem(stdout, reply->status, j);
	}
	json_decref(j);
	return status;
}

static int run(const struct args *args)
{
	struct https_reply reply;
	char why[WHY_MAX];
	int status;

	if (submit_record(args, "/v1/validations", "application/json", &reply,
			  why) != SG_OK)
		return trouble(why);
	status = say_verdict(&reply, args->value[OPT_JSON] != NULL);
	free(reply.body);
	return status;
}

const struct command VALIDATE_COMMAND = {
	.name = "validate",
	.usage = "[OPTIONS] FILE.json",
	.about = "ask whether a record would be signed; nothing is signed",
	.more = "FILE.json holds a request {\"dcc\": ...} or the bare payload; "
		"- is standard input.\n",
	.options = OPTIONS,
	.noptions = OPT_SUBMIT,
	.run = run,
};
