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

#define X(id) extern const struct command id##_COMMAND;
COMMANDS(X)
#undef X

static const struct command *const TABLE[] = {
#define X(id) &id##_COMMAND,
	COMMANDS(X)
#undef X
		NULL,
};

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
