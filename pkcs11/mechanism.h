/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_MECHANISM_H
#define SG_MECHANISM_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

#include "base/span.h"
#include "hcert/cose.h"

/*
 * mechanism: our three algorithms in PKCS #11's terms.  Pure.
 */

/* CKM_ECDSA and CKM_RSA_PKCS_PSS take a SHA-256 digest, CKM_EDDSA the message
 * (PKCS #11 v2.40 mechanisms s. 2.3.6, 2.1.10; v3.0 s. 2.3.14). */
CK_MECHANISM_TYPE mechanism_type(enum cose_alg alg);
/* The CKA_KEY_TYPE that it needs. */
CK_KEY_TYPE mechanism_key_type(enum cose_alg alg);
/* The mechanism with its parameters.  Static; modules only read it. */
CK_MECHANISM *mechanism_of(enum cose_alg alg);
/* May TBS be given to that mechanism? */
bool mechanism_takes(enum cose_alg alg, struct span tbs);

#endif /* SG_MECHANISM_H */
