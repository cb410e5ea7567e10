/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(uint32_t c)
{
	return c >= 'A' && c <= 'Z';
}

/* ECMA-262 s. 12.3: LF, CR, LINE SEPARATOR, PARAGRAPH SEPARATOR. */
static bool is_line_terminator(uint32_t c)
{
	return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;
}

static bool is_continuation(uint8_t b)
{
	return (b & 0xC0U) == 0x80U; /* RFC 3629 s. 3 */
}

/* Take the first code point of *TEXT, which is not empty.  Which one it is
 * matters only up to three bytes: there is no line terminator beyond. */
static uint32_t take(struct span *text)
{
	uint32_t c = text->p[0];
	size_t n = 1;

	if (c >= 0xE0)
		c &= 0x0FU;
	else if (c >= 0xC0)
		c &= 0x1FU;
	for (; n < text->n && is_continuation(text->p[n]); n++)
		c = c << 6 | (text->p[n] & 0x3FU);
	*text = span_of(text->p + n, text->n - n);
	return c;
}

/*
 * ^\d+.\d+.\d+$ with '.' for any character, so a digit may stand for it too,
 * and a matcher that looks for two dots would be wrong.  This one is in all
 * the places of the expression at once where it can be.
 */
enum version_place {
	BEGIN = 1,
	MAJOR = 2,
	DOT = 4,
	MINOR = 8,
	DOT_2 = 16,
	PATCH = 32
};

/* The places to be in after C, from those in AT. */
static unsigned version_step(unsigned at, uint32_t c)
{
	unsigned next = 0;

	if (is_digit(c)) {
		next |= (at & (BEGIN | MAJOR)) != 0 ? MAJOR : 0U;
		next |= (at & (DOT | MINOR)) != 0 ? MINOR : 0U;
		next |= (at & (DOT_2 | PATCH)) != 0 ? PATCH : 0U;
	}
	if (!is_line_terminator(c)) {
		next |= (at & MAJOR) != 0 ? DOT : 0U;
		next |= (at & MINOR) != 0 ? DOT_2 : 0U;
	}
	return next;
}

static bool match_version(struct span text)
{
	unsigned at = BEGIN;

	while (text.n > 0 && at != 0)
		at = version_step(at, take(&text));
	return (at & PATCH) != 0;
}

/* Empty, YYYY, YYYY-MM or YYYY-MM-DD of the years 1900 to 2099. */
static bool match_birth(struct span text)
{
	if (text.n == 0)
		return true;
	if (text.n != 4 && text.n != 7 && text.n != 10)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (i == 4 || i == 7 ? text.p[i] != '-' : !is_digit(text.p[i]))
			return false;
	return memcmp(text.p, "19", 2) == 0 || memcmp(text.p, "20", 2) == 0;
}

static bool match_mrz(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!is_upper(text.p[i]) && text.p[i] != '<')
			return false;
	return true;
}

/* The schema does not anchor it: one capital letter anywhere is enough. */
static bool match_country(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (is_upper(text.p[i]))
			return true;
	return false;
}

bool pattern_matches(enum pattern pattern, struct span text)
{
	switch (pattern) {
	case PATTERN_VERSION: return match_version(text);
	case PATTERN_BIRTH: return match_birth(text);
	case PATTERN_MRZ: return match_mrz(text);
	case PATTERN_COUNTRY: return match_country(text);
	case PATTERN_ANY:
	case PATTERN_COUNT: break;
	}
	return true;
}

bool pattern_longer(struct span text, size_t max)
{
	size_t count = 0;

	if (text.n <= max) /* no character is shorter than a byte */
		return false;
	for (size_t i = 0; i < text.n; i++)
		count += is_continuation(text.p[i]) ? 0 : 1;
	return count > max;
}
