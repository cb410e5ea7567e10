/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer.h"

#include <stdio.h>

int trouble(const char *why)
{
	return command_trouble("signer-issuer", why);
}

/* The options that a connection needs, and what stands in for them. */
static const struct {
	unsigned option;
	const char *name;
	const char *env;
} NEEDED[] = {
	{OPT_SERVER, "server", "SIGNER_SERVER"},
	{OPT_CERT, "cert", "SIGNER_CERT"},
	{OPT_KEY, "key", "SIGNER_KEY"},
};

enum sg_err online_open(const struct args *args, struct https **out, char *why,
			size_t cap)
{
	const struct https_settings settings = {
		.server = args->value[OPT_SERVER],
		.cert = args->value[OPT_CERT],
		.key = args->value[OPT_KEY],
		.ca = args->value[OPT_CA],
	};

	for (size_t i = 0; i < sizeof(NEEDED) / sizeof(NEEDED[0]); i++) {
		if (args->value[NEEDED[i].option] != NULL)
			continue;
		(void)snprintf(why, cap,
			       "--%s is missing; the variable %s may stand in "
			       "for it",
			       NEEDED[i].name, NEEDED[i].env);
		return SG_CONFIG;
	}
	return https_open(&settings, out, why, cap);
}
