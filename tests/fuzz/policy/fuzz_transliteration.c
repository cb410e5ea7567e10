/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes, cut at the first newline, as a name and what is said to be its
 * transliteration.  For the letters that another, slow matcher knows as well
 * (a few from each table), both must say the same; adding what says nothing
 * must change nothing.
 */
#include <stdio.h>

#include "../require.h"
#include "hcert/utf8.h"
#include "policy/transliteration.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NAME_MAX_BYTES = 512, SLOW_MAX = 12 };

/* --- the slow matcher ----------------------------------------------------- */

static const struct {
	uint32_t letter;
	const char *way[3];
} KNOWN[] = {
	{'A', {"A"}},
	{'U', {"U"}},
	{'X', {"X"}},
	{0x00C4, {"AE", "A"}},
	{0x00DC, {"UE", "UXX", "U"}},
	{0x00DF, {"SS"}},
	{0x1EC5, {"E"}},
	{0x042E, {"IU", "YU"}},
	{' ', {"<"}}, /* between two letters; the caller sees to it */
	{',', {"", "<"}},
};

/* Does the rest of STANDARD spell the rest of NAME?  Tries every way. */
static bool spells(const uint32_t *name, size_t n, struct span standard)
{
	size_t k = 0;

	if (n == 0)
		return standard.n == 0;
	while (KNOWN[k].letter != name[0])
		k++;
	for (size_t i = 0; i < 3 && KNOWN[k].way[i] != NULL; i++) {
		const struct span way = span_str(KNOWN[k].way[i]);

		if (standard.n >= way.n &&
		    (way.n == 0 || memcmp(standard.p, way.p, way.n) == 0) &&
		    spells(name + 1, n - 1,
			   span_of(standard.p + way.n, standard.n - way.n)))
			return true;
	}
	return false;
}

static bool is_known(uint32_t c)
{
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		if (KNOWN[i].letter == c)
			return true;
	return false;
}

/* Is NAME made of known letters, with single separators inside only, and so
 * short that every way can be tried? */
static bool is_simple(struct span name, uint32_t *out, size_t *n)
{
	bool gap = true;

	*n = 0;
	while (name.n > 0) {
		const uint32_t c = utf8_next(&name);
		const bool separates = c == ' ' || c == ',';

		if (*n == SLOW_MAX || !is_known(c) || (separates && gap))
			return false;
		gap = separates;
		out[(*n)++] = c;
	}
	return *n > 0 && !gap;
}

static void compare(struct span name, struct span standard, bool matches)
{
	uint32_t letters[SLOW_MAX];
	size_t n;

	for (size_t i = 0; i < standard.n; i++)
		if ((standard.p[i] < 'A' || standard.p[i] > 'Z') &&
		    standard.p[i] != '<')
			return;
	if (standard.n <= TRANSLITERATION_MAX && is_simple(name, letters, &n))
		require(spells(letters, n, standard) == matches,
			"the same as by trying every way");
}

/* --- the target ----------------------------------------------------------- */

static bool with(const char *before, struct span name, const char *behind,
		 struct span standard)
{
	char text[NAME_MAX_BYTES + 16];
	const int n = snprintf(text, sizeof(text), "%s%.*s%s", before,
			       (int)name.n, (const char *)name.p, behind);

	return transliteration_matches(span_of(text, (size_t)n), standard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	struct span name;
	struct span standard;
	bool matches;

	if (end == NULL)
		return 0;
	name = span_of(data, (size_t)(end - data));
	standard = span_of(end + 1, size - name.n - 1);
	matches = transliteration_matches(name, standard);
	compare(name, standard, matches);
	/* What is beyond 80 characters is not judged, so leave room. */
	if (name.n == 0 || name.n > TRANSLITERATION_MAX - 8 ||
	    memchr(name.p, '\0', name.n) != NULL || !utf8_valid(name))
		return 0;
	require(with(" -", name, "' ", standard) == matches,
		"separators around it and apostrophes are nothing");
	if (matches)
		require(with("", name, "\xe7\x8e\x8b", standard),
			"a letter of no table may be nothing");
	return 0;
}
