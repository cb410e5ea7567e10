/* SPDX-License-Identifier: Apache-2.0 */
/* The core's list of signing keys, with the certificates in it, in each form
 * that a verifier may ask for. */
#include "front/keys.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "hcert/cbor.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_BYTES = 1 << 18 };

/* What is written is JSON, or one item of CBOR; CBOR is IN as it came. */
static void check(enum media form, struct span in, struct span out)
{
	const struct cbor_limits limits = {.depth = 16, .items = 1 << 16};
	json_t *j;

	/* Jansson takes no NUL in a member's name. */
	if ((form == MEDIA_JSON || form == MEDIA_JWK_SET) &&
	    memmem(out.p, out.n, "\\u0000", 6) == NULL) {
		j = json_loadb((const char *)out.p, out.n,
			       JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
		if (j == NULL)
			abort();
		json_decref(j);
	}
	if (form == MEDIA_COSE_KEY_SET && cbor_check(out, limits) != SG_OK)
		abort();
	if (form == MEDIA_CBOR && !span_eq(in, out))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum media form[] = {MEDIA_JSON, MEDIA_CBOR, MEDIA_PEM,
					  MEDIA_COSE_KEY_SET, MEDIA_JWK_SET};
	static uint8_t out[OUT_BYTES];
	size_t n;

	for (size_t i = 0; i < sizeof(form) / sizeof(form[0]); i++)
		if (keys_write(form[i], span_of(data, size), out, sizeof(out),
			       &n) == SG_OK)
			check(form[i], span_of(data, size), span_of(out, n));
	return 0;
}
