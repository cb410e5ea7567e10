/* SPDX-License-Identifier: Apache-2.0 */
#include "request_id.h"

#include <stdio.h>

enum {
	MS_PER_CONNECTION = 4,
	DIGIT_BITS = 5,
	DIGIT_MASK = 31,
	DIGITS = 9, /* of slot and connection: 44 bits, and one that is 0 */
	SLOTS = 64
};

#define REQUESTS_MASK ((UINT64_C(1) << REQUEST_ID_REQUESTS) - 1)
#define CONNECTIONS_MASK ((UINT64_C(1) << REQUEST_ID_CONNECTIONS) - 1)

static uint64_t name_of(uint64_t slot, uint64_t connection)
{
	return (slot << REQUEST_ID_CONNECTIONS |
		(connection & CONNECTIONS_MASK))
	       << REQUEST_ID_REQUESTS;
}

uint64_t request_id_begin(unsigned slot, int64_t wall_ms)
{
	/* A front in slot 0 at the beginning of 1970 has a name, too. */
	return name_of(slot % SLOTS, (uint64_t)wall_ms / MS_PER_CONNECTION | 1);
}

uint64_t request_id_connection(uint64_t id)
{
	return id & ~REQUESTS_MASK;
}

uint64_t request_id_next_connection(uint64_t connection)
{
	const uint64_t both = connection >> REQUEST_ID_REQUESTS;

	return name_of(both >> REQUEST_ID_CONNECTIONS, both + 1);
}

uint64_t request_id_next(uint64_t last)
{
	const uint64_t n = (last & REQUESTS_MASK) + 1;

	return (last & ~REQUESTS_MASK) | (n > REQUESTS_MASK ? 1 : n);
}

const char *request_id_text(uint64_t id, uint32_t line,
			    char text[REQUEST_ID_TEXT])
{
	/* Crockford's: none that is taken for another one. */
	static const char digit[] = "0123456789abcdefghjkmnpqrstvwxyz";
	const unsigned request = (unsigned)(id & REQUESTS_MASK);
	uint64_t rest = id >> REQUEST_ID_REQUESTS;
	char connection[DIGITS + 1] = {0};
	int n;

	for (int i = DIGITS - 1; i >= 0; i--) {
		connection[i] = digit[rest & DIGIT_MASK];
		rest >>= DIGIT_BITS;
	}
	n = snprintf(text, REQUEST_ID_TEXT, "%s", id != 0 ? connection : "-");
	if (request != 0)
		n += snprintf(text + n, REQUEST_ID_TEXT - (size_t)n, ".%u",
			      request);
	if (line != 0)
		(void)snprintf(text + n, REQUEST_ID_TEXT - (size_t)n, ":%u",
			       line);
	return text;
}
