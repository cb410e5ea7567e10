/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_ARGS_H
#define SG_TOOLS_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/*
 * args: the command line of the tools, table-driven, so that --help cannot
 * differ from what is read.  Long options only: "--name VALUE",
 * "--name=VALUE", "--flag"; "--" ends them; they may stand among the other
 * arguments.
 */
enum {
	ARGS_OPTIONS_MAX = 40,
	ARGS_REST_MAX = 64,
	ARGS_MANY_MAX = 16,
	ARGS_WHY_MAX = 160
};

struct arg_option {
	const char *name;  /* without the dashes; NULL: no option at all */
	const char *value; /* what to call its value; NULL: a flag.  Of one
			      option in a table it may end with "...": that one
			      may be given several times */
	const char *env; /* variable read when the option is absent, or NULL */
	const char *help;
};

struct args {
	/* By index of the table; NULL: absent; a flag that is set: "". */
	const char *value[ARGS_OPTIONS_MAX];
	/* All values of the option that may be given several times. */
	size_t nmany;
	const char *many[ARGS_MANY_MAX];
	size_t n; /* other arguments */
	const char *rest[ARGS_REST_MAX];
	char why[ARGS_WHY_MAX]; /* what is wrong */
};

/*
 * Read ARGC words of ARGV (the command's own name not among them) by TABLE of
 * N options.  Strings of OUT lie in ARGV and in the environment.
 * Errors: SG_CONFIG with OUT->why: unknown or repeated option, missing
 * or unwanted value, too many arguments.
 */
SG_MUST_USE enum sg_err args_parse(const struct arg_option *table, size_t n,
				   int argc, char *const argv[],
				   struct args *out);
/* Print the options of TABLE, a line or two each. */
void args_help(FILE *to, const struct arg_option *table, size_t n);
/* A decimal number MIN..MAX; false if TEXT is anything else. */
bool args_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif /* SG_TOOLS_ARGS_H */
