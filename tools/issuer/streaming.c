/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming.h"

#include <inttypes.h>

static bool take_number(const struct args *args, size_t option,
			const char *name, const uint64_t range[2],
			uint64_t *out, char *why)
{
	if (args->value[option] == NULL ||
	    args_number(args->value[option], range[0], range[1], out))
		return true;
	(void)snprintf(why, WHY_MAX,
		       "--%s: not a number from %" PRIu64 " to %" PRIu64, name,
		       range[0], range[1]);
	return false;
}

enum sg_err streaming_settings(const struct args *args,
			       struct engine_settings *out, char *why)
{
	uint64_t streams = 1;
	uint64_t window = 2000;
	uint64_t retries = 8;
	uint64_t give_up = 300;
	uint64_t stall = 150;

	if (!take_number(args, OPT_CONNECTIONS, "connections",
			 (const uint64_t[]){1, 64}, &streams, why) ||
	    !take_number(args, OPT_WINDOW, "window",
			 (const uint64_t[]){1, 100000}, &window, why) ||
	    !take_number(args, OPT_RETRIES, "retries",
			 (const uint64_t[]){0, 1000}, &retries, why) ||
	    !take_number(args, OPT_GIVE_UP, "give-up",
			 (const uint64_t[]){1, 604800}, &give_up, why) ||
	    !take_number(args, OPT_STALL, "stall", (const uint64_t[]){1, 86400},
			 &stall, why))
		return SG_CONFIG;
	*out = (struct engine_settings){.streams = (unsigned)streams,
					.window = (size_t)window,
					.retries = (unsigned)retries,
					.give_up_s = give_up,
					.stall_s = stall};
	return SG_OK;
}

static void on_signal(int signal)
{
	(void)signal;
	engine_stop = 1;
}

void streaming_catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_signal,
				 .sa_flags = (int)SA_RESETHAND};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	(void)sigemptyset(&stop.sa_mask);
	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	/* OpenSSL writes to sockets that the server may have closed. */
	(void)sigaction(SIGPIPE, &ignore, NULL);
}
