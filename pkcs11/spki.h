/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SPKI_H
#define SG_SPKI_H

#include "base/err.h"
#include "base/span.h"

/*
 * spki: a SubjectPublicKeyInfo (RFC 5280 s. 4.1.2.7) from the attributes of a
 * PKCS #11 public key object.  Pure.
 * Owns: *OUT is the caller's; OPENSSL_free() of its pointer.
 * Errors: SG_BAD_KEY when the attributes make no such key, SG_NO_MEMORY.
 */

/* A P-256 key of CKA_EC_POINT: an uncompressed point in a DER OCTET STRING, as
 * the standard has it, or bare, as some modules do. */
SG_MUST_USE enum sg_err spki_p256(struct span point, struct span *out);
/* An Ed25519 key (RFC 8410) of CKA_EC_POINT: 32 bytes, wrapped or bare. */
SG_MUST_USE enum sg_err spki_ed25519(struct span point, struct span *out);
/* An RSA key of CKA_MODULUS and CKA_PUBLIC_EXPONENT, big-endian. */
SG_MUST_USE enum sg_err spki_rsa(struct span modulus, struct span exponent,
				 struct span *out);

#endif /* SG_SPKI_H */
