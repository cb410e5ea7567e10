/* SPDX-License-Identifier: Apache-2.0 */
#include "mechanism.h"

enum { SHA256_BYTES = 32 };

/* RFC 8230 s. 2: PS256 has SHA-256 twice and a salt as long as the digest. */
static CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256,
				     COSE_PS256_SALT};
static CK_MECHANISM es256 = {CKM_ECDSA, NULL, 0};
static CK_MECHANISM ps256 = {CKM_RSA_PKCS_PSS, &pss, sizeof(pss)};
static CK_MECHANISM eddsa = {CKM_EDDSA, NULL, 0}; /* Ed25519 without context */

CK_MECHANISM *mechanism_of(enum cose_alg alg)
{
	switch (alg) {
	case COSE_ES256: return &es256;
	case COSE_PS256: return &ps256;
	case COSE_EDDSA: return &eddsa;
	case COSE_ES384:
	case COSE_NONE: break;
	}
	return NULL;
}

CK_MECHANISM_TYPE mechanism_type(enum cose_alg alg)
{
	const CK_MECHANISM *m = mechanism_of(alg);

	return m != NULL ? m->mechanism : CKM_VENDOR_DEFINED;
}

CK_KEY_TYPE mechanism_key_type(enum cose_alg alg)
{
	switch (alg) {
	case COSE_ES256: return CKK_EC;
	case COSE_PS256: return CKK_RSA;
	case COSE_EDDSA: return CKK_EC_EDWARDS;
	case COSE_ES384:
	case COSE_NONE: break;
	}
	return CKK_VENDOR_DEFINED;
}

bool mechanism_takes(enum cose_alg alg, struct span tbs)
{
	switch (alg) {
	case COSE_ES256:
	case COSE_PS256: return tbs.n == SHA256_BYTES;
	case COSE_EDDSA: return tbs.n > 0;
	case COSE_ES384:
	case COSE_NONE: break;
	}
	return false;
}
