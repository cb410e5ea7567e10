/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

const char *bytes_hex(const uint8_t *p, size_t n, char *out)
{
	static const char DIGITS[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = DIGITS[p[i] >> 4];
		out[2 * i + 1] = DIGITS[p[i] & 0xf];
	}
	out[2 * n] = '\0';
	return out;
}

const char *bytes_base64(const uint8_t *p, size_t n, char *out)
{
	assert(n <= BYTES_MAX);
	(void)EVP_EncodeBlock((uint8_t *)out, p, (int)n);
	return out;
}

int bytes_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool parse_hex(const char *text, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const int high = bytes_digit(text[2 * i]);
		const int low = bytes_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* TEXT has as many characters as N bytes take, LEN of them before padding. */
static bool parse_base64(const char *text, size_t len, uint8_t *out, size_t n)
{
	uint8_t padded[BYTES_BASE64(BYTES_MAX)];
	uint8_t raw[BYTES_MAX + 3];
	char again[BYTES_BASE64(BYTES_MAX)];
	const size_t full = BYTES_BASE64(n) - 1;

	memset(padded, '=', full);
	for (size_t i = 0; i < len; i++)
		padded[i] = (uint8_t)(text[i] == '-'   ? '+'
				      : text[i] == '_' ? '/'
						       : text[i]);
	if (EVP_DecodeBlock(raw, padded, (int)full) < 0)
		return false;
	/* One text a value: no white space within, no bits left over. */
	(void)bytes_base64(raw, n, again);
	if (memcmp(again, padded, full) != 0)
		return false;
	memcpy(out, raw, n);
	return true;
}

bool bytes_parse(const char *text, uint8_t *out, size_t n)
{
	const size_t given = strlen(text);
	size_t len = given;

	assert(n > 0 && n <= BYTES_MAX);
	if (given == 2 * n)
		return parse_hex(text, out, n);
	while (len > 0 && text[len - 1] == '=')
		len--;
	if (len != (4 * n + 2) / 3 ||
	    (given != len && given != BYTES_BASE64(n) - 1))
		return false;
	return parse_base64(text, len, out, n);
}
