/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TLS_CRLS_H
#define SG_TLS_CRLS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

/*
 * tls_crls: how new the CRLs of a file are, so that an older one of the same
 * issuer is seen.  Zeroed: none.  Pure.
 */
enum {
	TLS_CRLS = 64,		/* issuers; further ones are not compared */
	TLS_CRL_NUMBER_MAX = 20 /* bytes: RFC 5280, 5.2.3 */
};

struct tls_crls {
	size_t n;
	struct tls_crl {
		uint8_t issuer[DIGEST_BYTES];
		bool numbered;
		uint8_t number[TLS_CRL_NUMBER_MAX]; /* big-endian */
		int64_t from; /* thisUpdate, seconds since 1970 */
	} of[TLS_CRLS];
};

/* CRL, whose thisUpdate is FROM, is among them; of several by one issuer the
 * newest counts. */
void tls_crls_add(struct tls_crls *c, const X509_CRL *crl, int64_t from);
/* Has C an older CRL than THAN of some issuer?  By their numbers, or by their
 * times where one has no number. */
bool tls_crls_older(const struct tls_crls *c, const struct tls_crls *than);

#endif /* SG_TLS_CRLS_H */
