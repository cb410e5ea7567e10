/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway.h"

enum sg_err gateway_verify(const struct verifier *key,
			   const struct attestation *a)
{
	uint8_t tbs[ATTESTATION_TBS_MAX];
	size_t n;
	const enum sg_err err =
		attestation_tbs(a->prot, a->claims, tbs, sizeof(tbs), &n);

	if (err != SG_OK)
		return err;
	return cose_key_verify(key->key, a->alg, span_of(tbs, n), a->signature);
}
