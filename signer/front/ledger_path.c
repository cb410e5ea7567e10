/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	LEVEL_MAX = 63,
	GROUP_DIGITS = 3, /* N is written in groups of them */
	GROUP = 1000,
	GROUPS_MAX = 7 /* of a 64-bit number */
};

static const char TILE[] = "tile/";
static const char ENTRIES[] = "entries/";
static const char PARTIAL[] = ".p/";

/* --- reading -------------------------------------------------------------- */

static bool take(struct span *rest, const char *word)
{
	const size_t n = strlen(word);

	if (rest->n < n || memcmp(rest->p, word, n) != 0)
		return false;
	*rest = span_of(rest->p + n, rest->n - n);
	return true;
}

/* All digits that come, at most MAX of them; how many there were. */
static size_t take_digits(struct span *rest, size_t max, uint64_t *value)
{
	size_t n = 0;

	*value = 0;
	while (n < max && n < rest->n && rest->p[n] >= '0' &&
	       rest->p[n] <= '9') {
		*value = *value * 10 + (uint64_t)(rest->p[n] - '0');
		n++;
	}
	*rest = span_of(rest->p + n, rest->n - n);
	return n;
}

static bool take_level(struct span *rest, int *level)
{
	uint64_t value;

	if (take(rest, ENTRIES)) {
		*level = LEDGER_PATH_ENTRIES;
		return true;
	}
	if (take_digits(rest, 2, &value) == 0 || value > LEVEL_MAX)
		return false;
	*level = (int)value;
	return take(rest, "/");
}

static bool take_place(struct span *rest, uint64_t *place)
{
	uint64_t group;

	*place = 0;
	for (;;) {
		const bool more = take(rest, "x");

		if (take_digits(rest, GROUP_DIGITS, &group) != GROUP_DIGITS ||
		    *place > (UINT64_MAX - group) / GROUP)
			return false;
		*place = *place * GROUP + group;
		if (!more)
			return true;
		if (!take(rest, "/"))
			return false;
	}
}

static bool take_width(struct span *rest, unsigned *width)
{
	uint64_t value;

	*width = LEDGER_PATH_WIDTH;
	if (!take(rest, PARTIAL))
		return true;
	if (take_digits(rest, 3, &value) == 0 || value == 0 ||
	    value >= LEDGER_PATH_WIDTH)
		return false;
	*width = (unsigned)value;
	return true;
}

enum sg_err ledger_path_parse(struct span text, struct ledger_path *out)
{
	struct span rest = text;
	struct ledger_path p;
	char same[LEDGER_PATH_MAX];

	if (!take_level(&rest, &p.level) || !take_place(&rest, &p.n) ||
	    !take_width(&rest, &p.width) || rest.n > 0)
		return SG_NOT_FOUND;
	/* One name for each tile: no zeroes too many. */
	ledger_path_text(&p, same);
	if (!span_is(text, same + sizeof(TILE) - 1))
		return SG_NOT_FOUND;
	*out = p;
	return SG_OK;
}

/* --- writing -------------------------------------------------------------- */

void ledger_path_text(const struct ledger_path *p, char out[LEDGER_PATH_MAX])
{
	unsigned group[GROUPS_MAX];
	uint64_t n = p->n;
	size_t groups = 0;
	size_t at;

	do {
		group[groups++] = (unsigned)(n % GROUP);
		n /= GROUP;
	} while (n > 0);
	if (p->level == LEDGER_PATH_ENTRIES)
		at = (size_t)snprintf(out, LEDGER_PATH_MAX, "%s%s", TILE,
				      ENTRIES);
	else
		at = (size_t)snprintf(out, LEDGER_PATH_MAX, "%s%d/", TILE,
				      p->level);
	while (groups-- > 0)
		at += (size_t)snprintf(out + at, LEDGER_PATH_MAX - at,
				       groups > 0 ? "x%03u/" : "%03u",
				       group[groups]);
	if (p->width < LEDGER_PATH_WIDTH)
		(void)snprintf(out + at, LEDGER_PATH_MAX - at, "%s%u", PARTIAL,
			       p->width);
}
