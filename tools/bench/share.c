/* SPDX-License-Identifier: Apache-2.0 */
#include "share.h"

#include <stddef.h>

enum { PLACES = 6 };

bool share_parse(const char *text, unsigned *out)
{
	unsigned value = 0;
	size_t places = 0;

	if (text[0] != '0' && text[0] != '1')
		return false;
	value = (unsigned)(text[0] - '0');
	text++;
	if (*text == '.') {
		text++;
		for (; *text >= '0' && *text <= '9' && places < PLACES;
		     text++, places++)
			value = value * 10 + (unsigned)(*text - '0');
		if (places == 0)
			return false;
	}
	for (; places < PLACES; places++)
		value *= 10;
	if (*text != '\0' || value > SHARE_ALL)
		return false;
	*out = value;
	return true;
}

uint64_t share_of(unsigned share, uint64_t n)
{
	/* N in two parts, so that nothing overflows. */
	return n / SHARE_ALL * share +
	       (n % SHARE_ALL * share + SHARE_ALL / 2) / SHARE_ALL;
}
