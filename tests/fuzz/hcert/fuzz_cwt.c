/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a CWT: the claims that are decoded survive being encoded. */
#include <stdlib.h>

#include "hcert/cwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cwt_claims a;
	struct cwt_claims b;
	uint8_t *again;
	size_t n;

	if (cwt_decode(span_of(data, size), &a) != SG_OK)
		return 0;
	if (cwt_encode(&a, NULL, 0, &n) != SG_TOO_BIG)
		abort(); /* it is never empty */
	again = malloc(n);
	if (again == NULL)
		return 0;
	if (cwt_encode(&a, again, n, &n) != SG_OK ||
	    cwt_decode(span_of(again, n), &b) != SG_OK ||
	    !span_eq(a.iss, b.iss) || !span_eq(a.dcc, b.dcc) ||
	    a.has_exp != b.has_exp || a.has_iat != b.has_iat ||
	    (a.has_exp && a.exp != b.exp) || (a.has_iat && a.iat != b.iat))
		abort();
	free(again);
	return 0;
}
