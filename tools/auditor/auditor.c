/* SPDX-License-Identifier: Apache-2.0 */
#include "auditor.h"

int auditor_trouble(const char *why)
{
	return command_trouble("signer-auditor", why);
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
