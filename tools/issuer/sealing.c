/* SPDX-License-Identifier: Apache-2.0 */
#include "sealing.h"

#include <limits.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum sg_err sealing_reference(struct span key, struct span id,
			      uint8_t out[SEALING_REFERENCE_BYTES])
{
	unsigned n = 0;

	if (key.n < SEALING_HMAC_KEY_MIN || key.n > INT_MAX)
		return SG_BAD_KEY;
	if (HMAC(EVP_sha256(), key.p, (int)key.n, id.p, id.n, out, &n) ==
		    NULL ||
	    n != SEALING_REFERENCE_BYTES)
		return SG_INTERNAL;
	return SG_OK;
}

enum sg_err sealing_seal(const struct signing_key *key,
			 const struct attestation_claims *claims,
			 uint8_t out[ATTESTATION_BYTES_MAX], size_t *n)
{
	uint8_t prot[COSE_PROTECTED_MAX];
	uint8_t payload[ATTESTATION_CLAIMS_MAX];
	uint8_t tbs[ATTESTATION_TBS_MAX];
	uint8_t signature[COSE_SIG_MAX];
	size_t prot_n;
	size_t payload_n;
	size_t signature_n;
	enum sg_err err;

	err = cose_protected(signing_key_alg(key), signing_key_kid(key), prot,
			     sizeof(prot), &prot_n);
	if (err == SG_OK)
		err = attestation_claims_encode(claims, payload,
						sizeof(payload), &payload_n);
	if (err == SG_OK)
		err = attestation_tbs(span_of(prot, prot_n),
				      span_of(payload, payload_n), tbs,
				      sizeof(tbs), n);
	if (err != SG_OK)
		return err;
	err = signing_key_sign(key, span_of(tbs, *n), signature, &signature_n);
	if (err != SG_OK)
		return err;
	return cose_sign1_encode(
		span_of(prot, prot_n), span_of(payload, payload_n),
		span_of(signature, signature_n), out, ATTESTATION_BYTES_MAX, n);
}
