/* SPDX-License-Identifier: Apache-2.0 */
#include "child_env.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const PASSED[] = {"PATH",	     "LANG",
				     "TZ",	     "CREDENTIALS_DIRECTORY",
				     "ASAN_OPTIONS", "UBSAN_OPTIONS",
				     "TSAN_OPTIONS", "LSAN_OPTIONS"};
_Static_assert(sizeof(PASSED) / sizeof(PASSED[0]) == CHILD_ENV_PASSED,
	       "there is room for each");

/* With libcrypto a software token frees more pieces of one size in a signature
 * than the C library keeps at hand, which is seven. */
static char hsm_malloc[] = "GLIBC_TUNABLES=glibc.malloc.tcache_count=127";

void child_env_make(struct child_env *env, enum wire_role role)
{
	size_t n = 0;

	for (size_t i = 0; i < CHILD_ENV_PASSED; i++) {
		/* The supervisor has one thread. */
		/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
		const char *value = getenv(PASSED[i]);
		int len;

		if (value == NULL)
			continue;
		len = snprintf(env->text[n], CHILD_ENV_TEXT, "%s=%s", PASSED[i],
			       value);
		if (len > 0 && len < CHILD_ENV_TEXT) {
			env->at[n] = env->text[n];
			n++;
		}
	}
	if (role == WIRE_HSM)
		env->at[n++] = hsm_malloc;
	env->at[n] = NULL;
}
