/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the subject that officers want in a certificate request. */
#include <openssl/x509.h>
#include <stdlib.h>

#include "hcert/dsc.h"
#include "pkcs11/csr.h"
#include "pkcs11/unconst.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An Ed25519 key (RFC 8410 s. 10.1). */
static const uint8_t SPKI[] = {
	0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21,
	0x00, 0x19, 0xbf, 0x44, 0x09, 0x69, 0x84, 0xcd, 0xfe, 0x85, 0x41,
	0xba, 0xc1, 0x67, 0xdc, 0x3b, 0x96, 0xc8, 0x50, 0x86, 0xaa, 0x30,
	0xb6, 0xb6, 0xcb, 0x0c, 0x5c, 0x38, 0xad, 0x70, 0x31, 0x66, 0xe1};

/* The request has the subject as it was given, and no signature of zeros. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zeros[COSE_EDDSA_BYTES];
	const unsigned kinds = size > 0 ? data[0] % (DCC_ALL_KINDS + 1) : 0;
	const struct span subject =
		size > 0 ? span_of(data + 1, size - 1) : span_of(data, 0);
	X509_REQ *req;
	struct span out;

	if (csr_begin(subject, span_of(SPKI, sizeof(SPKI)), kinds, COSE_EDDSA,
		      &req) != SG_OK)
		return 0;
	if (kinds == 0 || subject.n == 0)
		abort();
	if (csr_message(req, &out) == SG_OK)
		OPENSSL_free(unconst(out.p));
	if (csr_finish(req, COSE_EDDSA, span_of(zeros, sizeof(zeros)), &out) ==
	    SG_OK)
		abort();
	X509_REQ_free(req);
	return 0;
}
