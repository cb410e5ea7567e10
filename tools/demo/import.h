/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DEMO_IMPORT_H
#define SG_DEMO_IMPORT_H

#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>

/*
 * import: a key pair that was made in software, onto a token.  For demos and
 * tests with a module that signs in software; a real key is made in the HSM.
 */
struct import {
	EVP_PKEY *pkey;	   /* P-256 or RSA */
	const char *label; /* CKA_LABEL */
	CK_BYTE id;	   /* CKA_ID */
};

/*
 * Make the token objects, by SESSION, which can write and is logged in.  The
 * private one can sign and nothing else.  Sets *PUBLIC.
 * Returns the module's value; CKR_GENERAL_ERROR for a key of another kind.
 */
CK_RV import_pair(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
		  const struct import *what, CK_OBJECT_HANDLE *public);

#endif /* SG_DEMO_IMPORT_H */
