/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a statement of revocation: what is read is written the same. */
#include <stdlib.h>

#include "ledger/revocation.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again[REVOCATION_TEXT_MAX];
	struct revocation r;
	unsigned count;
	size_t n;

	if (revocation_check_list(span_of(data, size), &count) == SG_OK &&
	    (count == 0 || count > size / REVOCATION_HASH_BYTES))
		abort();
	if (revocation_parse(span_of(data, size), &r) != SG_OK)
		return 0;
	if (revocation_text(&r, again, sizeof(again), &n) != SG_OK ||
	    !span_eq(span_of(again, n), span_of(data, size)))
		abort();
	return 0;
}
