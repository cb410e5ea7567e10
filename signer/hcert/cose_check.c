/* SPDX-License-Identifier: Apache-2.0 */
/* The part of cose.h that doubts keys. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "cose.h"

enum { ED25519_BYTES = 32 }; /* RFC 8032 s. 5.1.5 */

/* The y (RFC 8032 s. 5.1.2) of points of order 8; of order 1, 2 and 4 it is 1,
 * -1 and 0, modulo 2^255 - 19. */
static const uint8_t ORDER_8[][ED25519_BYTES] = {
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
	 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
	 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
	 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
	 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

/* Is Y -1, 0 or 1 modulo 2^255 - 19, whichever way it is written? */
static bool is_trivial(const uint8_t y[ED25519_BYTES])
{
	const size_t last = ED25519_BYTES - 1;
	const bool high = y[1] == 0xFF;

	for (size_t i = 1; i < last; i++)
		if (y[i] != (high ? 0xFF : 0))
			return false;
	if (high)
		return y[last] == 0x7F && y[0] >= 0xEC && y[0] <= 0xEE;
	return y[last] == 0 && y[0] <= 1;
}

/* OpenSSL takes any Ed25519 key.  A point of small order is none: whoever
 * tries a few times finds signatures by it. */
static bool is_sound_ed25519(const EVP_PKEY *pkey)
{
	uint8_t y[ED25519_BYTES];
	size_t n = sizeof(y);

	if (EVP_PKEY_get_raw_public_key(pkey, y, &n) != 1 || n != sizeof(y))
		return false;
	y[n - 1] &= 0x7F; /* the sign of x */
	for (size_t i = 0; i < sizeof(ORDER_8) / sizeof(ORDER_8[0]); i++)
		if (memcmp(y, ORDER_8[i], n) == 0)
			return false;
	return !is_trivial(y);
}

/* With an RSA exponent of 1 anybody could sign. */
enum sg_err cose_key_check(struct span der)
{
	const unsigned char *p = der.p;
	EVP_PKEY *pkey =
		der.n <= LONG_MAX ? d2i_PUBKEY(NULL, &p, (long)der.n) : NULL;
	EVP_PKEY_CTX *ctx = NULL;
	enum sg_err err = SG_MALFORMED;

	if (pkey == NULL)
		goto done;
	err = SG_NO_MEMORY;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (ctx == NULL)
		goto done;
	if (EVP_PKEY_is_a(pkey, "ED25519"))
		err = is_sound_ed25519(pkey) ? SG_OK : SG_BAD_KEY;
	else
		err = EVP_PKEY_public_check(ctx) == 1 ? SG_OK : SG_BAD_KEY;
done:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return err;
}
