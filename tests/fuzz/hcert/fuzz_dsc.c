/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a document signer certificate and as a public key. */
#include <stdlib.h>

#include "hcert/dsc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No key verifies a signature of zeros (a point of small order might, for
 * EdDSA, under a key that is one too). */
static void use(struct cose_key *key)
{
	static const uint8_t zeros[COSE_SIG_MAX];
	const enum cose_alg alg = cose_key_alg(key);
	const size_t n = cose_key_sig_bytes(key);

	if (alg == COSE_NONE || n == 0 || n > sizeof(zeros))
		abort();
	if (cose_key_verify(key, alg, SPAN_LIT("x"), span_of(zeros, n)) ==
		    SG_OK &&
	    alg != COSE_EDDSA)
		abort();
	cose_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);
	struct cose_key *key;
	struct dsc dsc;

	if (dsc_read(in, &dsc) == SG_OK &&
	    (dsc.kinds == 0 || dsc.kinds > DCC_ALL_KINDS))
		abort();
	if (cose_key_from_certificate(in, &key) == SG_OK)
		use(key);
	if (cose_key_from_spki(in, &key) == SG_OK)
		use(key);
	return 0;
}
