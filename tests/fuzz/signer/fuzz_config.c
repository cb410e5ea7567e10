/* SPDX-License-Identifier: Apache-2.0 */
/* signerd.yaml, which an operator's tool may have written. */
#include "config.h"

/* The fuzzer's name for it. */
/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct faults faults;
	struct config *c;

	faults = (struct faults){0};
	if (config_parse(span_of(data, size), "fuzz.yaml", "/base", &c,
			 &faults) != SG_OK)
		return 0;
	/* What is accepted names its processes and keys consistently. */
	if (faults.n != 0 || config_hsm_of(c, 0) == NULL ||
	    config_hsm_of(c, config_hsm_slots(c)) != NULL || c->core.nkeys == 0)
		__builtin_trap();
	config_free(c);
	return 0;
}
