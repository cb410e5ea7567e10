/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the subject that officers want in a certificate request.  The
 * first byte says for which kinds and by which sort of key. */
#include <openssl/x509.h>
#include <stdlib.h>

#include "../../unit/core/pki.h"
#include "hcert/dsc.h"
#include "pkcs11/csr.h"
#include "pkcs11/unconst.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* What is to be signed, signed; a digest of it where the key signs one. */
static size_t sign(const struct signer *s, struct span message,
		   uint8_t sig[COSE_SIG_MAX])
{
	uint8_t digest[32];

	if (s->alg == COSE_EDDSA)
		return signer_sign(s, message, sig);
	must(EVP_Digest(message.p, message.n, digest, NULL, EVP_sha256(),
			NULL) == 1);
	return signer_sign(s, span_of(digest, sizeof(digest)), sig);
}

static bool has_subject(const X509_REQ *req, struct span subject)
{
	uint8_t *der = NULL;
	const int n = i2d_X509_NAME(X509_REQ_get_subject_name(req), &der);
	const bool same = n > 0 && span_eq(span_of(der, (size_t)n), subject);

	OPENSSL_free(der);
	return same;
}

/* The request has the subject as it was given, its key's signature, and no
 * signature of zeros. */
static void finish(const struct signer *s, X509_REQ *req, struct span subject)
{
	static const uint8_t zeros[COSE_SIG_MAX];
	uint8_t sig[COSE_SIG_MAX];
	struct span message;
	struct span out;
	const uint8_t *at;
	X509_REQ *back;
	size_t n;

	must(csr_message(req, &message) == SG_OK);
	n = sign(s, message, sig);
	OPENSSL_free(unconst(message.p));
	must(csr_finish(req, s->alg, span_of(zeros, n), &out) != SG_OK);
	must(csr_finish(req, s->alg, span_of(sig, n), &out) == SG_OK);
	at = out.p;
	back = d2i_X509_REQ(NULL, &at, (long)out.n);
	must(back != NULL && at == out.p + out.n);
	must(X509_REQ_verify(back, s->key) == 1 && has_subject(back, subject));
	X509_REQ_free(back);
	OPENSSL_free(unconst(out.p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum cose_alg algs[] = {COSE_EDDSA, COSE_ES256,
					     COSE_PS256};
	static struct signer signer[3];
	const unsigned kinds = size > 0 ? data[0] % (DCC_ALL_KINDS + 1) : 0;
	const size_t sort = size > 0 ? data[0] / (DCC_ALL_KINDS + 1) % 3 : 0;
	const struct span subject =
		size > 0 ? span_of(data + 1, size - 1) : span_of(data, 0);
	struct signer *s = &signer[sort];
	X509_REQ *req;

	if (s->key == NULL)
		*s = signer_usual(algs[sort]);
	if (csr_begin(subject, span_of(s->spki, (size_t)s->spki_n), kinds,
		      s->alg, &req) != SG_OK)
		return 0;
	must(kinds != 0 && subject.n > 0);
	finish(s, req, subject);
	X509_REQ_free(req);
	return 0;
}
