/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a certificate; the bytes themselves as base45 and as zlib; and
 * the bytes wrapped by us, which must come back. */
#include <stdlib.h>

#include "hcert/base45.h"
#include "hcert/hc1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t bytes[HC1_COSE_MAX];
static char text[HC1_TEXT_MAX];

/* Each value has one base45 form. */
static void check_base45(struct span in)
{
	size_t n;

	if (in.n > sizeof(text) ||
	    base45_decode(in, bytes, sizeof(bytes), &n) != SG_OK)
		return;
	n = base45_encode(span_of(bytes, n), text);
	if (!span_eq(span_of(text, n), in))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct deflate *d;
	const struct span in = span_of(data, size);
	size_t n;

	if (d == NULL && deflate_create(&d) != SG_OK)
		abort();
	if (hc1_decode(d, in, bytes, sizeof(bytes), &n) == SG_OK &&
	    n > sizeof(bytes))
		abort();
	if (inflate_zlib(d, in, bytes, sizeof(bytes), &n) == SG_OK &&
	    n > sizeof(bytes))
		abort();
	check_base45(in);
	if (size > HC1_COSE_MAX)
		return 0;
	if (hc1_encode(d, in, text, sizeof(text), &n) != SG_OK ||
	    hc1_decode(d, span_of(text, n), bytes, sizeof(bytes), &n) !=
		    SG_OK ||
	    !span_eq(span_of(bytes, n), in))
		abort();
	return 0;
}
