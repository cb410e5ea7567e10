/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <curl/curl.h>
#include <string.h>

#include "base/memory.h"

int command_trouble(const char *program, const char *why)
{
	(void)fprintf(stderr, "%s: %s\n", program, why);
	return EXIT_TROUBLE;
}

static void print_usage(const struct command_program *p, FILE *to)
{
	(void)fprintf(to,
		      "usage: %s COMMAND [OPTIONS] ...\n\n%s\n\ncommands:\n",
		      p->name, p->about);
	for (size_t i = 0; p->commands[i] != NULL; i++)
		(void)fprintf(to, "  %-*s%s\n", p->column, p->commands[i]->name,
			      p->commands[i]->about);
	(void)fprintf(to,
		      "\n\"%s COMMAND --help\" tells more; \"--version\" "
		      "prints the version.\nExit status: 0 good, %s\n",
		      p->name, p->status);
}

static void print_command_help(const struct command_program *p,
			       const struct command *c)
{
	printf("usage: %s %s %s\n\n%s\n\noptions:\n", p->name, c->name,
	       c->usage, c->about);
	args_help(stdout, c->options, c->noptions);
	if (c->more != NULL)
		printf("\n%s", c->more);
}

static int run_command(const struct command_program *p, const struct command *c,
		       int argc, char *argv[])
{
	struct args args;
	int status;

	if (args_parse(c->options, c->noptions, argc, argv, &args) != SG_OK) {
		(void)command_trouble(p->name, args.why);
		(void)fprintf(stderr, "Try \"%s %s --help\".\n", p->name,
			      c->name);
		return EXIT_TROUBLE;
	}
	if (args.value[OPT_HELP] != NULL) {
		print_command_help(p, c);
		return EXIT_GOOD;
	}
	status = c->run(&args);
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_trouble(p->name,
				       "cannot write to standard output");
	return status;
}

static int run_with_curl(const struct command_program *p,
			 const struct command *c, int argc, char *argv[])
{
	int status;

	if (!p->curl)
		return run_command(p, c, argc, argv);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return command_trouble(p->name, "cannot initialise libcurl");
	status = run_command(p, c, argc, argv);
	curl_global_cleanup();
	return status;
}

int command_main(const struct command_program *p, int argc, char *argv[])
{
	/* First of all.  A "no" may accuse an officer, a server or its log. */
	(void)memory_watch();
	if (argc < 2) {
		print_usage(p, stderr);
		return EXIT_TROUBLE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_usage(p, stdout);
		return EXIT_GOOD;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("%s %s\n", p->name, p->version);
		return EXIT_GOOD;
	}
	for (size_t i = 0; p->commands[i] != NULL; i++)
		if (strcmp(argv[1], p->commands[i]->name) == 0)
			return run_with_curl(p, p->commands[i], argc - 2,
					     argv + 2);
	(void)fprintf(stderr, "%s: there is no command \"%s\"\n\n", p->name,
		      argv[1]);
	print_usage(p, stderr);
	return EXIT_TROUBLE;
}
