/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_AUDITOR_H
#define SG_TOOLS_AUDITOR_H

#include "source.h"
#include "tools/common/args.h"

/* auditor: signer-auditor, a command a file. */

enum {
	EXIT_GOOD = 0,
	EXIT_REFUSED = 1, /* a check failed */
	EXIT_TROUBLE = 2  /* usage, configuration, no connection */
};

enum { WHY_MAX = 512 /* bytes of a reason */ };

/* Options that all commands have, at these indexes of their tables. */
enum {
	OPT_HELP,
	OPT_JSON,
	OPT_COMMON, /* their number */
	/* Of commands that read a log, which may be a server's: */
	OPT_CERT = OPT_COMMON,
	OPT_KEY,
	OPT_CA,
	OPT_LOG
};

/* clang-format off */
#define COMMON_OPTIONS                                                         \
	[OPT_HELP] = {"help", NULL, NULL, "show this help"},                   \
	[OPT_JSON] = {"json", NULL, NULL, "print the result as JSON"}
#define LOG_OPTIONS                                                            \
	[OPT_CERT] = {"cert", "FILE", "SIGNER_CERT",                           \
		      "the client's certificate, PEM"},                        \
	[OPT_KEY] = {"key", "FILE", "SIGNER_KEY", "its private key, PEM"},     \
	[OPT_CA] = {"ca", "FILE", "SIGNER_CA", "CA of the server, PEM"}
/* clang-format on */

struct auditor_command {
	const char *name;
	const char *usage; /* what follows the name */
	const char *about; /* one line */
	const char *more;  /* lines below the options, or NULL */
	const struct arg_option *options;
	size_t noptions;
	int (*run)(const struct args *args);
};

/* Print "signer-auditor: WHY" on standard error; returns EXIT_TROUBLE. */
int auditor_trouble(const char *why);
/* How to reach the log WHERE (a directory or a URL), as ARGS say it. */
struct source_settings auditor_source(const struct args *args,
				      const char *where);

#endif /* SG_TOOLS_AUDITOR_H */
