/* SPDX-License-Identifier: Apache-2.0 */
#include "base45.h"

enum { BASE = 45, BASE2 = BASE * BASE };

/* RFC 9285 s. 4.2, table 1. */
static const char ALPHABET[BASE + 1] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

size_t base45_encode(struct span in, char *out)
{
	char *p = out;
	size_t i = 0;

	for (; i + 1 < in.n; i += 2) {
		const unsigned v = (unsigned)in.p[i] << 8 | in.p[i + 1];

		*p++ = ALPHABET[v % BASE];
		*p++ = ALPHABET[v / BASE % BASE];
		*p++ = ALPHABET[v / BASE2];
	}
	if (i < in.n) {
		*p++ = ALPHABET[in.p[i] % BASE];
		*p++ = ALPHABET[in.p[i] / BASE];
	}
	return (size_t)(p - out);
}

/* Value of a character; BASE if it is none. */
static unsigned value_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - (unsigned)'0';
	if (c >= 'A' && c <= 'Z')
		return c - (unsigned)'A' + 10;
	switch (c) {
	case ' ': return 36;
	case '$': return 37;
	case '%': return 38;
	case '*': return 39;
	case '+': return 40;
	case '-': return 41;
	case '.': return 42;
	case '/': return 43;
	case ':': return 44;
	default: return BASE;
	}
}

enum sg_err base45_decode(struct span in, uint8_t *out, size_t cap, size_t *len)
{
	const size_t bytes = in.n / 3 * 2 + (in.n % 3) / 2;
	size_t at = 0;

	if (in.n % 3 == 1)
		return SG_BAD_BASE45;
	if (bytes > cap)
		return SG_TOO_BIG;
	for (size_t i = 0; i < in.n; i += 3) {
		const bool pair = in.n - i == 2; /* stands for one byte */
		const unsigned c = value_of(in.p[i]);
		const unsigned d = value_of(in.p[i + 1]);
		const unsigned e = pair ? 0 : value_of(in.p[i + 2]);
		const unsigned v = c + d * BASE + e * BASE2;

		if (c == BASE || d == BASE || e == BASE ||
		    v > (pair ? UINT8_MAX : UINT16_MAX))
			return SG_BAD_BASE45;
		if (!pair)
			out[at++] = (uint8_t)(v >> 8);
		out[at++] = (uint8_t)v;
	}
	*len = at;
	return SG_OK;
}
