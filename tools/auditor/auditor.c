/* SPDX-License-Identifier: Apache-2.0 */
#include "auditor.h"

#include <stdio.h>

int auditor_trouble(const char *why)
{
	(void)fprintf(stderr, "signer-auditor: %s\n", why);
	return EXIT_TROUBLE;
}

struct source_settings auditor_source(const struct args *args,
				      const char *where)
{
	return (struct source_settings){
		.where = where,
		.cert = args->value[OPT_CERT],
		.key = args->value[OPT_KEY],
		.ca = args->value[OPT_CA],
	};
}
