/* SPDX-License-Identifier: Apache-2.0 */
/* What a library does that uses OpenSSL before main(): from then on nobody can
 * put another allocator in the place of its own. */
#include <openssl/crypto.h>

__attribute__((constructor)) static void use_it(void)
{
	OPENSSL_free(OPENSSL_malloc(1));
}
