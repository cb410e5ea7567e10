/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer.h"

#include <stdio.h>

int trouble(const char *why)
{
	(void)fprintf(stderr, "signer-issuer: %s\n", why);
	return EXIT_TROUBLE;
}

enum sg_err online_open(const struct args *args, struct https **out, char *why,
			size_t cap)
{
	const struct https_settings settings = {
		.server = args->value[OPT_SERVER],
		.cert = args->value[OPT_CERT],
		.key = args->value[OPT_KEY],
		.ca = args->value[OPT_CA],
	};

	return https_open(&settings, out, why, cap);
}
