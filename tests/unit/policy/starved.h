/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_STARVED_H
#define SG_TEST_STARVED_H

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>

/* For the tests: OpenSSL gets no memory as long as STARVED says so. */
static bool starved;

static inline void *starved_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return starved ? NULL : malloc(n);
}

static inline void *starved_realloc(void *p, size_t n, const char *file,
				    int line)
{
	(void)file;
	(void)line;
	return starved ? NULL : realloc(p, n);
}

static inline void starved_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* First of all in main(): OpenSSL must have nothing yet.  False: it has. */
static inline bool starved_install(void)
{
	return CRYPTO_set_mem_functions(starved_malloc, starved_realloc,
					starved_free) == 1;
}

#endif /* SG_TEST_STARVED_H */
