/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_STREAMING_H
#define SG_TOOLS_STREAMING_H

#include "engine.h"
#include "submit.h"

/* streaming: what the commands that send many records have in common. */

/* Their options, beside the online ones and those of single records. */
enum {
	OPT_CONNECTIONS = OPT_SUBMIT,
	OPT_WINDOW,
	OPT_RETRIES,
	OPT_GIVE_UP,
	OPT_STALL,
	OPT_QUIET,
	OPT_STREAMING
};

/* clang-format off */
#define STREAMING_OPTIONS                                                      \
	[OPT_CONNECTIONS] = {"connections", "N", NULL,                         \
			     "connections to the server, 1 to 64 (1)"},        \
	[OPT_WINDOW] = {"window", "N", NULL,                                   \
			"records under way on each, 1 to 100000 (2000)"},      \
	[OPT_RETRIES] = {"retries", "N", NULL,                                 \
			 "times to send a record again while others "          \
			 "get through (8)"},                                   \
	[OPT_GIVE_UP] = {"give-up", "SECONDS", NULL,                           \
			 "how long nothing may get through (300)"},            \
	[OPT_STALL] = {"stall", "SECONDS", NULL,                               \
		       "silence after which a connection is given up (150)"},  \
	[OPT_QUIET] = {"quiet", NULL, NULL, "show no progress"}
/* clang-format on */

/* Read these options.  Errors: SG_CONFIG with WHY (WHY_MAX). */
SG_MUST_USE enum sg_err streaming_settings(const struct args *args,
					   struct engine_settings *out,
					   char *why);
/* From here on SIGINT and SIGTERM set engine_stop, once; a second one ends the
 * process. */
void streaming_catch_signals(void);

#endif /* SG_TOOLS_STREAMING_H */
