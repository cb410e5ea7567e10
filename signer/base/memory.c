/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { PAGE_BYTES = 4096 }; /* at least */

static _Thread_local uint64_t refused;

uint64_t memory_refused(void)
{
	return refused;
}

void memory_count_refused(void)
{
	refused++;
}

static void *watched_malloc(size_t n, const char *file, int line)
{
	void *p = malloc(n);

	(void)file;
	(void)line;
	if (p == NULL)
		refused++;
	return p;
}

static void *watched_realloc(void *old, size_t n, const char *file, int line)
{
	void *p = realloc(old, n);

	(void)file;
	(void)line;
	if (p == NULL && n > 0)
		refused++;
	return p;
}

static void watched_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

void memory_take(void *p, size_t n)
{
	volatile char *byte = p;

	for (size_t at = 0; at < n; at += PAGE_BYTES)
		byte[at] = 0;
	if (n > 0)
		byte[n - 1] = 0;
}

bool memory_watch(void)
{
	return CRYPTO_set_mem_functions(watched_malloc, watched_realloc,
					watched_free) == 1;
}
