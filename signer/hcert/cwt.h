/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CWT_H
#define SG_CWT_H

#include "base/err.h"
#include "base/span.h"

/* Claim keys: RFC 8392 s. 3.1 and hcert-spec s. 3.3. */
enum { CWT_ISS = 1, CWT_EXP = 4, CWT_NBF = 5, CWT_IAT = 6, CWT_HCERT = -260 };
enum { CWT_HCERT_DCC = 1 }; /* key inside -260: the EU DCC payload */

struct cwt_claims {
	struct span iss; /* text; n is 0 when absent */
	bool has_exp, has_nbf, has_iat;
	int64_t exp, nbf, iat; /* seconds since 1970 */
	struct span dcc; /* encoded payload at -260/1; n is 0 when absent */
};

/*
 * Encode {1: ISS, 4: EXP, 6: IAT, -260: {1: DCC}} deterministically; ISS is
 * left out when empty, and no NBF is written.  DCC is copied as it stands: it
 * must be one encoded item.  *LEN: bytes needed, also on SG_TOO_BIG.  Pure.
 */
SG_MUST_USE enum sg_err cwt_encode(const struct cwt_claims *claims,
				   uint8_t *out, size_t cap, size_t *len);

/*
 * Decode a CWT that anybody wrote (lax CBOR; times as integers or as floats,
 * as RFC 8392 allows; tag 61 passed).  Other claims are passed over.
 * Errors: SG_MALFORMED, SG_DUPLICATE_KEY.
 */
SG_MUST_USE enum sg_err cwt_decode(struct span in, struct cwt_claims *out);

#endif /* SG_CWT_H */
