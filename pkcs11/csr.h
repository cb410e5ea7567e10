/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CSR_H
#define SG_CSR_H

#include "forge.h"

/*
 * Make the certificate request of TASK (WIRE_TASK_CSR): PKCS #10 (RFC 2986) for
 * the key of its label, which must be TASK's public key, with its subject, key
 * usage digitalSignature (critical) and, unless it signs all three kinds, the
 * extended key usages of its kinds; signed in the HSM, and verified.  *OUT gets
 * the request and the public key.
 */
void csr_make(struct forge *f, const struct wire_forge *task,
	      struct forged *out);

/*
 * The parts of it that need no HSM; pure.
 *
 * The request without its signature.  Owns: *OUT is the caller's, X509_REQ_free
 * of OpenSSL.  Errors: SG_MALFORMED (the subject), SG_BAD_KEY, SG_INTERNAL.
 */
struct X509_req_st;
SG_MUST_USE enum sg_err csr_begin(struct span subject, struct span spki,
				  unsigned kinds, enum cose_alg alg,
				  struct X509_req_st **out);
/* What of it is signed, in DER.  Owns: OPENSSL_free().  Errors: SG_INTERNAL. */
SG_MUST_USE enum sg_err csr_message(struct X509_req_st *req, struct span *out);
/* Put SIGNATURE, in COSE form, into REQ, verify it, and encode.  Owns: as
 * above.  Errors: SG_BAD_SIGNATURE, SG_INTERNAL. */
SG_MUST_USE enum sg_err csr_finish(struct X509_req_st *req, enum cose_alg alg,
				   struct span signature, struct span *out);

#endif /* SG_CSR_H */
