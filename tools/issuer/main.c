/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "issuer.h"

static const struct command *const COMMANDS[] = {
	&ISSUE_COMMAND,	 &BULK_COMMAND, &RENEW_COMMAND, &VALIDATE_COMMAND,
	&VERIFY_COMMAND, &SHOW_COMMAND, &QR_COMMAND,	&RECEIPT_COMMAND,
	&ATTEST_COMMAND, NULL,
};

int main(int argc, char *argv[])
{
	const struct command_program program = {
		.name = "signer-issuer",
		.version = SIGNERD_VERSION,
		.about = "For issuance backends: have health certificates "
			 "signed, and look at them.",
		.status = "1 a check failed or a record was refused, 2 usage,\n"
			  "configuration or no connection.",
		.column = 10,
		.curl = true,
		.commands = COMMANDS,
	};

	return command_main(&program, argc, argv);
}
