/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "abcdefghijklmnopqrstuvwxyz0123456789-_";

enum { NOT_A_DIGIT = -1 };

size_t base64_encode(struct span in, enum base64_form form, char *out)
{
	const char *set = form == BASE64_URL ? URL : STANDARD;
	char *p = out;
	uint32_t v;
	size_t i = 0;
	size_t left;

	for (; in.n - i >= 3; i += 3) {
		v = (uint32_t)in.p[i] << 16 | (uint32_t)in.p[i + 1] << 8 |
		    in.p[i + 2];
		*p++ = set[v >> 18];
		*p++ = set[v >> 12 & 63];
		*p++ = set[v >> 6 & 63];
		*p++ = set[v & 63];
	}
	left = in.n - i;
	if (left == 0)
		return (size_t)(p - out);
	v = (uint32_t)in.p[i] << 16;
	if (left == 2)
		v |= (uint32_t)in.p[i + 1] << 8;
	*p++ = set[v >> 18];
	*p++ = set[v >> 12 & 63];
	if (left == 2)
		*p++ = set[v >> 6 & 63];
	for (size_t pad = left; form == BASE64_STANDARD && pad < 3; pad++)
		*p++ = '=';
	return (size_t)(p - out);
}

static int digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : NOT_A_DIGIT;
}

/* N digits (2 to 4) as bits from the top of 24; false at a foreign one. */
static bool group(const uint8_t *p, size_t n, uint32_t *v)
{
	int d;

	*v = 0;
	for (size_t i = 0; i < n; i++) {
		d = digit(p[i]);
		if (d == NOT_A_DIGIT)
			return false;
		*v |= (uint32_t)d << (18 - 6 * i);
	}
	return true;
}

bool base64_decode(struct span in, uint8_t *out, size_t *len)
{
	size_t digits = 4;
	size_t n = 0;
	uint32_t v;

	if (in.n % 4 != 0)
		return false;
	for (size_t i = 0; i < in.n; i += 4) {
		if (i + 4 == in.n && in.p[i + 3] == '=')
			digits = in.p[i + 2] == '=' ? 2 : 3;
		if (!group(in.p + i, digits, &v))
			return false;
		for (size_t k = 0; k + 1 < digits; k++, v <<= 8)
			out[n++] = (uint8_t)(v >> 16);
		if ((v & 0xff0000) != 0 && digits < 4)
			return false;
	}
	*len = n;
	return true;
}
