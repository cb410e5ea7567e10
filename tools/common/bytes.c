/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <assert.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"

const char *bytes_base64(const uint8_t *p, size_t n, char *out)
{
	out[base64_encode(span_of(p, n), BASE64_STANDARD, out)] = '\0';
	return out;
}

/* LEN characters at TEXT, as many as N bytes take before their padding. */
static bool parse_base64(const char *text, size_t len, uint8_t *out, size_t n)
{
	char padded[BYTES_BASE64(BYTES_MAX)];
	uint8_t raw[BYTES_BASE64(BYTES_MAX)];
	const size_t full = base64_encoded_bytes(n);
	size_t got;

	memset(padded, '=', full);
	for (size_t i = 0; i < len; i++)
		padded[i] = (char)(text[i] == '-'   ? '+'
				   : text[i] == '_' ? '/'
						    : text[i]);
	if (!base64_decode(span_of(padded, full), raw, &got) || got != n)
		return false;
	memcpy(out, raw, n);
	return true;
}

bool bytes_parse(const char *text, uint8_t *out, size_t n)
{
	const size_t given = strlen(text);
	size_t len = given;

	assert(n > 4 && n <= BYTES_MAX);
	if (given == 2 * n)
		return hex_decode(text, out, n);
	while (len > 0 && text[len - 1] == '=')
		len--;
	if (len != (4 * n + 2) / 3 ||
	    (given != len && given != base64_encoded_bytes(n)))
		return false;
	return parse_base64(text, len, out, n);
}
