/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a COSE_Sign1: what decodes lies in the input, and survives
 * being encoded by us. */
#include <stdlib.h>

#include "hcert/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_lie_in(struct span in, struct span part)
{
	if (part.n > 0 && (part.p < in.p || part.p + part.n > in.p + in.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);
	struct cose_sign1 a;
	struct cose_sign1 b;
	uint8_t *again;
	size_t n;

	if (cose_sign1_decode(in, &a) != SG_OK)
		return 0;
	must_lie_in(in, a.prot);
	must_lie_in(in, a.unprotected);
	must_lie_in(in, a.payload);
	must_lie_in(in, a.signature);
	must_lie_in(in, a.kid);
	if (cose_sign1_encode(a.prot, a.payload, a.signature, NULL, 0, &n) !=
	    SG_TOO_BIG)
		abort(); /* it is never empty */
	again = malloc(n);
	if (again == NULL)
		return 0;
	if (cose_sign1_encode(a.prot, a.payload, a.signature, again, n, &n) !=
		    SG_OK ||
	    cose_sign1_decode(span_of(again, n), &b) != SG_OK ||
	    !span_eq(a.prot, b.prot) || !span_eq(a.payload, b.payload) ||
	    !span_eq(a.signature, b.signature))
		abort();
	free(again);
	return 0;
}
