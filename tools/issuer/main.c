/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "issuer.h"

static const struct command *const COMMANDS[] = {
	&ISSUE_COMMAND, &BULK_COMMAND, &VALIDATE_COMMAND, &VERIFY_COMMAND,
	&SHOW_COMMAND,	&QR_COMMAND,   &RECEIPT_COMMAND,
};
enum { NCOMMANDS = sizeof(COMMANDS) / sizeof(COMMANDS[0]) };

static void print_usage(FILE *to)
{
	(void)fputs(
		"usage: signer-issuer COMMAND [OPTIONS] ...\n\n"
		"For issuance backends: have health certificates signed, and "
		"look at them.\n\ncommands:\n",
		to);
	for (size_t i = 0; i < NCOMMANDS; i++)
		(void)fprintf(to, "  %-10s%s\n", COMMANDS[i]->name,
			      COMMANDS[i]->about);
	(void)fputs(
		"\n\"signer-issuer COMMAND --help\" tells more; \"--version\" "
		"prints the version.\n"
		"Exit status: 0 good, 1 a check failed or a record was "
		"refused, "
		"2 usage,\nconfiguration or no connection.\n",
		to);
}

static void print_command_help(const struct command *c)
{
	printf("usage: signer-issuer %s %s\n\n%s\n\noptions:\n", c->name,
	       c->usage, c->about);
	args_help(stdout, c->options, c->noptions);
	if (c->more != NULL)
		printf("\n%s", c->more);
}

static int run_command(const struct command *c, int argc, char *argv[])
{
	struct args args;
	int status;

	if (args_parse(c->options, c->noptions, argc, argv, &args) != SG_OK) {
		trouble(args.why);
		(void)fprintf(stderr, "Try \"signer-issuer %s --help\".\n",
			      c->name);
		return EXIT_TROUBLE;
	}
	if (args.value[OPT_HELP] != NULL) {
		print_command_help(c);
		return EXIT_GOOD;
	}
	status = c->run(&args);
	if (fflush(stdout) != 0 || ferror(stdout))
		return trouble("cannot write to standard output");
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
		puts("signer-issuer " SIGNERD_VERSION);
		return EXIT_GOOD;
	}
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (strcmp(argv[1], COMMANDS[i]->name) != 0)
			continue;
		if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
			return trouble("cannot initialise libcurl");
		status = run_command(COMMANDS[i], argc - 2, argv + 2);
		curl_global_cleanup();
		return status;
	}
	(void)fprintf(stderr, "signer-issuer: there is no command \"%s\"\n\n",
		      argv[1]);
	print_usage(stderr);
	return status;
}
