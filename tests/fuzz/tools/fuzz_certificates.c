/* SPDX-License-Identifier: Apache-2.0 */
/* A file of certificates that somebody verifies by, in PEM or in DER. */
#include <stdlib.h>

#include "tools/common/keyset.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyset set = {0};
	const enum sg_err err =
		keyset_add(&set, span_of(data, size), "a rather long name");

	if (err == SG_OK && set.n == 0)
		abort();
	for (size_t i = 0; i < set.n; i++)
		if (set.key[i].name[0] == '\0')
			abort();
	keyset_clear(&set);
	return 0;
}
