/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "worker.h"

enum sg_err worker_environment(const struct worker_settings *s)
{
	for (size_t i = 0; i < s->nenv; i++) {
		char name[WORKER_PATH_MAX];
		const char *eq = strchr(s->env[i], '=');

		if (eq == NULL || eq == s->env[i])
			return SG_CONFIG;
		memcpy(name, s->env[i], (size_t)(eq - s->env[i]));
		name[eq - s->env[i]] = '\0';
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet */
		if (setenv(name, eq + 1, 1) != 0)
			return SG_NO_MEMORY;
	}
	return SG_OK;
}
