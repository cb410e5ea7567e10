/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_COMMAND_H
#define SG_TOOLS_COMMAND_H

#include <stdbool.h>

#include "args.h"

/*
 * command: the frame of a program whose first word is a command: what they all
 * do about --help, --version, a wrong word and a full disk.  One thread.
 */
enum {
	EXIT_GOOD = 0,
	EXIT_REFUSED = 1, /* a check failed, a record was refused */
	EXIT_TROUBLE = 2  /* usage, configuration, no connection */
};

enum { WHY_MAX = 512 /* bytes of a reason */ };

/* Options that all commands have, at these indexes of their tables. */
enum { OPT_HELP, OPT_JSON, OPT_COMMON };

/* clang-format off */
#define COMMON_OPTIONS                                                         \
	[OPT_HELP] = {"help", NULL, NULL, "show this help"},                   \
	[OPT_JSON] = {"json", NULL, NULL, "print the result as JSON"}
/* clang-format on */

struct command {
	const char *name;
	const char *usage; /* what follows the name */
	const char *about; /* one line */
	const char *more;  /* lines below the options, or NULL */
	const struct arg_option *options;
	size_t noptions;
	int (*run)(const struct args *args);
};

/* For a program's list of them, COMMANDS(X) with an X(NAME) each:
 * COMMANDS(COMMAND_DECLARE), and COMMANDS(COMMAND_ADDRESS) in its table. */
#define COMMAND_DECLARE(id) extern const struct command id##_COMMAND;
#define COMMAND_ADDRESS(id) &id##_COMMAND,

struct command_program {
	const char *name; /* "signer-issuer" */
	const char *version;
	const char *about;  /* one line */
	const char *status; /* what exit statuses 1 and 2 mean */
	int column;	    /* where --help says what the commands do */
	bool curl;	    /* they need libcurl */
	const struct command *const *commands; /* NULL ends them */
};

/* Print "PROGRAM: WHY" on standard error; returns EXIT_TROUBLE. */
int command_trouble(const char *program, const char *why);
/* Run the command that ARGV names.  Returns the exit status. */
int command_main(const struct command_program *p, int argc, char *argv[]);

#endif /* SG_TOOLS_COMMAND_H */
