/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "officer.h"

/* A command a line, in the order of --help; each is in the file of its name,
 * but for show.c: signer-issuer has a SHOW, too, and tests link both. */
#define COMMANDS(X)                                                            \
	X(KEYS)                                                                \
	X(PROPOSE)                                                             \
	X(SHOW_OPERATION)                                                      \
	X(APPROVE)                                                             \
	X(JOIN)                                                                \
	X(DROP)                                                                \
	X(APPLY)                                                               \
	X(CSR)                                                                 \
	X(STOP)                                                                \
	X(VKEY)                                                                \
	X(RECOVER)                                                             \
	X(REVOKE)                                                              \
	X(RULES)                                                               \
	X(VALUESETS)

COMMANDS(COMMAND_DECLARE)

static const struct command *const TABLE[] = {COMMANDS(COMMAND_ADDRESS) NULL};

int main(int argc, char *argv[])
{
	const struct command_program program = {
		.name = "signer-officer",
		.version = SIGNERD_VERSION,
		.about = "For security officers: sign what only they may "
			 "decide.",
		.status = "1 a check failed or signerd refused, 2 usage, a "
			  "file that cannot be used, or no connection.",
		.column = 11,
		.curl = true,
		.commands = TABLE,
	};

	return command_main(&program, argc, argv);
}
