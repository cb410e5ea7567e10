/* SPDX-License-Identifier: Apache-2.0 */
/* The header fields that the API reads: Accept, Content-Type and
 * Accept-Language. */
#include <stdlib.h>

#include "front/media.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span field = span_of(data, size);
	enum media offers[MEDIA_NONE];
	int i;

	for (i = 0; i < MEDIA_NONE; i++)
		offers[i] = (enum media)i;
	i = media_negotiate(field, offers, MEDIA_NONE);
	if (i >= MEDIA_NONE)
		abort();
	/* What is chosen of all is chosen alone. */
	if (i >= 0 && media_negotiate(field, &offers[i], 1) != 0)
		abort();
	if (media_of(field) > MEDIA_NONE)
		abort();
	(void)media_prefers_vietnamese(field);
	return 0;
}
