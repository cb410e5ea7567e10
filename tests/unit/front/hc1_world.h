/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HC1_WORLD_H
#define HC1_WORLD_H

/* A certificate to renew.  Include after cmocka.h. */
#include "hcert/cose.h"
#include "hcert/cwt.h"
#include "hcert/hc1.h"

/* The HC1 text of a certificate with {"ver": "1.3.0"}. */
static inline const char *hc1(void)
{
	static char out[512];
	static const uint8_t signature[64] = {1};
	const struct cwt_claims claims = {.dcc = SPAN_LIT("\xa1\x63"
							  "ver\x65"
							  "1.3.0")};
	uint8_t cwt[64];
	uint8_t cose[256];
	struct deflate *d;
	size_t n;

	assert_int_equal(cwt_encode(&claims, cwt, sizeof(cwt), &n), SG_OK);
	assert_int_equal(cose_sign1_encode(SPAN_LIT("\xa1\x01\x26"),
					   span_of(cwt, n),
					   span_of(signature, 64), cose,
					   sizeof(cose), &n),
			 SG_OK);
	assert_int_equal(deflate_create(&d), SG_OK);
	assert_int_equal(
		hc1_encode(d, span_of(cose, n), out, sizeof(out) - 1, &n),
		SG_OK);
	deflate_free(d);
	out[n] = '\0';
	return out;
}

#endif /* HC1_WORLD_H */
