/* SPDX-License-Identifier: Apache-2.0 */
/* The identity of a client: what decodes is encoded to the same bytes. */
#include <stdlib.h>

#include "base/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[IDENTITY_BYTES_MAX];
	struct identity id;
	size_t n;

	if (identity_decode(span_of(data, size), &id) != SG_OK)
		return 0;
	if (identity_encode(&id, again, sizeof(again), &n) != SG_OK ||
	    !span_eq(span_of(again, n), span_of(data, size)))
		abort();
	return 0;
}
