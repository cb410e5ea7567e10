/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_STARVED_H
#define SG_TEST_STARVED_H

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

/* For the tests: OpenSSL gets no memory as long as STARVED says so, or from an
 * allocation on that starved_after() counts. */
static bool starved;

static struct {
	bool on, once;
	_Atomic bool was; /* by any thread */
	_Atomic unsigned left;
} starving;

/* The allocation behind the next N fails; ONCE: no other one does. */
static inline void starved_after(unsigned n, bool once)
{
	starving.on = true;
	starving.once = once;
	starving.was = false;
	starving.left = n;
}

/* Has one failed since? */
static inline bool starved_was(void)
{
	return starving.was;
}

static inline void starved_end(void)
{
	starving.on = false;
}

static inline bool starved_now(void)
{
	if (starved)
		return true;
	if (!starving.on)
		return false;
	if (starving.left > 0) { /* where threads meet here, about that many */
		starving.left--;
		return false;
	}
	if (starving.once && starving.was)
		return false;
	starving.was = true;
	return true;
}

static inline void *starved_refused(void)
{
	memory_count_refused();
	return NULL;
}

static inline void *starved_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return starved_now() ? starved_refused() : malloc(n);
}

static inline void *starved_realloc(void *p, size_t n, const char *file,
				    int line)
{
	(void)file;
	(void)line;
	return starved_now() ? starved_refused() : realloc(p, n);
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
