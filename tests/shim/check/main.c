/* SPDX-License-Identifier: Apache-2.0 */
/* shim-check SPEC: is it one that the module understands?  For quickstart. */
#include <stdio.h>

#include "shim/spec.h"

int main(int argc, char *argv[])
{
	char why[SPEC_WHY_MAX];
	struct spec spec;

	if (argc != 2) {
		(void)fputs("usage: shim-check SPEC\n", stderr);
		return 2;
	}
	if (spec_parse(argv[1], &spec, why) == SG_OK)
		return 0;
	(void)fprintf(stderr, "shim-check: %s\n", why);
	return 1;
}
