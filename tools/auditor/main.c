/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

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

COMMANDS(COMMAND_DECLARE)

static const struct command *const TABLE[] = {COMMANDS(COMMAND_ADDRESS) NULL};

int main(int argc, char *argv[])
{
	const struct command_program program = {
		.name = "signer-auditor",
		.version = SIGNERD_VERSION,
		.about = "For auditors: check the signed log of a signing "
			 "server, and what it says.",
		.status = "1 a check failed, 2 usage, configuration or no "
			  "connection.",
		.column = 12,
		.curl = true,
		.commands = TABLE,
	};

	return command_main(&program, argc, argv);
}
