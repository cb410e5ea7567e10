/* SPDX-License-Identifier: Apache-2.0 */
/* Apart from the rest: the transport needs it without the routes. */
#include <jansson.h>
#include <stdlib.h>

#include "api.h"

enum sg_err api_create(struct api **out)
{
	struct api *a = calloc(1, sizeof(*a));

	*out = NULL;
	if (a == NULL)
		return SG_NO_MEMORY;
	if (deflate_create(&a->deflate) != SG_OK) {
		free(a);
		return SG_NO_MEMORY;
	}
	TAILQ_INIT(&a->hungry);
	/* Now, and not at the first request, when a sandbox may stand between
	 * jansson and its random seed: it keeps hostile keys from colliding. */
	json_object_seed(0);
	*out = a;
	return SG_OK;
}

void api_free(struct api *a)
{
	if (a == NULL)
		return;
	deflate_free(a->deflate);
	dcc_scratch_clear(&a->dcc);
	free(a);
}
