/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct digest {
	EVP_MD *sha256;
	EVP_MD_CTX *ctx;
};

enum sg_err digest_create(struct digest **out)
{
	struct digest *d = calloc(1, sizeof(*d));

	*out = NULL;
	if (d == NULL)
		return SG_NO_MEMORY;
	d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->ctx = EVP_MD_CTX_new();
	if (d->sha256 == NULL || d->ctx == NULL) {
		digest_free(d);
		return SG_NO_MEMORY;
	}
	*out = d;
	return SG_OK;
}

enum sg_err digest_sum(struct digest *d, struct span a, struct span b,
		       uint8_t out[DIGEST_BYTES])
{
	if (EVP_DigestInit_ex2(d->ctx, d->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(d->ctx, a.p, a.n) != 1 ||
	    EVP_DigestUpdate(d->ctx, b.p, b.n) != 1 ||
	    EVP_DigestFinal_ex(d->ctx, out, NULL) != 1)
		return SG_NO_MEMORY;
	return SG_OK;
}

void digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	EVP_MD_free(d->sha256);
	free(d);
}
