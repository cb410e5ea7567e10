/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the proof of a certificate.  What is taken is the proof that the
 * log made, of its entry 300 of 303, recorded at IAT: nothing else is signed.
 */
#include <stdlib.h>

#include "tools/common/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INDEX = 300, SIZE = 303, IAT = 1790000000 };

/* Those that test_receipt.c makes; the key is of one run of it. */
static char hc1[] =
	"HC1:NCFOXN%TSMAHN-HLSGZHH.*GS+HTOCCZG G22YK+/7BKLR.HS93LIAKM"
	"3QJ3SA3/-2F%5VR5YVBJZI:BB:H3J1D1I3-*TW C57DX5TMY2OD3TJCC8CYB"
	"JF0JEYI1DLZZLDT30EOX74+1011C21";
static const char VKEY[] =
	"log.test/one+06c99ec8+AbML4E/8xZnm2fLXUqxg2uEIsSxBM1ZV74PklN"
	"Qq0Fv/";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct receipt *r;
	static struct note_key key;
	const struct receipt_asked asked = {.hc1 = hc1};
	struct receipt_result result;

	if (r == NULL && (receipt_create(&r) != SG_OK ||
			  note_key_parse(span_str(VKEY), &key) != SG_OK))
		abort();
	if (receipt_check(r, &asked, span_of(data, size), &key, &result) &&
	    (result.index != INDEX || result.size != SIZE ||
	     result.entry.time_ms != (int64_t)IAT * 1000))
		abort();
	return 0;
}
