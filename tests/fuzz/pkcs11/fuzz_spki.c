/* SPDX-License-Identifier: Apache-2.0 */
/* What a PKCS #11 module says that a public key is.  The first byte says of
 * which kind, the second how long the modulus is, of an RSA key.  What is taken
 * is a key to OpenSSL too. */
#include <openssl/x509.h>
#include <stdlib.h>

#include "pkcs11/spki.h"
#include "pkcs11/unconst.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 2, KINDS = 3, UNIT = 2 /* bytes of a modulus */ };

static void check(enum sg_err err, struct span spki)
{
	const uint8_t *at = spki.p;
	EVP_PKEY *key;

	if (err != SG_OK)
		return;
	key = d2i_PUBKEY(NULL, &at, (long)spki.n);
	if (key == NULL || at != spki.p + spki.n)
		abort();
	EVP_PKEY_free(key);
	OPENSSL_free(unconst(spki.p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest;
	struct span out = {0};
	size_t n;

	if (size < HEAD)
		return 0;
	rest = span_of(data + HEAD, size - HEAD);
	n = (size_t)data[1] * UNIT < rest.n ? (size_t)data[1] * UNIT : rest.n;
	switch (data[0] % KINDS) {
	case 0: check(spki_p256(rest, &out), out); break;
	case 1: check(spki_ed25519(rest, &out), out); break;
	default:
		check(spki_rsa(span_of(rest.p, n),
			       span_of(rest.p + n, rest.n - n), &out),
		      out);
	}
	return 0;
}
