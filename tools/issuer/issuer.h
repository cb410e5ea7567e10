/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_ISSUER_H
#define SG_TOOLS_ISSUER_H

#include "tools/common/command.h"
#include "tools/common/https.h"
#include "tools/common/keyset.h"

/* issuer: signer-issuer, a command a file.  One thread. */

/* Options of commands that talk to the server, behind the common ones. */
enum { OPT_SERVER = OPT_COMMON, OPT_CERT, OPT_KEY, OPT_CA, OPT_ONLINE };

/* clang-format off */
#define ONLINE_OPTIONS                                                         \
	[OPT_SERVER] = {"server", "URL", "SIGNER_SERVER",                      \
			"the signing server, https://host:port"},              \
	[OPT_CERT] = {"cert", "FILE", "SIGNER_CERT",                           \
		      "the client's certificate, PEM"},                        \
	[OPT_KEY] = {"key", "FILE", "SIGNER_KEY", "its private key, PEM"},     \
	[OPT_CA] = {"ca", "FILE", "SIGNER_CA", "CA of the server, PEM"}
/* clang-format on */

extern const struct command ISSUE_COMMAND;
extern const struct command BULK_COMMAND;
extern const struct command RENEW_COMMAND;
extern const struct command VALIDATE_COMMAND;
extern const struct command VERIFY_COMMAND;
extern const struct command SHOW_COMMAND;
extern const struct command QR_COMMAND;
extern const struct command RECEIPT_COMMAND;
extern const struct command ATTEST_COMMAND;

/* Print "signer-issuer: WHY" on standard error; returns EXIT_TROUBLE. */
int trouble(const char *why);

/* Open the server that ARGS name.  As https_open(). */
SG_MUST_USE enum sg_err online_open(const struct args *args, struct https **out,
				    char *why, size_t cap);

#endif /* SG_TOOLS_ISSUER_H */
