/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as records one after the other; and as the body of one, whose
 * frame is right.  What is decoded is encoded to the same bytes. */
#include <stdlib.h>

#include "ledger/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes of the record at the beginning of IN; 0: there is none. */
static size_t one(struct span in)
{
	static uint8_t again[RECORD_BYTES_MAX];
	struct record r;
	size_t used;
	size_t n;

	if (record_decode(in, &r, &used) != SG_OK)
		return 0;
	if (used > in.n ||
	    record_encode(&r, again, sizeof(again), &n) != SG_OK || n != used ||
	    memcmp(again, in.p, n) != 0)
		abort();
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	uint8_t *framed;
	size_t n;

	while ((n = one(in)) > 0)
		in = span_of(in.p + n, in.n - n);
	if (size == 0)
		return 0;
	framed = malloc(RECORD_HEAD_BYTES + size);
	if (framed == NULL)
		return 0;
	memcpy(framed + RECORD_HEAD_BYTES, data, size);
	record_frame(framed, size);
	(void)one(span_of(framed, RECORD_HEAD_BYTES + size));
	free(framed);
	return 0;
}
