/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_floor.h"

#include <openssl/evp.h>
#include <stdio.h>

struct kind {
	const char *name;
	const char *key; /* in signerd.yaml */
	uint32_t floor;
};

/* False: keys of its kind are for nobody. */
static bool kind_of(const struct tls_floor *f, EVP_PKEY *key, struct kind *out)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		*out = (struct kind){"RSA", "client_rsa_bits", f->rsa_bits};
		return true;
	case EVP_PKEY_EC:
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		*out = (struct kind){"EC", "client_ec_bits", f->ec_bits};
		return true;
	default: return false;
	}
}

bool tls_floor_allows(const struct tls_floor *f, X509 *cert,
		      char text[TLS_FLOOR_TEXT])
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	struct kind kind;
	int bits;

	if (key == NULL || !kind_of(f, key, &kind)) {
		(void)snprintf(text, TLS_FLOOR_TEXT,
			       "key is neither RSA nor EC nor EdDSA");
		return false;
	}
	bits = EVP_PKEY_get_bits(key);
	if (bits > 0 && (uint32_t)bits >= kind.floor)
		return true;
	(void)snprintf(text, TLS_FLOOR_TEXT,
		       "%s key of %d bits is too weak: tls.%s is %u", kind.name,
		       bits, kind.key, kind.floor);
	return false;
}
