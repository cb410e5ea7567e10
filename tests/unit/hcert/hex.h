/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_HEX_H
#define SG_TEST_HEX_H

#include <stdlib.h>

#include "base/hex.h"
#include "base/span.h"

enum { HEX_TURNS = 512 };

/* The bytes of TEXT in hexadecimal, spaces between them or not, in a block of
 * just their size, so that a read past the end is seen.  Good for HEX_TURNS
 * calls; hex_free() at the end. */
static uint8_t *hex_block[HEX_TURNS];

static inline struct span hex(const char *text)
{
	static unsigned turn;
	const size_t most = strlen(text) / 2;
	uint8_t **block = &hex_block[turn++ % HEX_TURNS];
	size_t n = 0;

	free(*block);
	*block = malloc(most > 0 ? most : 1);
	if (*block == NULL)
		abort();
	for (const char *p = text; *p != '\0';) {
		if (*p == ' ') {
			p++;
			continue;
		}
		if (!hex_decode(p, *block + n++, 1))
			abort();
		p += 2;
	}
	*block = realloc(*block, n > 0 ? n : 1);
	if (*block == NULL)
		abort();
	return span_of(*block, n);
}

static inline int hex_free(void **state)
{
	(void)state;
	for (size_t i = 0; i < HEX_TURNS; i++)
		free(hex_block[i]);
	return 0;
}

#endif /* SG_TEST_HEX_H */
