/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "auditor.h"

/* A command a line, in the order of --help; each is in the file of its name. */
#define COMMANDS(X)                                                            \
	X(AUDIT_VERIFY)                                                        \
	X(AUDIT_MIRROR)                                                        \
	X(AUDIT_PROVE)                                                         \
	X(AUDIT_RECEIPT)                                                       \
	X(AUDIT_LIST)                                                          \
	X(AUDIT_EXPORT)                                                        \
	X(AUDIT_REPORT)                                                        \
	X(AUDIT_REVOCATIONS)

#define X(id) extern const struct auditor_command id##_COMMAND;
COMMANDS(X)
#undef X

static const struct auditor_command *const TABLE[] = {
#define X(id) &id##_COMMAND,
	COMMANDS(X)
#undef X
		NULL,
};

static void print_usage(FILE *to)
{
	(void)fputs(
		"usage: signer-auditor COMMAND [OPTIONS] ...\n\n"
		"For auditors: check the signed log of a signing server, and "
		"what it says.\n\ncommands:\n",
		to);
	for (size_t i = 0; TABLE[i] != NULL; i++)
		(void)fprintf(to, "  %-12s%s\n", TABLE[i]->name,
			      TABLE[i]->about);
	(void)fputs(
		"\n\"signer-auditor COMMAND --help\" tells more; \"--version\" "
		"prints the version.\n"
		"Exit status: 0 good, 1 a check failed, 2 usage, configuration "
		"or no connection.\n",
		to);
}

static void print_command_help(const struct auditor_command *c)
{
	printf("usage: signer-auditor %s %s\n\n%s\n\noptions:\n", c->name,
	       c->usage, c->about);
	args_help(stdout, c->options, c->noptions);
	if (c->more != NULL)
		printf("\n%s", c->more);
}

static int run_command(const struct auditor_command *c, int argc, char *argv[])
{
	struct args args;
	int status;

	if (args_parse(c->options, c->noptions, argc, argv, &args) != SG_OK) {
		auditor_trouble(args.why);
		(void)fprintf(stderr, "Try \"signer-auditor %s --help\".\n",
			      c->name);
		return EXIT_TROUBLE;
	}
	if (args.value[OPT_HELP] != NULL) {
		print_command_help(c);
		return EXIT_GOOD;
	}
	status = c->run(&args);
	if (fflush(stdout) != 0 || ferror(stdout))
		return auditor_trouble("cannot write to standard output");
	return status;
}

int main(int argc, char *argv[])
{
	int status = EXIT_TROUBLE;

	if (argc < 2) {
		print_usage(stderr);
		return EXIT_TROUBLE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_usage(stdout);
		return EXIT_GOOD;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("signer-auditor " SIGNERD_VERSION);
		return EXIT_GOOD;
	}
	for (size_t i = 0; TABLE[i] != NULL; i++) {
		if (strcmp(argv[1], TABLE[i]->name) != 0)
			continue;
		if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
			return auditor_trouble("cannot initialise libcurl");
		status = run_command(TABLE[i], argc - 2, argv + 2);
		curl_global_cleanup();
		return status;
	}
	(void)fprintf(stderr, "signer-auditor: there is no command \"%s\"\n\n",
		      argv[1]);
	print_usage(stderr);
	return status;
}
