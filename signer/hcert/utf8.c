/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

static uint64_t word_at(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static uint32_t half_word_at(const uint8_t *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Most texts are ASCII, and short: what remains of a text is looked at in
 * words that overlap, instead of byte by byte. */
static bool is_ascii(const uint8_t *p, size_t n)
{
	const size_t wide = sizeof(uint64_t);
	const size_t half = sizeof(uint32_t);
	uint64_t seen = 0;

	if (n >= wide) {
		for (size_t at = 0; at + wide < n; at += wide)
			seen |= word_at(p + at);
		seen |= word_at(p + n - wide);
	} else if (n >= half) {
		seen = half_word_at(p) | half_word_at(p + n - half);
	} else if (n > 0) {
		seen = p[0] | p[n / 2] | p[n - 1];
	}
	return (seen & UINT64_C(0x8080808080808080)) == 0;
}

static bool is_tail(uint8_t b)
{
	return (b & 0xc0) == 0x80;
}

/*
 * Bytes of the character of two or more bytes at P, 0 if it is not one.  The
 * first byte sets bounds for the second (RFC 3629 s. 4); those keep out
 * overlong forms, surrogates and what is beyond U+10FFFF.
 */
static size_t wide_character(const uint8_t *p, size_t n)
{
	const uint8_t first = p[0];
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	size_t width;

	if (first < 0xc2 || first > 0xf4)
		return 0;
	if (first < 0xe0)
		width = 2;
	else if (first < 0xf0)
		width = 3;
	else
		width = 4;
	switch (first) {
	case 0xe0: low = 0xa0; break;
	case 0xed: high = 0x9f; break;
	case 0xf0: low = 0x90; break;
	case 0xf4: high = 0x8f; break;
	default: break;
	}
	if (n < width || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < width; i++)
		if (!is_tail(p[i]))
			return 0;
	return width;
}

bool utf8_valid(struct span s)
{
	size_t at = 0;

	if (is_ascii(s.p, s.n))
		return true;
	while (at < s.n) {
		const size_t width =
			s.p[at] < 0x80 ? 1 : wide_character(s.p + at, s.n - at);

		if (width == 0)
			return false;
		at += width;
	}
	return true;
}

uint32_t utf8_next(struct span *rest)
{
	static const uint8_t bits[] = {0x7f, 0x7f, 0x1f, 0x0f, 0x07};
	const uint8_t *p = rest->p;
	const size_t width = p[0] < 0x80 ? 1 : wide_character(p, rest->n);
	const size_t step = width > 0 ? width : 1;
	uint32_t c = width > 0 ? p[0] & bits[width] : UTF8_BROKEN;

	for (size_t i = 1; i < width; i++)
		c = c << 6 | (p[i] & 0x3fU);
	*rest = span_of(p + step, rest->n - step);
	return c;
}

bool utf8_is_hidden(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0x7f, 0x9f},	    {0xad, 0xad},	{0x34f, 0x34f},
		{0x61c, 0x61c},	    {0x115f, 0x1160},	{0x17b4, 0x17b5},
		{0x180b, 0x180f},   {0x200b, 0x200f},	{0x2028, 0x202e},
		{0x2060, 0x206f},   {0x3164, 0x3164},	{0xfe00, 0xfe0f},
		{0xfeff, 0xfeff},   {0xffa0, 0xffa0},	{0xfff0, 0xfffb},
		{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};

	if (c < 0x7f)
		return c < 0x20;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c <= hidden[i].last)
			return c >= hidden[i].first;
	return false;
}

bool utf8_has_hidden(struct span s)
{
	while (s.n > 0)
		if (utf8_is_hidden(utf8_next(&s)))
			return true;
	return false;
}

bool utf8_is_space(uint32_t c)
{
	if (c <= 0x20)
		return c == 0x20 || (c >= 0x09 && c <= 0x0d);
	if (c >= 0x2000 && c <= 0x205f)
		return c <= 0x200b || c == 0x2028 || c == 0x2029 ||
		       c == 0x202f || c == 0x205f;
	return c == 0x85 || c == 0xa0 || c == 0x1680 || c == 0x3000 ||
	       c == 0xfeff;
}

bool utf8_is_trimmed(struct span s)
{
	struct span first = s;
	struct span last;
	size_t at = s.n;

	if (s.n == 0)
		return true;
	do
		at--;
	while (at > 0 && (s.p[at] & 0xc0U) == 0x80U);
	last = span_of(s.p + at, s.n - at);
	return !utf8_is_space(utf8_next(&first)) &&
	       !utf8_is_space(utf8_next(&last));
}
