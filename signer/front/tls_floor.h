/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TLS_FLOOR_H
#define SG_TLS_FLOOR_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * tls_floor: how strong the keys of clients and of their CAs must be.  Hashes
 * and all else are OpenSSL's security level (tls_context.c).  Pure.
 */
enum { TLS_FLOOR_TEXT = 96 };

struct tls_floor {
	uint32_t rsa_bits; /* 0: any */
	uint32_t ec_bits;  /* of the curve, EdDSA's too; 0: any */
};

/* May the key of CERT be used?  If not, TEXT gets what it is and what is
 * asked for: safe for the log. */
bool tls_floor_allows(const struct tls_floor *f, X509 *cert,
		      char text[TLS_FLOOR_TEXT]);

#endif /* SG_TLS_FLOOR_H */
