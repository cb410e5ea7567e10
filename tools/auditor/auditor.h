/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_AUDITOR_H
#define SG_TOOLS_AUDITOR_H

#include "source.h"
#include "tools/common/command.h"

/* auditor: signer-auditor, a command a file. */

/* Options of commands that read a log, which may be a server's, behind the
 * common ones. */
enum { OPT_CERT = OPT_COMMON, OPT_KEY, OPT_CA, OPT_LOG };

/* clang-format off */
#define LOG_OPTIONS                                                            \
	[OPT_CERT] = {"cert", "FILE", "SIGNER_CERT",                           \
		      "the client's certificate, PEM"},                        \
	[OPT_KEY] = {"key", "FILE", "SIGNER_KEY", "its private key, PEM"},     \
	[OPT_CA] = {"ca", "FILE", "SIGNER_CA", "CA of the server, PEM"}
/* clang-format on */

/* Print "signer-auditor: WHY" on standard error; returns EXIT_TROUBLE. */
int auditor_trouble(const char *why);
/* How to reach the log WHERE (a directory or a URL), as ARGS say it. */
struct source_settings auditor_source(const struct args *args,
				      const char *where);

#endif /* SG_TOOLS_AUDITOR_H */
